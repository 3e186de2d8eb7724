"""The way of a message whose answer is kept: the same words, checked again, recorded as what they are."""

import time
from dataclasses import dataclass, field, replace

import anyio
import pytest

from gateway.answer_cache import AnswerCache
from gateway.errors import NotServing
from gateway.limits import Deadline
from gateway.live import LiveState
from gateway.turn import Reply, Source
from models.fakes import FakeModel
from models.ports import ApprovedPrompt
from rails.engine import compile_policy
from rails.policy import load_policy
from rails.types import RailRecord, RailsReport, RailStatus, Stage
from store.types import Outcome
from tests.building import GROUNDED, HOURS, POLICY, RESET, SUMMARY, Built, build, build_state, question
from tests.world import PATIENT

UNGROUNDED = "Call 555 987 654 and say the code 4471."
FORGOT = "I forgot my password"
LEEDS = "When is the Leeds office open?"


def cached(document, **changes):
    return {**document, "reply": {**document["reply"], "cache": "1h", **changes}}


KEPT = (cached(RESET), cached(HOURS), SUMMARY)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Wording:
    """Words another answer each time, so that a second generation shows."""

    said: int = 0
    texts: list[str] = field(default_factory=list)

    def __call__(self, prompt: ApprovedPrompt) -> str:
        self.said += 1
        asked = "".join(part.text for part in prompt.question)
        return self.texts.pop(0) if self.texts else " ".join([asked] * self.said)


def make(*documents, **choices) -> tuple[Built, Wording]:
    wording = Wording()
    return build(*(documents or KEPT), model=FakeModel(answer=wording), **choices), wording


def answer(here: Built, text: str, **changes: object) -> Reply:
    return anyio.run(here.pipeline.answer, question(text, **changes))


def test_the_second_question_gets_the_words_of_the_first_without_the_model():
    here, wording = make()
    first, second = answer(here, FORGOT), answer(here, "How do I reset my password?")
    assert wording.said == 1
    assert second.text == first.text
    assert (second.decision.outcome, second.decision.source) == (Outcome.ANSWERED, Source.GENERATE)
    assert first.decision.cached_from is None
    assert first.decision.cached_at is None


def test_the_decision_says_where_the_words_come_from():
    here, _ = make()
    first, second = (answer(here, FORGOT).decision for _ in range(2))
    assert (second.cached_from, second.cached_at) == (first.id, first.at)
    assert (second.sent_sha256, second.model_sha256) == (first.sent_sha256, "f" * 64)
    assert second.sent_sha256 is not None
    assert (second.prompt_tokens, second.completion_tokens) == (0, 0)
    assert "generate" not in second.timings_ms
    assert here.decisions.rows == [first, second]


def test_a_third_question_names_the_decision_that_has_the_words_and_not_the_second():
    here, _ = make()
    decisions = [answer(here, FORGOT).decision for _ in range(3)]
    assert [one.cached_from for one in decisions] == [None, decisions[0].id, decisions[0].id]


def test_a_kept_answer_passes_the_output_rails_again():
    here, _ = make()
    first, second = (answer(here, FORGOT).decision for _ in range(2))
    names = [[rail["name"] for rail in one.rails if rail["stage"] == "output"] for one in (first, second)]
    assert names[0] == names[1] == ["secrets", "urls", "grounding"]


def with_rails(here: Built, report) -> None:
    """Puts a policy of the same name and revision in place, whose output stage says what it is told."""

    class Told:
        def __init__(self, real):
            self.real, self.name, self.revision = real, real.name, real.revision
            self.refusal, self.streaming = real.refusal, real.streaming

        async def check(self, stage, text, context):
            real = await self.real.check(stage, text, context)
            return report(text, real) if stage is Stage.OUTPUT else real

    state = here.live.current
    here.live.swap(LiveState(state.catalog, state.matcher, {"desk": Told(state.policies["desk"])}))


def verdict(status: RailStatus, text="x") -> RailsReport:
    return RailsReport(Stage.OUTPUT, text, (RailRecord("told", Stage.OUTPUT, status, "told", 0.1),))


def test_a_kept_answer_that_does_not_pass_any_more_is_withheld_and_forgotten():
    here, wording = make()
    words = answer(here, FORGOT).text
    with_rails(here, lambda text, real: verdict(RailStatus.BLOCKED) if text == words else real)
    second = answer(here, FORGOT)
    assert (second.decision.outcome, second.decision.source) == (Outcome.BLOCKED_OUTPUT, Source.FALLBACK)
    assert words not in second.text
    assert here.answers.figures.entries == 0
    assert answer(here, FORGOT).decision.outcome is Outcome.ANSWERED
    assert wording.said == 2


def test_a_check_that_fails_stops_a_kept_answer_like_any_other():
    here, _ = make()
    answer(here, FORGOT)
    with_rails(here, lambda _text, _real: verdict(RailStatus.ERROR))
    with pytest.raises(NotServing, match="could not be completed"):
        answer(here, FORGOT)
    assert here.decisions.rows[-1].failed


def test_what_the_rails_changed_is_what_is_kept():
    here, wording = make()
    with_rails(here, lambda text, _: verdict(RailStatus.MODIFIED, text.replace("portal", "[portal]")))
    first = answer(here, FORGOT)
    with_rails(here, lambda text, _: verdict(RailStatus.PASSED, text))
    assert "[portal]" in first.text
    assert answer(here, FORGOT).text == first.text
    assert wording.said == 1


@pytest.mark.parametrize(
    "model",
    [FakeModel(answer=UNGROUNDED), FakeModel(is_busy=True), FakeModel(is_unavailable=True), FakeModel(answer="  ")],
    ids=["withheld", "busy", "unavailable", "no words"],
)
def test_what_did_not_pass_its_checks_is_not_kept(model):
    here = build(*KEPT, model=model)
    first, second = answer(here, FORGOT), answer(here, FORGOT)
    assert first.decision.outcome in (Outcome.BLOCKED_OUTPUT, Outcome.DEGRADED)
    assert second.text == first.text
    assert len(model.prompts) == 2
    assert here.answers.figures.entries == 0


def test_a_prompt_that_does_not_say_so_keeps_nothing():
    here, wording = make(RESET)
    assert answer(here, FORGOT).text != answer(here, FORGOT).text
    assert wording.said == 2
    assert here.answers.figures.misses == 0


def test_an_answer_to_quoted_text_is_never_kept():
    here, wording = make()
    for text in ("Summarise this ticket please: the printer is on fire",) * 2:
        reply = answer(here, text)
        assert reply.decision.has_quoted_text
        assert reply.decision.cached_from is None
    assert wording.said == 2


def test_each_slot_value_has_an_answer_of_its_own():
    here, wording = make()
    wording.texts = ["Leeds opens at 07:30.", "The Lisbon office is open on working days."]
    for text in (LEEDS, "When is the Lisbon office open?", LEEDS, "When is the lisboa office open?"):
        answer(here, text)
    assert wording.said == 2
    assert [row.cached_from is not None for row in here.decisions.rows] == [False, False, True, True]


def test_a_shorter_answer_is_another_answer():
    here, wording = make()
    assert len({answer(here, FORGOT, max_tokens=tokens).decision.id for tokens in (None, 40, 80, 500)}) == 4
    assert wording.said == 2


def test_a_kept_answer_that_was_cut_short_says_so_again():
    here, _ = make()
    here.model.answer = "The link is valid for 15 minutes. Open the portal and wait"
    replies = [answer(here, FORGOT, max_tokens=9) for _ in range(2)]
    assert [reply.text for reply in replies] == ["The link is valid for 15 minutes."] * 2
    assert replies[1].turn.kept.finish_reason is replies[0].turn.completion.finish_reason


def test_the_prompt_says_how_long_an_answer_is_used_again():
    clock = Clock()
    here, wording = make(clock=clock)
    answer(here, FORGOT)
    clock.now += 3599.0
    answer(here, FORGOT)
    assert wording.said == 1
    clock.now += 1.0
    answer(here, FORGOT)
    assert wording.said == 2


def published(*documents, policy_revision=3, **of) -> LiveState:
    policy = compile_policy(load_policy(POLICY), policy_revision, runner=PATIENT)
    state = build_state(*documents, policy=policy, **of)
    return replace(state, catalog=replace(state.catalog, revision=2))


@pytest.mark.parametrize(
    "state",
    [
        published(cached(RESET, facts="Open https://portal.tarnwick.example/new. The link is valid for 15 minutes.")),
        published(cached(RESET, prompt="Say how to reset a password.")),
        published(cached(RESET, sampling={"max_tokens": 70})),
        published(cached(RESET), assistant={"instructions": "Be brief."}),
        published(cached(RESET), policy_revision=4),
    ],
    ids=["facts", "prompt", "sampling", "instructions", "policy"],
)
def test_a_publish_that_changes_what_an_answer_rests_on_asks_the_model_again(state):
    here, wording = make()
    old = answer(here, FORGOT).text
    here.live.swap(state)
    assert answer(here, FORGOT).text != old
    assert wording.said == 2
    assert here.answers.figures.entries == 1


def test_a_publish_of_other_content_leaves_an_answer():
    here, wording = make()
    answer(here, FORGOT)
    here.live.swap(published(cached(RESET), {**HOURS, "title": "Hours"}))
    answer(here, FORGOT)
    assert wording.said == 1


def test_other_weights_get_no_answer_of_these():
    here, wording = make()
    answer(here, FORGOT)
    here.model.sha256 = "a" * 64
    second = answer(here, FORGOT)
    assert wording.said == 2
    assert (second.decision.cached_from, second.decision.model_sha256) == (None, "a" * 64)


def test_another_adapter_gets_no_answer_of_this_one_and_the_decision_names_it():
    here, wording = make()
    plain = answer(here, FORGOT)
    here.model.adapters = {"desk": "b" * 64, "other": "c" * 64}
    adapted, again = answer(here, FORGOT), answer(here, FORGOT)
    assert wording.said == 2
    assert (plain.decision.model_adapter, adapted.decision.model_adapter) == (None, "b" * 64)
    assert (again.decision.cached_from, again.decision.model_adapter) == (adapted.decision.id, "b" * 64)


def test_no_assistant_gets_an_answer_of_another():
    """One cache, two assistants that differ in nothing but their name."""
    answers = AnswerCache(entries=100, max_bytes=10**6, clock=time.monotonic)
    told = []
    for name in ("desk", "desk-2"):
        here, wording = make(assistant={"name": name})
        here.pipeline._answers = answers
        replies = [answer(here, FORGOT, assistant=name) for _ in range(2)]
        told.append([reply.decision.cached_from for reply in replies])
        assert wording.said == 1
    assert [one[0] for one in told] == [None, None]
    assert told[0][1] != told[1][1]


def ask_together(here: Built, count: int, **changes: object) -> list[Reply]:
    replies: list[Reply] = []

    async def ask() -> None:
        replies.append(await here.pipeline.answer(question(FORGOT, **changes)))

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(ask)

    anyio.run(all_of_them)
    return replies


def test_many_who_ask_at_once_get_one_generation():
    here, wording = make()
    here.model.delay_s = 0.2
    replies = ask_together(here, 20)
    assert wording.said == 1
    assert len({reply.text for reply in replies}) == 1
    assert sorted(reply.decision.cached_from is None for reply in replies) == [False] * 19 + [True]
    waited = [reply.decision.timings_ms["wait"] for reply in replies if reply.turn.kept]
    assert min(waited) > 50


def test_who_waits_gives_up_in_its_own_time_with_the_approved_fallback():
    here, _ = make()
    here.model.delay_s = 20.0

    async def ask() -> Reply:
        async with anyio.create_task_group() as group:
            group.start_soon(here.pipeline.answer, question(FORGOT))
            await anyio.sleep(0.2)
            reply = await here.pipeline.answer(question(FORGOT, deadline=Deadline.after(0.5)))
            group.cancel_scope.cancel()
        return reply

    started = time.monotonic()
    reply = anyio.run(ask)
    assert time.monotonic() - started < 5
    assert (reply.decision.outcome, reply.turn.model_error) == (Outcome.DEGRADED, "ModelTimeout")


def test_when_the_one_that_generates_leaves_the_next_takes_over():
    here, wording = make()
    here.model.delay_s = 0.3

    async def ask() -> Reply:
        async def leave() -> None:
            with anyio.move_on_after(0.15):
                await here.pipeline.answer(question(FORGOT))

        async with anyio.create_task_group() as group:
            group.start_soon(leave)
            await anyio.sleep(0.05)
            return await here.pipeline.answer(question(FORGOT))

    reply = anyio.run(ask)
    assert (reply.decision.outcome, reply.decision.cached_from) == (Outcome.ANSWERED, None)
    assert (wording.said, len(here.model.prompts)) == (1, 2)


def test_when_the_words_of_the_first_do_not_pass_another_tries():
    here, wording = make()
    wording.texts = [UNGROUNDED, GROUNDED]
    here.model.delay_s = 0.1
    replies = ask_together(here, 6)
    outcomes = sorted(reply.decision.outcome.value for reply in replies)
    assert outcomes == ["answered"] * 5 + ["blocked_output"]
    assert wording.said == 2
