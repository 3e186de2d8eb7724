"""A draft answers as it would live, from a state that is made once, kept for a while and told of when it cannot be."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import anyio
import pytest

from gateway.changing.rehearsing import Candidates, Rehearsal, Rehearsing, TriedCandidates
from gateway.changing.servable import Servable
from gateway.changing.services import policy_problem
from gateway.limit_settings import LimitSettings
from gateway.limits import make_admission
from gateway.live import LiveState
from gateway.settings import Settings
from gateway.turn import Reply
from rails.fakes import InProcessSandbox
from store.changes.types import EditKind
from store.changes.viewing import ChangeViews
from store.errors import NotFound, Refused
from tests.building import ALARM, HOURS, POLICY, RESET, question
from tests.gateway.changing.gate_world import ADA, BOB, VERA, WAIT_S, GateWorld, until

DRILL = {"reply": {"mode": "verbatim", "answer": "Stay where you are."}}


@pytest.fixture
def rehearsing(gating: GateWorld) -> Iterator[Rehearsing]:
    candidates = TriedCandidates(
        Servable(Settings(), gating.services, gating.embedder, InProcessSandbox()), gating.trials
    )
    made = Rehearsing(
        gating.database,
        ChangeViews(gating.desk, gating.runs, policy_problem),
        candidates,
        gating.live,
        gating.model,
        admission=make_admission(LimitSettings(), model_places=4, model_waiting=4),
        settings=Settings(),
    )
    yield made
    made.close()


def settled(rehearsing: Rehearsing, change, actor=ADA) -> Rehearsal:
    return ended(rehearsing.of(actor, change.id))


def ended(found: Rehearsal) -> Rehearsal:
    assert found.making is not None
    found.making.result(WAIT_S)
    assert found.is_settled
    return found


def waited(rehearsing: Rehearsing, change) -> Rehearsal:
    return anyio.run(partial(rehearsing.settled, ADA, change.id, within_s=0.1))


@dataclass
class HeldCandidates:
    """Begins to make a state when it is told to."""

    inner: Candidates
    has_begun: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def state_of(self, *what: object) -> LiveState:
        self.has_begun.set()
        assert self.may_go_on.wait(WAIT_S)
        return self.inner.state_of(*what)


def answer(found: Rehearsal, text: str) -> Reply:
    assert found.pipeline is not None, found.problems
    return anyio.run(found.pipeline.answer, question(text))


def test_a_draft_answers_as_it_would_and_what_is_live_stays(gating: GateWorld, rehearsing: Rehearsing) -> None:
    change = gating.drafted(gating.edit("it.alarm", **DRILL))
    before = gating.actions()
    assert answer(settled(rehearsing, change), "The fire alarm rings").text == "Stay where you are."
    live = anyio.run(rehearsing.live.answer, question("The fire alarm rings"))
    assert live.text == "Leave the building by the stairs."
    assert gating.actions() == before, "it is only looked at"


def test_a_draft_of_rails_checks_with_them(gating: GateWorld, rehearsing: Rehearsing) -> None:
    stricter = {**POLICY, "input": [{"rail": "length", "max_chars": 5}, *POLICY["input"][1:]]}
    change = gating.drafted(gating.edit_of(EditKind.POLICY, "desk", stricter))
    assert answer(settled(rehearsing, change), "The fire alarm rings").decision.stopped_by == "length"


def test_what_cannot_be_served_is_told_and_tried_anew_with_the_next_question(
    gating: GateWorld, rehearsing: Rehearsing
) -> None:
    broken = {**POLICY, "input": [{"rail": "lenght"}]}
    change = gating.drafted(gating.edit_of(EditKind.POLICY, "desk", broken))
    found = settled(rehearsing, change)
    assert found.pipeline is None
    assert any("lenght" in line for line in rehearsing.told(ADA, change.id, found))
    assert rehearsing.of(ADA, change.id) is not found


def test_a_failure_that_nobody_foresaw_does_not_leave_anybody_waiting(
    gating: GateWorld, rehearsing: Rehearsing
) -> None:
    gating.trials.fault = ZeroDivisionError("a secret of the trial")
    found = settled(rehearsing, gating.drafted(gating.edit("it.alarm", **DRILL)))
    assert found.problems == ("it broke in a way that nobody foresaw; the log has the traceback.",)


def test_the_last_two_states_are_kept_and_one_content_is_made_once(gating: GateWorld, rehearsing: Rehearsing) -> None:
    changes = [gating.drafted(gating.edit("it.alarm", title=f"Title {number}")) for number in range(3)]
    first = settled(rehearsing, changes[0])
    assert rehearsing.of(ADA, changes[0].id) is first
    for change in changes[1:]:
        settled(rehearsing, change)
    assert len(gating.trials.tried) == 3
    assert settled(rehearsing, changes[2]) is rehearsing.of(ADA, changes[2].id)
    assert rehearsing.of(ADA, changes[0].id) is not first


def test_a_publish_beside_it_makes_another_state(gating: GateWorld, rehearsing: Rehearsing) -> None:
    change = gating.drafted(gating.edit("it.alarm", **DRILL))
    first = settled(rehearsing, change)
    gating.publish(RESET, HOURS, {**ALARM, "title": "Another title"})
    assert rehearsing.of(ADA, change.id) is not first


def test_who_waits_gets_how_far_it_is(gating: GateWorld, rehearsing: Rehearsing) -> None:
    change = gating.drafted(gating.edit("it.alarm", **DRILL))

    gating.trials.held = threading.Event()
    until(lambda: rehearsing.of(ADA, change.id).phase == "trying")
    found = waited(rehearsing, change)
    assert (found.is_settled, found.phase) == (False, "trying")
    gating.trials.held.set()
    until(lambda: found.is_settled)


def test_who_waits_for_what_is_made_no_more_gets_how_far_it_was(gating: GateWorld, rehearsing: Rehearsing) -> None:
    begun, other = (gating.drafted(gating.edit("it.alarm", title=f"Title {number}")) for number in range(2))
    gating.trials.held = threading.Event()
    until(lambda: rehearsing.of(ADA, begun.id).phase == "trying")
    found = rehearsing.of(ADA, other.id)
    assert found.making is not None
    assert found.making.cancel()  # as `close` does
    assert waited(rehearsing, other) is found
    assert not found.is_settled
    gating.trials.held.set()


def test_no_draft_that_is_being_made_is_dropped_for_others(gating: GateWorld, rehearsing: Rehearsing) -> None:
    changes = [gating.drafted(gating.edit("it.alarm", title=f"Title {number}")) for number in range(3)]
    gating.trials.held = threading.Event()
    states = [rehearsing.of(ADA, change.id) for change in changes]
    assert [rehearsing.of(ADA, change.id) for change in reversed(changes)] == states[::-1]
    gating.trials.held.set()
    for state in states:
        ended(state)
    assert [rehearsing.of(ADA, change.id) for change in changes[1:]] == states[1:], "the first was asked before them"
    assert len(gating.trials.tried) == 3


def test_what_is_made_when_the_gateway_ends_leaves_no_thread(gating: GateWorld, rehearsing: Rehearsing) -> None:
    held = rehearsing._candidates = HeldCandidates(rehearsing._candidates)
    found = rehearsing.of(ADA, gating.drafted(gating.edit("it.alarm", **DRILL)).id)
    assert held.has_begun.wait(WAIT_S)
    rehearsing.close()
    held.may_go_on.set()
    assert ended(found).pipeline is not None
    assert found.runner._worker is None


def test_who_neither_drafts_nor_approves_asks_no_draft(gating: GateWorld, rehearsing: Rehearsing) -> None:
    change = gating.drafted(gating.edit("it.alarm", **DRILL))
    assert settled(rehearsing, change, BOB).pipeline is not None
    with pytest.raises(Refused):
        rehearsing.of(VERA, change.id)
    with pytest.raises(NotFound):
        rehearsing.of(replace(ADA, assistants=frozenset({"shop"})), change.id)
