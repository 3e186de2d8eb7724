"""Sentences leave once they are checked with all before them, and nobody's listening changes what comes of them."""

import time
from dataclasses import dataclass, field
from queue import Queue

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import NotServing
from gateway.limits import Deadline
from gateway.live import LiveState
from gateway.releasing import SentenceBuffer
from gateway.turn import News, Released, Reply, Step, Withheld
from models.fakes import FakeModel
from store.types import Outcome
from tests.building import RESET, Built, build, question
from tests.gateway.scripted_rails import BLOCKED, BLOCKED_WHOLE, BROKEN, MASKED, SHOUTED, ScriptedPolicy

FORGOT = "I forgot my password"
FALLBACK = RESET["reply"]["fallback"]
WORDS = st.sampled_from(["open", "the", "door", "3.5", "Dr.", "e.g.", "https://a.example", "門"])
EVENTS = st.sampled_from(["wait"] * 12 + [BLOCKED, BLOCKED_WHOLE, BROKEN, MASKED, SHOUTED])
SENTENCES = st.builds(
    lambda words, event, end: " ".join(["So", *words, event]) + end,
    st.lists(WORDS, max_size=4),
    EVENTS,
    st.sampled_from([". ", "! ", "。", ".\n- ", "... ", '." ', " "]),
)
ANSWERS = st.builds(
    lambda quote, sentences: quote + "".join(sentences),
    st.sampled_from(["", " ", '"']),
    st.lists(SENTENCES, min_size=1, max_size=5),
)


@dataclass
class Told:
    """Everything that was told of one question, and what had been judged when it was told."""

    policy: ScriptedPolicy
    news: list[News] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    async def __call__(self, news: News) -> None:
        self.news.append(news)
        if isinstance(news, Released):
            passed = [report.text for _, report in self.policy.judged if not report.is_blocked]
            if not any(text.startswith(self.text) for text in passed):
                self.unchecked.append(news.text)

    @property
    def text(self) -> str:
        return "".join(news.text for news in self.news if isinstance(news, Released))


def gateway(answer: str, **changes) -> tuple[Built, ScriptedPolicy]:
    policy = ScriptedPolicy()
    here = build(model=FakeModel(answer=answer, **changes))
    state = here.live.current
    here.live.swap(LiveState(state.catalog, state.matcher, {"desk": policy}))
    return here, policy


def ask(answer: str, **changes) -> tuple[Reply | str, Told]:
    here, policy = gateway(answer, **changes)
    told = Told(policy)
    try:
        reply = anyio.run(here.pipeline.answer, question(FORGOT), told)
    except NotServing as error:
        (decision,) = here.decisions.rows
        assert decision.failed
        assert decision.outcome is Outcome.BLOCKED_OUTPUT
        return error.code, told
    return reply, told


HERE = build(model=FakeModel())


def outcome_of(answer: str, max_tokens: int, *, listens: bool = True, stretch_chars: int | None = None):
    """Asks one question of a gateway that all examples share: what came of it, its rails, its text, and what left."""
    policy = ScriptedPolicy()
    told = Told(policy)
    HERE.model.answer, HERE.model.stretch_chars = answer, stretch_chars
    HERE.live.current = LiveState(HERE.live.current.catalog, HERE.live.current.matcher, {"desk": policy})
    HERE.decisions.rows.clear()
    try:
        text = anyio.run(HERE.pipeline.answer, question(FORGOT, max_tokens=max_tokens), *([told] * listens)).text
    except NotServing as error:
        text = error.code
    (decision,) = HERE.decisions.rows
    rails = [rail | {"duration_ms": 0.0} for rail in decision.rails]
    return (decision.outcome, decision.failed, rails, text), told


@settings(max_examples=300, deadline=None, derandomize=True)
@given(ANSWERS, st.integers(1, 12), st.integers(1, 40), st.integers(3, 30))
def test_streamed_or_not_it_is_the_same_and_nothing_leaves_unchecked(answer, few, many, max_tokens):
    found, told = outcome_of(answer, max_tokens, stretch_chars=few)
    again, told_again = outcome_of(answer, max_tokens, stretch_chars=many)
    unheard, _ = outcome_of(answer, max_tokens, listens=False)
    assert found == again == unheard
    assert told.text == told_again.text
    assert told.unchecked == []
    outcome, failed, _, text = found
    if outcome is Outcome.ANSWERED:
        assert told.text == text
    words = [type(news) for news in told.news if not isinstance(news, Step)]
    is_withheld = outcome is Outcome.BLOCKED_OUTPUT and not failed
    assert words.count(Withheld) == is_withheld
    assert not is_withheld or words[-1] is Withheld


@pytest.mark.parametrize(
    ("answer", "outcome", "released"),
    [
        ("One. Two. Three.", Outcome.ANSWERED, ["One.", " Two.", " Three."]),
        ("One. A bad word. Three.", Outcome.BLOCKED_OUTPUT, ["One."]),
        ("One. Two. What is missing.", Outcome.BLOCKED_OUTPUT, ["One.", " Two."]),
        ("One. The code is here. Three.", Outcome.ANSWERED, ["One.", " The **** is here.", " Three."]),
        ("One. Two. It is late. Four.", Outcome.BLOCKED_OUTPUT, ["One.", " Two."]),
        ('"One. Two."', Outcome.ANSWERED, ["One.", " Two."]),
        ('"One" is one. Two.', Outcome.ANSWERED, ['"One" is one.', " Two."]),
        ("no mark at all", Outcome.ANSWERED, ["no mark at all"]),
        ("", Outcome.DEGRADED, []),
    ],
)
def test_what_leaves_and_what_comes_of_it(answer, outcome, released):
    reply, told = ask(answer, stretch_chars=3)
    assert reply.decision.outcome is outcome
    assert [news.text for news in told.news if isinstance(news, Released)] == released
    assert {news.decision for news in told.news if isinstance(news, Released)} <= {reply.decision.id}
    assert reply.text == (f"Approved text:\n\n{FALLBACK}" if outcome is Outcome.BLOCKED_OUTPUT else reply.text)


def test_a_rail_that_would_change_what_was_shown_is_recorded_beside_the_one_that_stopped_it():
    reply, _ = ask("One. Two. It is late. Four.", stretch_chars=3)
    output = [(rail["name"], rail["status"], rail["reason"]) for rail in reply.decision.rails][1:3]
    assert output == [
        ("scripted", "modified", "scripted.modified"),
        ("sentences", "blocked", "sentences.changed_after_release"),
    ]


def test_a_rail_that_breaks_after_the_first_sentence_ends_in_a_failure_that_is_recorded():
    code, told = ask("One. It goes boom. Three.", stretch_chars=3)
    assert code == "rails_unavailable"
    assert told.text == "One."
    assert not [news for news in told.news if isinstance(news, Withheld)]


def test_each_sentence_costs_one_check_and_the_last_is_that_of_the_whole_answer():
    here, policy = gateway("One. Two. Three.", stretch_chars=2)
    anyio.run(here.pipeline.answer, question(FORGOT))
    assert [text for text, _ in policy.judged] == ["One.", "One. Two.", "One. Two. Three."]


def test_one_record_stands_for_all_checks_of_a_rail():
    reply, _ = ask("One. The code is here. Three.", stretch_chars=2)
    (rail,) = (rail for rail in reply.decision.rails if rail["stage"] == "output")
    assert (rail["status"], rail["reason"]) == ("modified", "scripted.modified")
    assert rail["duration_ms"] == pytest.approx(0.3)


def test_sentences_are_told_while_the_model_goes_on():
    here, policy = gateway("One. Two. Three.", stretch_chars=5, stretch_s=0.1)
    told = Told(policy)
    shown_s: list[float] = []

    async def watch(news):
        await told(news)
        if isinstance(news, Released):
            shown_s.append(time.monotonic())

    reply = anyio.run(here.pipeline.answer, question(FORGOT), watch)
    assert told.text == reply.text
    assert shown_s[-1] - shown_s[0] > 0.15
    assert [news for news in told.news if isinstance(news, Step)][-1] is Step.VERIFYING


def test_a_block_stops_the_model():
    here, policy = gateway("One. A bad word. " + "More. " * 200, stretch_chars=5, stretch_s=0.05)
    started = time.monotonic()
    reply = anyio.run(here.pipeline.answer, question(FORGOT), Told(policy))
    assert time.monotonic() - started < 5.0
    assert reply.decision.outcome is Outcome.BLOCKED_OUTPUT
    assert reply.decision.model_sha256 == "f" * 64
    assert 0 < reply.decision.completion_tokens < 200, "an estimate: the model tells no count"


def test_a_model_that_breaks_off_leads_to_the_approved_fallback():
    here, policy = gateway("One. Two. " + "More. " * 200, stretch_chars=5, stretch_s=0.05)
    told = Told(policy)
    reply = anyio.run(here.pipeline.answer, question(FORGOT, deadline=Deadline.after(0.6)), told)
    assert (reply.decision.outcome, reply.text) == (Outcome.DEGRADED, FALLBACK)
    assert told.text.startswith("One.")
    assert not [news for news in told.news if isinstance(news, Withheld)]


def test_a_kept_answer_is_let_out_the_same_way():
    reset = {**RESET, "reply": {**RESET["reply"], "cache": "1h"}}
    here = build(reset, model=FakeModel(answer="One. The code is here. Three.", stretch_chars=4))
    policy = ScriptedPolicy()
    state = here.live.current
    here.live.swap(LiveState(state.catalog, state.matcher, {"desk": policy}))
    replies, tellings = [], []
    for _ in range(2):
        told = Told(policy)
        replies.append(anyio.run(here.pipeline.answer, question(FORGOT), told))
        tellings.append(told)
    assert len(here.model.prompts) == 1
    assert replies[1].decision.cached_from == replies[0].decision.id
    assert tellings[0].text == tellings[1].text == replies[1].text == "One. The **** is here. Three."
    assert tellings[1].unchecked == []


def test_a_blocked_answer_is_not_kept():
    reset = {**RESET, "reply": {**RESET["reply"], "cache": "1h"}}
    here = build(reset, model=FakeModel(answer="One. A bad word. Three."))
    state = here.live.current
    here.live.swap(LiveState(state.catalog, state.matcher, {"desk": ScriptedPolicy()}))
    for _ in range(2):
        anyio.run(here.pipeline.answer, question(FORGOT))
    assert here.answers.figures.entries == 0


def test_checks_that_come_too_late_are_a_failure():
    here, policy = gateway("One. Two. Three.", stretch_chars=2)
    policy.slow_s = 0.4
    here.pipeline._output_rails_s = 0.1
    with pytest.raises(NotServing):
        anyio.run(here.pipeline.answer, question(FORGOT, deadline=Deadline.after(0.9)))
    (decision,) = here.decisions.rows
    assert decision.failed
    assert decision.rails[-1]["reason"] == "sentences.deadline"


def test_checks_are_not_late_because_a_caller_has_little_time():
    here, policy = gateway("One. Two. Three.", stretch_chars=2)
    policy.slow_s = 0.4
    here.pipeline._output_rails_s = 0.1
    reply = anyio.run(here.pipeline.answer, question(FORGOT, deadline=Deadline.after(30.0, callers_s=0.9)))
    assert not reply.decision.failed
    assert reply.text in {"One. Two. Three.", FALLBACK}


def test_a_caller_that_leaves_in_the_middle_frees_the_model():
    here, policy = gateway("One. " * 400, stretch_chars=5, stretch_s=0.05)
    first = Told(policy)
    ended: Queue[float] = Queue()
    complete = here.model.complete

    class Watched:
        name, sha256 = "watched", "f" * 64

        def adapter(self, assistant):
            return here.model.adapter(assistant)

        def complete(self, *given, **more):
            try:
                return complete(*given, **more)
            finally:
                ended.put(time.monotonic())

    here.pipeline._model = Watched()

    async def leave() -> float:
        with anyio.CancelScope() as scope:

            async def watch(news):
                await first(news)
                if len(first.text) > 10:
                    scope.cancel()

            await here.pipeline.answer(question(FORGOT), watch)
        return time.monotonic()

    left = anyio.run(leave)
    assert ended.get(timeout=5) - left < 0.05
    assert len(first.text) < 40
    assert here.decisions.rows == [], "whoever is not streamed to has seen nothing"


def test_an_answer_that_no_rail_has_seen_is_a_bug():
    async def never(_text, _is_whole):
        raise AssertionError

    async def release(_text):
        raise AssertionError

    buffer = SentenceBuffer(never, release, until_s=0.0)
    report = anyio.run(buffer.finish, "One.")
    assert report.has_failed
