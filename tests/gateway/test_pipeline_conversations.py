"""Conversations: a follow-up or a slot value counts right after its question, for the same caller and nowhere else."""

from dataclasses import replace

import anyio
import pytest

from gateway.errors import InvalidRequest
from gateway.http.replies import suggested
from gateway.turn import Reply
from models.fakes import FakeModel, prompt_text
from store.matches import Gate, MatchMethod
from store.types import Outcome
from tests.building import (
    CALLER,
    HOURS,
    LIMITS,
    RESET,
    SUMMARY,
    UNSURE,
    WEEKEND,
    Built,
    build,
    build_state,
    question,
)

UNGROUNDED = "Call 555 987 654 and say the code 4471."


def answer(here: Built, text: str, **changes: object) -> Reply:
    return anyio.run(here.pipeline.answer, question(text, **changes))


def test_a_follow_up_counts_right_after_its_predecessor_in_the_same_conversation():
    here = build()
    answer(here, "When is the Leeds office open?", conversation="talk")
    reply = answer(here, "And on Saturdays?", conversation="talk")
    assert (reply.decision.prompt_key, reply.decision.method) == ("it.weekend", MatchMethod.FOLLOW_UP)
    assert reply.decision.conversation == "talk"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"conversation": "another"},
        {"conversation": "talk", "principal": replace(CALLER, id="someone else")},
    ],
    ids=["no conversation", "another conversation", "another principal"],
)
def test_a_follow_up_counts_nowhere_else(changes):
    here = build()
    answer(here, "When is the Leeds office open?", conversation="talk")
    assert answer(here, "And on Saturdays?", **changes).decision.prompt_key is None


def test_behind_an_answer_that_has_follow_ups_these_are_offered():
    here = build({**HOURS, "reply": {"mode": "verbatim", "answer": "{site} opens at 8."}}, WEEKEND, RESET)
    reply = answer(here, "When is the Leeds office open?", conversation="talk")
    offered = suggested(reply)
    assert [prompt.key for prompt in offered] == ["it.weekend"]
    again = answer(here, offered[0].content.title, conversation="talk")
    assert again.decision.prompt_key == "it.weekend", "sent back, the title gets it"
    assert suggested(answer(here, "I forgot my password", conversation="talk")) == ()


def test_a_follow_up_does_not_count_after_another_prompt():
    here = build()
    answer(here, "When is the Leeds office open?", conversation="talk")
    answer(here, "I forgot my password", conversation="talk")
    assert answer(here, "And on Saturdays?", conversation="talk").decision.prompt_key is None


def test_a_follow_up_counts_while_the_database_is_away():
    here = build()
    here.decisions.is_down = True
    answer(here, "When is the Leeds office open?", conversation="talk")
    assert answer(here, "And on Saturdays?", conversation="talk").decision.prompt_key == "it.weekend"


@pytest.mark.parametrize("message", ["Leeds", "in leeds, please", "lisboa", "the Leeds"])
def test_the_question_for_a_slot_is_answered_by_its_value_alone(message):
    here = build(model=FakeModel(answer="Offices are open on working days."))
    asked = answer(here, "What are the opening hours?", conversation="talk")
    assert (asked.decision.outcome, asked.text) == (Outcome.CLARIFY, "Which office do you mean?")
    assert (asked.decision.needs_slot, asked.slot.slot.name, asked.slot.is_invalid) == ("site", "site", False)
    reply = answer(here, message, conversation="talk")
    assert (reply.decision.outcome, reply.decision.prompt_key) == (Outcome.ANSWERED, "it.hours")
    assert reply.decision.slots == {"site": "Lisbon" if message == "lisboa" else "Leeds"}
    assert (reply.decision.method, reply.decision.gate) == (MatchMethod.SLOT_REPLY, Gate.SLOT_REPLY)
    assert reply.decision.score is None
    assert prompt_text(reply.turn.sent).endswith(f"Say when the {reply.decision.slots['site']} office is open.")


@pytest.mark.parametrize("message", ["Paris", "Leeds or Lisbon", "zebras graze quietly"])
def test_what_is_not_a_value_is_asked_for_again_until_there_is_one(message):
    here = build(model=FakeModel(answer="Offices are open on working days."))
    answer(here, "What are the opening hours?", conversation="talk")
    for _ in range(2):
        reply = answer(here, message, conversation="talk")
        assert (reply.decision.outcome, reply.text) == (Outcome.CLARIFY, "Which office do you mean?")
        assert (reply.slot.slot.name, reply.slot.is_invalid) == ("site", True)
        assert (reply.decision.prompt_key, reply.decision.needs_slot) == ("it.hours", "site")
        assert (reply.decision.method, reply.decision.slots) == (MatchMethod.SLOT_REPLY, {})
        assert here.model.prompts == []
    assert answer(here, "Leeds", conversation="talk").decision.slots == {"site": "Leeds"}


@pytest.mark.parametrize(
    "message", ["Do zebras graze quietly?", "zebras graze quietly " * 4, "Why?", "退款政策是什么\uff1f"]
)
def test_a_question_or_a_long_text_is_no_value(message):
    here = build()
    answer(here, "What are the opening hours?", conversation="talk")
    reply = answer(here, message, conversation="talk")
    assert (reply.decision.outcome, reply.slot) == (Outcome.NO_MATCH, None)
    assert answer(here, "Paris", conversation="talk").slot is None, "which was another question"


CLOSING = {**HOURS, "counterexamples": ["Close the Leeds office", "Where do I park in Leeds"]}


@pytest.mark.parametrize(
    "message",
    [
        "Do zebras graze quietly in Leeds?",
        "zebras graze quietly between the river and the railway station in Leeds",
        "close the Leeds office",
        "where do I park in Leeds please",
    ],
    ids=["a question", "longer than any value", "a counterexample", "nearly a counterexample"],
)
def test_a_value_that_stands_in_a_question_of_its_own_is_not_taken(message):
    here = build(CLOSING, RESET)
    answer(here, "What are the opening hours?", conversation="talk")
    reply = answer(here, message, conversation="talk")
    assert (reply.decision.outcome, reply.slot, here.model.prompts) == (Outcome.NO_MATCH, None, [])


def test_a_value_that_stands_in_what_means_another_prompt_is_not_taken():
    here = build()
    answer(here, "What are the opening hours?", conversation="talk")
    reply = answer(here, "In Leeds I forgot my password", conversation="talk")
    assert (reply.decision.prompt_key, reply.decision.method) == ("it.reset", MatchMethod.SIMILAR)
    here = build(HOURS, RESET, limits=UNSURE)
    answer(here, "What are the opening hours?", conversation="talk")
    unsure = answer(here, "In Leeds I forgot my password", conversation="talk")
    assert (unsure.decision.outcome, [prompt.key for prompt in unsure.choices]) == (Outcome.CLARIFY, ["it.reset"])


@pytest.mark.parametrize("message", ["INC-123456?", "Where is my ticket INC-123456?"])
def test_a_value_with_a_question_mark_is_taken_where_nothing_else_is_asked(message):
    here = build(TICKET, RESET)
    answer(here, "Where is my ticket?", conversation="talk")
    reply = answer(here, message, conversation="talk")
    assert (reply.decision.outcome, reply.decision.slots) == (Outcome.ANSWERED, {"ticket": "INC-123456"})


def test_a_day_that_does_not_exist_is_asked_for_again_and_what_was_said_before_is_kept():
    here = build(LEAVE, model=FakeModel(answer="Leave is booked."))
    asked = answer(here, "Book leave in the Leeds office", conversation="talk")
    assert asked.decision.needs_slot == "day"
    wrong = answer(here, "on 31 February", conversation="talk")
    assert (wrong.slot.slot.name, wrong.slot.is_invalid) == ("day", True)
    assert wrong.decision.slots == {"site": "Leeds"}
    right = answer(here, "24 December 2099", conversation="talk")
    assert right.decision.slots == {"site": "Leeds", "day": "2099-12-24"}


def test_the_value_of_one_blank_is_not_taken_for_another_of_its_type():
    here = build(FROM_TO, RESET)
    assert answer(here, "Book a trip", conversation="talk").decision.needs_slot == "start"
    begun = answer(here, "2099-03-03", conversation="talk")
    assert (begun.decision.outcome, begun.decision.needs_slot) == (Outcome.CLARIFY, "end")
    assert (begun.decision.slots, begun.slot.is_invalid) == ({"start": "2099-03-03"}, False)
    ended = answer(here, "2099-03-03", conversation="talk")
    assert (ended.decision.outcome, ended.decision.slots) == (
        Outcome.ANSWERED,
        {"start": "2099-03-03", "end": "2099-03-03"},
    )


@pytest.mark.parametrize("limits", [UNSURE, LIMITS], ids=["one of the choices", "matched"])
def test_what_comes_near_to_the_prompt_that_asked_was_meant_as_its_value(limits):
    here = build(TICKET, RESET, limits=limits)
    answer(here, "Where is my ticket?", conversation="talk")
    reply = answer(here, "it is ticket INC-12", conversation="talk")
    assert (reply.decision.outcome, reply.text) == (Outcome.CLARIFY, "Which ticket?")
    assert (reply.slot.slot.name, reply.slot.is_invalid) == ("ticket", True)
    right = answer(here, "INC-123456", conversation="talk")
    assert (right.decision.outcome, right.decision.slots) == (Outcome.ANSWERED, {"ticket": "INC-123456"})


def test_what_comes_near_to_another_prompt_is_asked_about():
    here = build(TICKET, RESET, limits=UNSURE)
    answer(here, "Where is my ticket?", conversation="talk")
    reply = answer(here, "I forgot the password", conversation="talk")
    assert (reply.decision.outcome, reply.slot) == (Outcome.CLARIFY, None)
    assert [prompt.key for prompt in reply.choices] == ["it.reset"]


def test_the_question_itself_said_again_is_no_wrong_value():
    here = build(TICKET, RESET)
    for question_again in ("Where is my ticket?", "Status of a ticket", "so where is my ticket?"):
        reply = answer(here, question_again, conversation="talk")
        assert (reply.slot.slot.name, reply.slot.is_invalid) == ("ticket", False)


TICKET = {
    "key": "it.ticket",
    "title": "Status of a ticket",
    "area": "it",
    "owner": "Service Desk",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["Where is my ticket?", "It is ticket {ticket}"],
    "slots": [{"type": "pattern", "name": "ticket", "ask": "Which ticket?", "pattern": "INC-[0-9]{6}"}],
    "reply": {"mode": "verbatim", "answer": "Look for {ticket} in the list."},
}


FROM_TO = {
    **TICKET,
    "key": "it.trip",
    "title": "Book a trip of some days",
    "phrasings": ["Book a trip"],
    "slots": [
        {"type": "date", "name": "start", "ask": "From which day on?"},
        {"type": "date", "name": "end", "ask": "Until which day?"},
    ],
    "reply": {"mode": "verbatim", "answer": "Enter {start} and {end}."},
}


LEAVE = {
    "key": "it.leave",
    "title": "Book leave",
    "area": "it",
    "owner": "HR",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["Book leave in the {site} office"],
    "slots": [
        {"type": "enum", "name": "site", "ask": "Which office?", "values": [{"value": "Leeds"}]},
        {"type": "date", "name": "day", "ask": "From which day on?"},
    ],
    "reply": {
        "mode": "generate",
        "prompt": "Book leave in {site} from {day}",
        "facts": "Leave is booked.",
        "fallback": "Not now.",
    },
}


def test_an_approved_phrasing_wins_over_the_question_for_a_slot():
    here = build()
    answer(here, "What are the opening hours?", conversation="talk")
    assert answer(here, "I forgot my password", conversation="talk").decision.prompt_key == "it.reset"


def test_a_slot_value_without_the_question_before_it_means_nothing():
    assert answer(build(), "Leeds").decision.outcome is not Outcome.ANSWERED
    here = build()
    answer(here, "What are the opening hours?", conversation="talk")
    assert answer(here, "Leeds", conversation="another").decision.outcome is not Outcome.ANSWERED


@pytest.mark.parametrize(
    "changed",
    [
        (RESET,),
        (
            RESET,
            {
                **HOURS,
                "phrasings": ["What are the opening hours?"],
                "slots": [],
                "reply": {"mode": "verbatim", "answer": "At eight."},
            },
        ),
    ],
    ids=["the prompt is gone", "the slot is gone"],
)
def test_a_publish_between_question_and_value_is_no_crash(changed):
    here = build()
    answer(here, "What are the opening hours?", conversation="talk")
    here.live.swap(build_state(*changed))
    assert answer(here, "Leeds", conversation="talk").decision.method is not MatchMethod.SLOT_REPLY


TICKET_AT = {
    "key": "it.ticket-at",
    "title": "Summarise a ticket for an office",
    "area": "it",
    "owner": "Service Desk",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["Summarise for an office this ticket: {ticket_text}"],
    "slots": [
        {"type": "quoted_text", "name": "ticket_text", "ask": "Please paste the ticket text."},
        {"type": "enum", "name": "site", "ask": "Which office?", "values": [{"value": "Leeds"}]},
    ],
    "reply": {
        "mode": "generate",
        "prompt": "Summarise for {site}: {ticket_text}",
        "facts": "A ticket was pasted.",
        "fallback": "Not now.",
    },
}


def test_the_length_that_stands_for_a_quoted_text_is_never_taken_for_the_text():
    here = build(TICKET_AT, model=FakeModel(answer="A ticket was pasted."))
    asked = answer(here, "Summarise for an office this ticket: the printer smokes", conversation="talk")
    assert asked.decision.needs_slot == "site"
    assert asked.decision.slots == {"ticket_text": "(18 characters)"}
    again = answer(here, "Leeds", conversation="talk")
    assert (again.decision.outcome, again.decision.needs_slot) == (Outcome.CLARIFY, "ticket_text")
    assert here.model.prompts == []
    reply = answer(here, "the printer smokes", conversation="talk")
    assert reply.decision.outcome is Outcome.ANSWERED
    assert "> the printer smokes" in prompt_text(reply.turn.sent)
    assert "Leeds" in prompt_text(reply.turn.sent)


def test_a_counterexample_is_no_free_text():
    here = build(
        {
            **TICKET_AT,
            "slots": TICKET_AT["slots"][:1],
            "counterexamples": ["Is my ticket solved yet?"],
            "reply": SUMMARY["reply"],
        }
    )
    answer(here, "Summarise a ticket for an office", conversation="talk")
    reply = answer(here, "is my ticket solved yet", conversation="talk")
    assert (reply.decision.outcome, reply.slot, here.model.prompts) == (Outcome.NO_MATCH, None, [])


def test_a_value_sent_along_fills_the_slot():
    here = build(model=FakeModel(answer="Offices are open on working days."))
    reply = answer(here, "What are the opening hours?", slots={"site": "leeds"})
    assert (reply.decision.outcome, reply.decision.slots) == (Outcome.ANSWERED, {"site": "Leeds"})


def test_a_value_that_is_not_acceptable_is_asked_for_again():
    reply = answer(build(), "When is the Leeds office open?", slots={"site": "Paris"})
    assert (reply.decision.outcome, reply.slot.is_invalid) == (Outcome.CLARIFY, True)


def test_a_slot_that_the_prompt_does_not_have_is_the_callers_mistake():
    here = build()
    with pytest.raises(InvalidRequest) as stopped:
        answer(here, "What are the opening hours?", slots={"city": "Leeds"})
    assert (stopped.value.code, stopped.value.param) == ("invalid_slot", "slots")
    assert here.model.prompts == []
