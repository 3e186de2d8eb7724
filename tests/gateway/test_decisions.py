"""Decisions: none is lost while the database is away, their order is kept, and without a place for them all stops."""

import datetime as dt
import json
from dataclasses import dataclass, field

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from gateway import decisions as module
from gateway.decisions import DecisionLog
from gateway.errors import NotServing
from store.errors import Conflict, StoreUnavailable
from store.types import Decision, Outcome
from tests.building import MemoryDecisions


def decision(number: int = 1, **changes) -> Decision:
    fields = {
        "id": f"id-{number}",
        "at": dt.datetime(2026, 11, 25, 9, 0, number % 60, tzinfo=dt.UTC),
        "assistant": "desk",
        "principal": "caller01",
        "conversation": "talk",
        "outcome": Outcome.ANSWERED,
        "source": "generate",
        "message_chars": 20,
        "prompt_key": f"it.number-{number}",
        "prompt_version": 1,
        "prompt_sha256": "a" * 64,
        "slots": {"site": "Leeds"},
        "needs_slot": None,
        "has_quoted_text": False,
        "score": 1.0,
        "margin": None,
        "method": "exact",
        "gate": "exact_phrase",
        "rails": ({"name": "length", "status": "passed"}, {"name": "secrets", "status": "blocked"}),
        "timings_ms": {"total": 1.0},
        "store_revision": 1,
        "matcher": None,
        "policy": "desk",
        "policy_revision": 3,
        "model_sha256": None,
        "sent_sha256": None,
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }
    return Decision(**(fields | changes))


@pytest.fixture(autouse=True)
def _plain_logging():
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def store():
    return MemoryDecisions()


def record(log: DecisionLog, *numbers: int) -> None:
    for number in numbers:
        anyio.run(log.record, decision(number))


def ids(store: MemoryDecisions) -> list[str]:
    return [row.id for row in store.rows]


def test_a_decision_is_stored_when_recording_returns(store):
    log = DecisionLog(store)
    record(log, 1)
    assert (ids(store), log.waiting) == (["id-1"], 0)


def test_while_the_database_is_away_decisions_wait_and_then_come_in_order(store):
    log = DecisionLog(store)
    record(log, 1)
    store.is_down = True
    with capture_logs() as lines:
        record(log, 2, 3)
    assert (ids(store), log.waiting) == (["id-1"], 2)
    assert [line["waiting"] for line in lines if line["event"] == "decisions_waiting"] == [1, 2]
    store.is_down = False
    record(log, 4)
    assert (ids(store), log.waiting) == (["id-1", "id-2", "id-3", "id-4"], 0)


def test_a_database_that_fails_half_way_neither_loses_nor_doubles_one(store):
    log = DecisionLog(store)
    store.is_down = True
    record(log, 1, 2, 3)

    class OneMore(MemoryDecisions):
        def add(self, row):
            super().add(row)
            self.is_down = len(self.rows) == 2

    log._store = half = OneMore()
    record(log, 4)
    assert (ids(half), log.waiting) == (["id-1", "id-2"], 2)
    half.is_down = False
    record(log, 5)
    assert ids(half) == ["id-1", "id-2", "id-3", "id-4", "id-5"]


def test_one_that_arrived_although_the_database_could_not_say_so_does_not_stop_the_rest():
    @dataclass
    class Unconfirmed(MemoryDecisions):
        lost: list[str] = field(default_factory=lambda: ["id-1"])

        def add(self, row):
            if row.id in ids(self):
                raise Conflict("there is such a row")
            super().add(row)
            if row.id in self.lost:
                raise StoreUnavailable("the connection was lost after the commit")

    store = Unconfirmed()
    log = DecisionLog(store)
    record(log, 1)
    assert log.waiting == 1
    record(log, 2, 3)
    assert (ids(store), log.waiting) == (["id-1", "id-2", "id-3"], 0)


def test_when_no_more_can_wait_nothing_is_answered_and_nothing_is_lost(store, monkeypatch):
    monkeypatch.setattr(module, "BUFFERED", 3)
    log = DecisionLog(store)
    store.is_down = True
    record(log, 1, 2, 3)
    for number in (4, 5):
        with pytest.raises(NotServing) as stopped:
            record(log, number)
        assert stopped.value.code == "store_unavailable"
        assert log.waiting == 3
    store.is_down = False
    record(log, 6)
    assert (ids(store), log.waiting) == (["id-1", "id-2", "id-3", "id-6"], 0)


def test_decisions_recorded_at_once_are_all_stored(store):
    log = DecisionLog(store)

    async def all_at_once():
        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(log.record, decision(number))

    anyio.run(all_at_once)
    assert sorted(ids(store)) == sorted(f"id-{number}" for number in range(30))


def test_the_decision_before_this_one_is_the_newest_of_the_conversation(store):
    log = DecisionLog(store)
    record(log, 1, 2)
    assert log.previous("talk", "caller01", "desk").id == "id-2"
    assert log.previous("other", "caller01", "desk") is None
    assert log.previous("talk", "someone else", "desk") is None
    assert log.previous("talk", "caller01", "another assistant") is None


def test_a_waiting_decision_counts_as_the_one_before(store):
    log = DecisionLog(store)
    record(log, 1)
    store.is_down = True
    record(log, 2, 3)
    anyio.run(log.record, decision(9, conversation="other"))
    assert log.previous("talk", "caller01", "desk").id == "id-3"
    assert log.previous("other", "caller01", "desk").id == "id-9"


def test_one_log_line_carries_ids_and_numbers_and_no_words(store):
    with capture_logs() as lines:
        anyio.run(lambda: DecisionLog(store).record(decision(1), error="ModelBusy"))
    (line,) = lines
    assert (line["event"], line["id"], line["prompt"], line["error"]) == (
        "decision",
        "id-1",
        "it.number-1",
        "ModelBusy",
    )
    assert line["stopped_by"] == "secrets"
    assert "Leeds" not in json.dumps(line)
    passed = decision(2, rails=({"name": "length", "status": "passed"},))
    with capture_logs() as lines:
        anyio.run(DecisionLog(store).record, passed)
    assert lines[0]["stopped_by"] is None
