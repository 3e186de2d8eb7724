"""The gate runs beside serving, once for a content, and whatever breaks it is no evidence."""

import datetime as dt
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from gateway.changing import gate as module
from gateway.changing.gate import ChangeGate
from store.changes.evidence import LOST_AFTER, RunState
from store.database import open_database
from store.errors import Conflict, NotFound, Refused, StoreUnavailable
from store.tables import DecisionRow, QuestionRow
from tests.building import ALARM, HOURS, RESET
from tests.gateway.changing.gate_world import ADA, BOB, SUITE, VERA, GateWorld, until
from tests.migrated import migrate_new


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gate.db'}"
    return str(request.getfixturevalue("postgres_server")())


@pytest.fixture
def gating(url: str) -> Iterator[GateWorld]:
    migrate_new(url)
    database = open_database(url)
    made = GateWorld(database)
    yield made
    made.gate.close()
    database.close()


def test_a_change_that_makes_nothing_worse_passes_and_can_be_approved(gating):
    change = gating.approved()
    run = gating.runs.newest(change.id, change.content_hash)
    assert (run.state, run.live_revision, run.result.problems) == (RunState.PASSED, 1, ())
    (suite,) = run.result.suites
    assert (suite.name, suite.cases, suite.right, suite.right_before) == ("small", 4, 4, 4)
    assert [one for one in gating.actions() if one.startswith("gate.")] == ["gate.started", "gate.passed"]


def test_nothing_of_a_run_is_recorded_as_a_decision(gating):
    gating.tried()
    with gating.database.reading() as session:
        for row in (DecisionRow, QuestionRow):
            assert session.scalar(select(func.count()).select_from(row)) == 0
    assert gating.model.prompts == [], "no case is about the words of an answer"


def test_two_starts_for_the_same_content_are_one_run(gating):
    gating.trials.held = threading.Event()
    change = gating.drafted()
    first = gating.gate.start(ADA, change.id, rev=change.rev)
    second = gating.gate.start(BOB, change.id, rev=change.rev)
    gating.trials.held.set()
    assert second.id == first.id
    assert gating.ended(first).state is RunState.PASSED


def test_a_run_that_breaks_is_broken_and_blocks_approval(gating):
    gating.trials.fault = RuntimeError("told to break")
    change = gating.submitted()
    run = gating.run(change)
    assert (run.state, run.result) == (RunState.BROKEN, None)
    with pytest.raises(Conflict, match="broken"):
        gating.reviews.approve(BOB, change.id, rev=change.rev)
    assert gating.actions()[-1] == "gate.broken"


def test_the_run_after_a_broken_one_is_another(gating):
    gating.trials.fault = RuntimeError("told to break")
    change = gating.submitted()
    gating.run(change)
    gating.trials.fault = None
    assert gating.run(change).state is RunState.PASSED


def test_a_run_over_an_older_live_revision_does_not_count_and_is_begun_anew(gating):
    change = gating.submitted()
    gating.run(change)
    gating.publish(suites={"small": SUITE | {"title": "Other"}})
    with pytest.raises(Conflict, match="revision 1, and revision 2 is live"):
        gating.reviews.approve(BOB, change.id, rev=change.rev)
    assert gating.run(change).live_revision == 2
    assert gating.reviews.approve(BOB, change.id, rev=change.rev).is_approved


def test_a_run_whose_live_revision_moved_on_is_replaced_and_never_passes(gating):
    gating.trials.held = threading.Event()
    change = gating.drafted()
    first = gating.gate.start(ADA, change.id, rev=change.rev)
    gating.publish(suites={"small": SUITE | {"title": "Other"}})
    second = gating.gate.start(ADA, change.id, rev=change.rev)
    gating.trials.held.set()
    assert second.id != first.id
    assert gating.ended(second).live_revision == 2
    assert gating.runs.get(first.id).state is RunState.BROKEN


def test_evidence_of_other_content_never_counts(gating):
    change = gating.submitted()
    gating.run(change)
    change = gating.changes.add_edit(
        ADA, change.id, gating.edit("it.mail", phrasings=["Where is mail"]), rev=change.rev
    )
    change = gating.reviews.submit(ADA, change.id, rev=change.rev)
    with pytest.raises(Conflict, match="has not run"):
        gating.reviews.approve(BOB, change.id, rev=change.rev)


def test_only_who_drafts_or_approves_there_starts_a_run_of_the_state_that_was_read(gating):
    change = gating.drafted()
    with pytest.raises(Refused):
        gating.gate.start(VERA, change.id, rev=change.rev)
    with pytest.raises(Conflict, match="meanwhile"):
        gating.gate.start(ADA, change.id, rev=change.rev - 1)
    with pytest.raises(NotFound):
        gating.gate.start(ADA, uuid4(), rev=1)
    empty = gating.changes.create(ADA, "nothing")
    with pytest.raises(Conflict, match="nothing in this change"):
        gating.gate.start(ADA, empty.id, rev=empty.rev)


def test_what_was_drafted_from_moved_content_is_not_tried(gating):
    change = gating.drafted()
    gating.publish({**RESET, "title": "Moved"}, HOURS, ALARM)
    with pytest.raises(Conflict, match="moved"):
        gating.gate.start(ADA, change.id, rev=change.rev)


def test_runs_of_a_process_that_died_are_broken_and_others_go_on(gating):
    gating.trials.held = threading.Event()
    change = gating.drafted()
    run = gating.gate.start(ADA, change.id, rev=change.rev)
    restarted = ChangeGate(gating.desk, gating.runs, gating.prover, gating.live)
    assert restarted.break_lost() == 0, "it said a moment ago that it goes on"
    gating.moment += LOST_AFTER
    assert restarted.break_lost() == 1
    assert gating.runs.get(run.id).state is RunState.BROKEN
    gating.trials.held.set()
    gating.gate._queue.put(None)
    gating.gate._worker.join(30)
    assert gating.runs.get(run.id).state is RunState.BROKEN, "what ended stays as it ended"


def test_a_gate_that_closes_breaks_what_it_leaves(gating, monkeypatch):
    monkeypatch.setattr(module, "CLOSE_S", 0.05)
    gating.trials.held = threading.Event()
    running, waiting = gating.drafted(), gating.drafted(gating.edit("it.hours", title="Other"))
    runs = [gating.gate.start(ADA, one.id, rev=one.rev) for one in (running, waiting)]
    gating.gate.close()
    gating.trials.held.set()
    assert [gating.runs.get(run.id).state for run in runs] == [RunState.BROKEN] * 2
    with pytest.raises(Conflict, match="shutting down"):
        gating.gate.start(ADA, running.id, rev=running.rev)


def test_progress_is_told_and_gives_signs_of_life(gating, monkeypatch):
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    gating.trials.held = threading.Event()
    change = gating.drafted()
    run = gating.gate.start(ADA, change.id, rev=change.rev)
    later = gating.moment + dt.timedelta(minutes=1)
    gating.moment = later
    until(lambda: gating.runs.get(run.id).beat_at == later)
    until(lambda: gating.runs.get(run.id).phase == "trying")
    gating.trials.held.set()
    assert gating.ended(run).state is RunState.PASSED


def test_a_result_that_the_database_does_not_take_is_no_evidence(gating, monkeypatch, caplog):
    change = gating.drafted()

    def away(*_, **__):
        raise StoreUnavailable("told to be down")

    monkeypatch.setattr(gating.runs, "finish", away)
    run = gating.gate.start(ADA, change.id, rev=change.rev)
    gating.gate._queue.put(None)
    gating.gate._worker.join(30)
    assert gating.runs.get(run.id).state is RunState.RUNNING
    assert "gate_result_not_kept" in caplog.text
    monkeypatch.undo()
    gating.moment += LOST_AFTER
    gating.gate.break_lost()
    assert gating.runs.get(run.id).state is RunState.BROKEN
