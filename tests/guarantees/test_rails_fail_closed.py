"""When a check fails, the answer is no: on the way in, on the way out, and while sentences leave; however it fails."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from enum import StrEnum
from typing import Any

import anyio
import msgspec
import pytest

from gateway.errors import NotServing
from gateway.turn import News, Released
from models.fakes import FakeModel
from rails.definition import RailDefinition, RailParams, probes_of
from rails.engine import RailsPolicy, compile_policy
from rails.nemo import RailOutcome, verdict
from rails.policy import PolicyDocument, Streaming
from rails.registry import SHIPPED_RAILS
from rails.runner import RailLimits, RailRunner
from rails.types import RailStatus, Stage
from store.types import Outcome
from tests.building import GROUNDED, Built, build, question
from tests.rails.dialog_policies import dialog_policy, hurried

FIRST = GROUNDED.partition(" The")[0]


class ProbedParams(RailParams, frozen=True, kw_only=True, tag="probed"):
    """A rail that does its duty until the policy is live."""


async def raises(_: str) -> RailOutcome:
    raise RuntimeError("a bug in a rail")


async def exits(_: str) -> RailOutcome:
    raise SystemExit


async def times_out(_: str) -> RailOutcome:
    raise TimeoutError


async def sleeps(_: str) -> RailOutcome:
    await asyncio.sleep(60)
    return verdict(None)


async def blocks_the_thread(_: str) -> RailOutcome:
    time.sleep(1.5)  # noqa: ASYNC251 - this is the fault
    return verdict(None)


async def spins(_: str) -> RailOutcome:
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        pass
    return verdict(None)


async def is_late(_: str) -> RailOutcome:
    await asyncio.sleep(0.5)
    return verdict(None)


def answering(value: object) -> Callable[[str], Awaitable[Any]]:
    async def check(_: str) -> Any:
        return value

    return check


BROKEN = {
    "raises": raises,
    "sleeps": sleeps,
    "blocks its thread": blocks_the_thread,
    "spins": spins,
    "is late": is_late,
    "exits": exits,
    "times out itself": times_out,
    "says None": answering(None),
    "says True": answering(bool("yes")),
    "says a friendly text": answering("yes, allowed"),
    "says a mapping": answering({"decision": "allow"}),
}


behaving: list[Callable[[str], Awaitable[Any]]] = []
"""How the probed rail behaves now; empty while its probes run."""


async def probed(text: str, params: ProbedParams) -> Any:  # noqa: ARG001 - every check takes its parameters
    if behaving:
        return await behaving[0](text)
    return verdict("probed.bad" if "bad" in text else None)


@pytest.fixture(autouse=True)
def _behave_again() -> Iterator[None]:
    behaving.clear()
    yield
    behaving.clear()


class Column(StrEnum):
    """Where a rail breaks."""

    INPUT = "input"
    OUTPUT = "output"
    STREAMING = "streaming"
    LATER_SENTENCE = "second sentence of a stream"

    @property
    def stage(self) -> Stage:
        return Stage.INPUT if self is Column.INPUT else Stage.OUTPUT

    @property
    def streaming(self) -> Streaming:
        is_plain = self in (Column.INPUT, Column.OUTPUT)
        return Streaming.WHOLE_ANSWER if is_plain else Streaming.CHECKED_SENTENCES


def from_the_second_sentence(behaviour: Callable[[str], Awaitable[Any]]) -> Callable[[str], Awaitable[Any]]:
    async def check(text: str) -> Any:
        return verdict(None) if text == FIRST else await behaviour(text)

    return check


BEHIND = {Stage.INPUT: SHIPPED_RAILS["length"].params, Stage.OUTPUT: SHIPPED_RAILS["repetition"].params}
"""Rails that stop any text of more than five characters."""


def policy_with(
    behaviour: Callable[[str], Awaitable[Any]],
    stage: Stage,
    streaming: Streaming = Streaming.WHOLE_ANSWER,
    *,
    only_watches: bool = False,
) -> RailsPolicy:
    rail = RailDefinition(
        name="probed",
        stages=frozenset(Stage),
        params=ProbedParams,
        check=probed,
        probes=lambda _: probes_of(blocked=["bad"], passed=["good"]),
    )
    plain = {
        Stage.INPUT: (SHIPPED_RAILS["length"].params(),),
        Stage.OUTPUT: (SHIPPED_RAILS["grounding"].params(),),
    }
    plain[stage] = (*plain[stage], ProbedParams())
    if only_watches:
        plain[stage] = (
            ProbedParams(monitor=True),
            msgspec.convert({"rail": BEHIND[stage].__struct_config__.tag, "max_chars": 5}, BEHIND[stage]),
        )
    compiled = compile_policy(
        PolicyDocument(
            name="desk",
            input=plain[Stage.INPUT],
            output=plain[Stage.OUTPUT],
            refusals={"en": {"default": "Stopped."}},
            streaming=streaming,
        ),
        1,
        definitions={**SHIPPED_RAILS, "probed": rail},
        runner=RailRunner(RailLimits(rail_s=0.3, stage_s=0.6)),
    )
    behaving.append(behaviour)
    return compiled


def ask(here: Built) -> tuple[str, str]:
    """Asks, and returns the error's code and everything that left before it."""
    code, _, left = outcome(here)
    assert code is not None, "this was to be an error"
    return code, left


def outcome(here: Built) -> tuple[str | None, str, str]:
    """Asks, and returns the error's code if there was one, the reply, and what left before."""
    left: list[str] = []

    async def watch(news: News) -> None:
        if isinstance(news, Released):
            left.append(news.text)

    try:
        reply = anyio.run(here.pipeline.answer, question("I forgot my password"), watch)
    except NotServing as stopped:
        return stopped.code, "", "".join(left)
    return None, reply.text, "".join(left)


def check_record(here: Built, column: Column) -> None:
    (decision,) = here.decisions.rows
    assert decision.failed
    assert decision.outcome is (Outcome.BLOCKED_INPUT if column is Column.INPUT else Outcome.BLOCKED_OUTPUT)
    statuses = {rail["name"]: rail["status"] for rail in decision.rails}
    assert statuses["probed"] == RailStatus.ERROR


@pytest.mark.parametrize("column", list(Column))
@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rail_lets_nothing_through(behaviour: Callable[[str], Awaitable[Any]], column: Column) -> None:
    is_later = column is Column.LATER_SENTENCE
    model = FakeModel(answer=GROUNDED, stretch_chars=10)
    policy = policy_with(from_the_second_sentence(behaviour) if is_later else behaviour, column.stage, column.streaming)
    here = build(model=model, policy=policy)
    code, left = ask(here)
    assert code == "rails_unavailable"
    assert left == (FIRST if is_later else ""), "only what was checked before has left"
    assert bool(model.prompts) is (column is not Column.INPUT), "a broken input rail comes before the model"
    check_record(here, column)


@pytest.mark.parametrize("column", [Column.INPUT, Column.OUTPUT, Column.STREAMING])
@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rail_that_only_watches_is_recorded_and_lets_nothing_past_the_rails_behind_it(
    behaviour: Callable[[str], Awaitable[Any]], column: Column
) -> None:
    model = FakeModel(answer=GROUNDED, stretch_chars=10)
    here = build(model=model, policy=policy_with(behaviour, column.stage, column.streaming, only_watches=True))
    code, said, left = outcome(here)
    (decision,) = here.decisions.rows
    # On output the text in its place is checked as well, and stopped as well.
    watching, behind = [rail for rail in decision.rails if rail["stage"] == column.stage][:2]
    assert (watching["name"], watching["status"]) == ("probed", RailStatus.ERROR)
    assert re.fullmatch(r"rail\.[a-z_]+", str(watching["reason"]))
    assert decision.outcome is (Outcome.BLOCKED_INPUT if column is Column.INPUT else Outcome.BLOCKED_OUTPUT)
    assert left == ""
    assert FIRST not in said
    # One that took its thread away keeps the others from running, which is a failure and no pass.
    is_run = behind["status"] == RailStatus.BLOCKED
    assert is_run or behind["status"] == RailStatus.NOT_RUN
    assert (decision.failed, code) == ((False, None) if is_run else (True, "rails_unavailable"))


@pytest.mark.parametrize("column", [Column.INPUT, Column.OUTPUT, Column.STREAMING])
def test_a_rail_that_is_missing_lets_nothing_through(column: Column) -> None:
    policy = policy_with(answering(verdict(None)), column.stage, column.streaming)
    object.__setattr__(policy._checks[column.stage][-1], "_rail", None)
    here = build(model=FakeModel(answer=GROUNDED, stretch_chars=10), policy=policy)
    assert ask(here) == ("rails_unavailable", "")
    check_record(here, column)


@pytest.mark.parametrize("stage", list(Stage))
def test_an_approved_text_is_checked_like_a_generated_one(stage: Stage) -> None:
    here = build(policy=policy_with(raises, stage))
    with pytest.raises(NotServing):
        anyio.run(here.pipeline.answer, question("The fire alarm rings"))


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_dialog_lets_nothing_through(behaviour: Callable[[str], Awaitable[Any]]) -> None:
    model = FakeModel(answer=GROUNDED)
    policy = hurried(dialog_policy())
    here = build(model=model, policy=policy)
    assert policy.dialog is not None
    policy.dialog.engine._rails = Broken(behaviour)
    for text in ("hello", "something that is near nothing"):
        with pytest.raises(NotServing) as stopped:
            anyio.run(here.pipeline.answer, question(text))
        assert stopped.value.code == "rails_unavailable"
        decision = here.decisions.rows[-1]
        assert (decision.failed, decision.outcome, decision.source) == (True, Outcome.BLOCKED_INPUT, "none")
        record = decision.rails[-1]
        assert (record["name"], record["status"]) == ("dialog", RailStatus.ERROR)
        assert re.fullmatch(r"rail\.[a-z_]+", str(record["reason"]))
    assert model.prompts == []


def test_a_broken_dialog_does_not_touch_an_approved_question() -> None:
    policy = hurried(dialog_policy())
    here = build(policy=policy)
    assert policy.dialog is not None
    policy.dialog.engine._rails = Broken(raises)
    assert anyio.run(here.pipeline.answer, question("I forgot my password")).decision.outcome is Outcome.ANSWERED


class Broken:
    """NeMo as it must not be."""

    def __init__(self, behaviour: Callable[[str], Awaitable[Any]]) -> None:
        self._behaviour = behaviour

    async def generate_async(self, **_: object) -> Any:
        return await self._behaviour("")
