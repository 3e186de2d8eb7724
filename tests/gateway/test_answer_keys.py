"""What makes two questions one: every value that the words of an answer, or its checks, rest on."""

from dataclasses import replace

import pytest

from gateway.answer_keys import answer_key
from gateway.credentials import Principal
from gateway.limits import Deadline
from gateway.model_use import WeightsUsed
from gateway.turn import Question
from models.ports import PartKind, PromptPart, Sampling
from rails.engine import compile_policy
from rails.policy import load_policy
from store.matches import SlotValue
from tests.building import ASSISTANT, CALLER, HOURS, POLICY, RESET, SUMMARY, build_state
from tests.gateway.kept_turns import CACHED, SENT, WEIGHTS, key_of, turn_for
from tests.world import PATIENT


@pytest.fixture(scope="module")
def state():
    return build_state(CACHED)


def changed_states():
    def reply(**changes):
        return {**CACHED, "reply": {**CACHED["reply"], **changes}}

    yield "prompt", build_state(reply(prompt="Say how to reset it."))
    yield "facts", build_state(reply(facts="The link is valid for 20 minutes."))
    yield "fallback", build_state(reply(fallback="Ask the desk."))
    yield "lifetime", build_state(reply(cache="2h"))
    yield "stop texts", build_state(reply(sampling={"stop": ["\n"]}))
    yield "grammar", build_state(reply(sampling={"grammar": 'root ::= "yes"'}))
    yield "sampling", build_state(reply(sampling={"max_tokens": 40}))
    yield "instructions", build_state(CACHED, assistant={"instructions": "Be brief."})
    yield "assistant", build_state(CACHED, assistant={"name": "other"})
    yield "languages", build_state(CACHED, assistant={"languages": ["en", "de"]})
    yield "policy revision", build_state(CACHED, policy=compile_policy(load_policy(POLICY), 4, runner=PATIENT))


@pytest.mark.parametrize("changed", [pytest.param(state, id=name) for name, state in changed_states()])
def test_what_is_published_decides_the_key(state, changed):
    assert key_of(changed).digest != key_of(state).digest
    assert key_of(changed).origin != key_of(state).origin


SLOT = SlotValue(build_state(HOURS).catalog.prompts["it.hours"].content.slots[0], "Leeds", "Leeds opens at 07:30.")


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "f" * 64},
        {"adapter": "f" * 64},
        {"adapter": "f" * 64 + "*0.5"},
        {"sampling": Sampling(max_tokens=79)},
        {"sampling": Sampling(top_p=0.5)},
        {"sampling": Sampling(seed=1)},
        {"sampling": Sampling(temperature=0.5, seed=1)},
        {"sampling": Sampling(stop=("\n",))},
        {"sampling": Sampling(grammar='root ::= "yes"')},
        {"values": (SLOT,)},
        {"values": (replace(SLOT, text="Lisbon"),)},
        {"values": (replace(SLOT, fact="Leeds opens at 08:00."),)},
        {"sent": replace(SENT, instructions=())},
        {"sent": replace(SENT, question=(PromptPart("Explain the reset.", PartKind.SLOT),))},
        {"sent": replace(SENT, question=(*SENT.question, PromptPart("", PartKind.APPROVED)))},
    ],
    ids=str,
)
def test_each_part_of_a_question_decides_the_key(state, change):
    assert key_of(state, **change) not in (None, key_of(state))


def test_keys_do_not_run_together(state):
    parts = [("ab", "c"), ("a", "bc"), ("abc", ""), ('a","', "bc")]
    keys = {
        key_of(state, sent=replace(SENT, question=tuple(PromptPart(text, PartKind.APPROVED) for text in texts))).digest
        for texts in parts
    }
    assert len(keys) == len(parts)


@pytest.mark.parametrize(
    "key",
    [
        lambda _: key_of(build_state(RESET)),
        lambda state: key_of(state, prompt="it.none"),
        lambda _: key_of(build_state(SUMMARY), prompt="it.summary"),
        lambda state: key_of(state, sent=replace(SENT, question=(PromptPart("> hello", PartKind.QUOTED),))),
        lambda state: key_of(state, sampling=Sampling(temperature=0.7)),
        lambda state: key_of(state, weights=""),
        lambda state: key_of(state, sent=replace(SENT, question=(PromptPart("half \ud800", PartKind.SLOT),))),
    ],
    ids=["off", "no prompt", "quoting prompt", "quoted text", "not repeatable", "no weights", "not text"],
)
def test_what_may_not_be_kept_has_no_key(state, key):
    assert key(state) is None


def test_assistants_that_differ_in_nothing_but_their_name_share_no_answer():
    keys = {key_of(build_state(CACHED, assistant={"name": name})).digest for name in ("desk", "desk2", "desk-2")}
    assert len(keys) == 3


def test_who_asks_does_not_matter_for_the_key(state):
    other = Principal("other", "other", frozenset(), frozenset(), 10)
    mine, theirs = turn_for(state), turn_for(state)
    theirs.question = Question(
        text="another wording", assistant=ASSISTANT["name"], principal=other, deadline=Deadline.after(1)
    )
    assert mine.question.principal == CALLER
    keys = {answer_key(turn, SENT, Sampling(), WeightsUsed(WEIGHTS)).digest for turn in (mine, theirs)}
    assert len(keys) == 1
