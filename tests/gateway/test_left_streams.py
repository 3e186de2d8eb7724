"""What was shown of an answer is a decision, whatever came then: a caller that left, a block, a rail that broke."""

from dataclasses import replace

import anyio
import pytest

from gateway.budgets import Budgets, NoUsage
from gateway.decisions import BUFFERED, Said
from gateway.errors import BudgetUsed, NotServing
from gateway.limit_settings import LimitSettings
from gateway.limits import make_admission
from gateway.lines import PLACE, Line, Place
from gateway.turn import Released, Step, Withheld
from models.errors import ModelUnavailable
from models.fakes import FakeModel, prompt_text
from store.types import Outcome
from tests.building import CALLER, Built, question
from tests.gateway.scripted_rails import ScriptedPolicy
from tests.gateway.test_releasing import FORGOT, Told, gateway


def said_in(here: Built) -> list[tuple[Said, str | None]]:
    """Returns the list that takes what is recorded from now on: the words, and the error."""
    said = []
    record = here.log.record

    async def listening(decision, words, *, error=None):
        said.append((words, error))
        return await record(decision, words, error=error)

    here.log.record = listening
    return said


def leave_at(here: Built, policy: ScriptedPolicy, is_time, **changes) -> Told:
    """Asks, is streamed to, and leaves with the first news at which it is time."""
    told = Told(policy)

    async def leave() -> None:
        with anyio.CancelScope() as scope:

            async def watch(news):
                await told(news)
                if is_time(news):
                    scope.cancel()

            await here.pipeline.answer(question(FORGOT, is_streamed=True, **changes), watch)

    anyio.run(leave)
    return told


def is_sentence(news) -> bool:
    return isinstance(news, Released)


def is_withheld(news) -> bool:
    return isinstance(news, Withheld)


def test_what_was_shown_to_a_caller_that_left_is_a_decision():
    here, policy = gateway("One. Two. " + "More. " * 200, stretch_chars=5, stretch_s=0.02)
    said = said_in(here)
    told = leave_at(here, policy, is_sentence)
    (decision,) = here.decisions.rows
    assert [decision.id] == [news.decision for news in told.news if is_sentence(news)]
    assert (decision.outcome, decision.source, decision.failed) == (Outcome.ANSWERED, "generate", False)
    assert (decision.model_sha256, [rail["status"] for rail in decision.rails]) == ("f" * 64, ["passed"] * 2)
    ((words, error),) = said
    assert (words.message, words.answer, error) == (FORGOT, told.text, "caller_left")
    assert told.text == "One."


def test_who_leaves_after_a_block_leaves_a_blocked_decision():
    here, policy = gateway("One. A bad word. Three.", stretch_chars=3)
    said = said_in(here)
    told = leave_at(here, policy, is_withheld)
    (decision,) = here.decisions.rows
    assert {decision.id} == {news.decision for news in told.news if is_sentence(news)}
    assert (decision.outcome, decision.stopped_by) == (Outcome.BLOCKED_OUTPUT, "scripted")
    assert said[0][0].answer == "One."


class BreaksOff(FakeModel):
    """Says everything, and then that it cannot."""

    def complete(self, *asked, **how):
        super().complete(*asked, **how)
        raise ModelUnavailable("told to break off")


@pytest.mark.parametrize(
    ("model", "outcome"),
    [
        (FakeModel(answer="One. A bad word. Three.", stretch_chars=3), Outcome.BLOCKED_OUTPUT),
        (BreaksOff(answer="One. Two", stretch_chars=3), Outcome.DEGRADED),
    ],
)
def test_who_stays_is_recorded_with_what_was_shown_before_the_approved_text(model, outcome):
    here, policy = gateway("")
    here.pipeline._model = model
    said, told = said_in(here), Told(policy)
    reply = anyio.run(here.pipeline.answer, question(FORGOT, is_streamed=True), told)
    assert (reply.decision.outcome, told.text) == (outcome, "One.")
    assert said[0][0].answer == f"One.\n\n{reply.text}"


def test_an_answer_that_was_shown_as_it_is_is_recorded_once():
    here, policy = gateway("One. Two. Three.", stretch_chars=3)
    said = said_in(here)
    anyio.run(here.pipeline.answer, question(FORGOT, is_streamed=True), Told(policy))
    assert said[0][0].answer == "One. Two. Three."


def test_who_leaves_before_anything_was_shown_leaves_no_decision():
    here, policy = gateway("One. Two. Three.", stretch_chars=3)
    told = leave_at(here, policy, lambda news: news is Step.GENERATING)
    assert told.text == ""
    assert here.decisions.rows == []


def test_a_caller_that_always_leaves_with_the_last_sentence_uses_up_its_budget():
    here, policy = gateway("One. Two. Three.", stretch_chars=3)
    admission = make_admission(LimitSettings(), model_places=8, model_waiting=8)
    budgets = Budgets(NoUsage(), assistants={}, clock=lambda: 0.0)
    here.pipeline._admission = replace(admission, budgets=budgets)
    thrifty = replace(CALLER, tokens_per_day=3)
    told = leave_at(here, policy, lambda news: is_sentence(news) and "Three" in news.text, principal=thrifty)
    assert told.text == "One. Two. Three."
    (decision,) = here.decisions.rows
    assert (decision.prompt_tokens > 0, decision.completion_tokens) == (True, 6)
    with pytest.raises(BudgetUsed):
        leave_at(here, policy, is_sentence, principal=thrifty)


def test_tokens_of_a_model_that_a_caller_stopped_are_estimated_from_what_it_said():
    here, policy = gateway("One. " * 400, stretch_chars=5, stretch_s=0.02)
    leave_at(here, policy, is_sentence)
    (decision,) = here.decisions.rows
    (prompt,) = here.model.prompts
    assert decision.prompt_tokens == -(-len(prompt_text(prompt)) // 4)
    assert 0 < decision.completion_tokens < 250


def test_what_a_rail_breaks_off_is_recorded_with_what_was_shown():
    here, policy = gateway("One. It goes boom. Three.", stretch_chars=3)
    said = said_in(here)
    with pytest.raises(NotServing):
        anyio.run(here.pipeline.answer, question(FORGOT, is_streamed=True), Told(policy))
    assert [(words.answer, error) for words, error in said] == [("One.", "rails_unavailable")]


def test_no_sentence_is_shown_when_its_decision_could_be_kept_nowhere():
    here, policy = gateway("One. Two. Three.", stretch_chars=3)
    here.decisions.is_down = True
    anyio.run(here.pipeline.answer, question(FORGOT))
    here.log._waiting *= BUFFERED
    told = Told(policy)
    with pytest.raises(NotServing) as stopped:
        anyio.run(here.pipeline.answer, question(FORGOT, is_streamed=True), told)
    assert (stopped.value.code, told.text) == ("store_unavailable", "")


def test_a_request_whose_answer_was_blocked_goes_on_in_its_place():
    here, _ = gateway("One. A bad word. " + "More. " * 200, stretch_chars=5, stretch_s=0.02)
    line = Line(places=1, waiting=1, target_s=1.0)
    in_work: list[int] = []

    async def watch(news):
        if isinstance(news, Released | Withheld):
            in_work.append(line.in_work)

    async def ask() -> None:
        place = Place(line)
        let_go = place.hold()
        assert place.take_now()
        PLACE.set(place)
        await here.pipeline.answer(question(FORGOT), watch)
        let_go()

    anyio.run(ask)
    assert (in_work, line.in_work) == ([0, 1], 0)
