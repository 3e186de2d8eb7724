"""When a check fails, the answer is no: on the way in and on the way out, however it fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from gateway.errors import NotServing
from models.fakes import FakeModel
from rails.definition import RailDefinition, RailParams, probes_of
from rails.engine import RailsPolicy, compile_policy
from rails.nemo import RailOutcome, verdict
from rails.policy import PolicyDocument
from rails.registry import SHIPPED_RAILS
from rails.runner import RailLimits, RailRunner
from rails.types import RailStatus, Stage
from store.types import Outcome
from tests.building import GROUNDED, build, question


class ProbedParams(RailParams, frozen=True, kw_only=True, tag="probed"):
    """A rail that does its duty until the policy is live."""


async def raises(_: str) -> RailOutcome:
    raise RuntimeError("a bug in a rail")


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


def answering(value: object) -> Callable[[str], Awaitable[Any]]:
    async def check(_: str) -> Any:
        return value

    return check


BROKEN = {
    "raises": raises,
    "sleeps": sleeps,
    "blocks its thread": blocks_the_thread,
    "spins": spins,
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


def policy_with(behaviour: Callable[[str], Awaitable[Any]], stage: Stage) -> RailsPolicy:
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
    compiled = compile_policy(
        PolicyDocument(
            name="desk",
            input=plain[Stage.INPUT],
            output=plain[Stage.OUTPUT],
            refusals={"en": {"default": "Stopped."}},
        ),
        1,
        definitions={**SHIPPED_RAILS, "probed": rail},
        runner=RailRunner(RailLimits(rail_s=0.3, stage_s=0.6)),
    )
    behaving.append(behaviour)
    return compiled


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rail_lets_nothing_through(behaviour: Callable[[str], Awaitable[Any]], stage: Stage) -> None:
    model = FakeModel(answer=GROUNDED)
    here = build(model=model, policy=policy_with(behaviour, stage))
    with pytest.raises(NotServing) as stopped:
        anyio.run(here.pipeline.answer, question("I forgot my password"))
    assert stopped.value.code == "rails_unavailable"
    assert bool(model.prompts) is (stage is Stage.OUTPUT), "a broken input rail comes before the model"
    (decision,) = here.decisions.rows
    assert decision.failed
    assert decision.outcome is (Outcome.BLOCKED_INPUT if stage is Stage.INPUT else Outcome.BLOCKED_OUTPUT)
    statuses = {rail["name"]: rail["status"] for rail in decision.rails}
    assert statuses["probed"] == RailStatus.ERROR


@pytest.mark.parametrize("stage", list(Stage))
def test_an_approved_text_is_checked_like_a_generated_one(stage: Stage) -> None:
    here = build(policy=policy_with(raises, stage))
    with pytest.raises(NotServing):
        anyio.run(here.pipeline.answer, question("The fire alarm rings"))
