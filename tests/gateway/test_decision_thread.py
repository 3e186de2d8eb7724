"""The thread that writes decisions: it survives errors, ends without work, and at the end leaves nothing untold."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from gateway import batch_thread
from gateway.decisions import DecisionLog
from gateway.errors import NotServing
from store.errors import StoreUnavailable
from tests.building import MemoryDecisions
from tests.gateway.recorded import Held, ids, record


@pytest.fixture
def store():
    return MemoryDecisions()


def wait_until(is_so) -> None:
    until = time.monotonic() + 60
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)
    assert is_so()


def test_an_error_that_nobody_foresaw_while_what_waits_is_stored_ends_nothing(store, monkeypatch):
    monkeypatch.setattr(batch_thread, "AGAIN_S", 0.01)
    errors = [StoreUnavailable("away"), ZeroDivisionError()]

    class Broken(MemoryDecisions):
        def add_all(self, rows):
            if errors:
                raise errors.pop(0)
            store.add_all(rows)

    log = DecisionLog(Broken())
    record(log, 1)
    wait_until(lambda: not errors)
    record(log, 2)
    assert (ids(store), errors) == (["id-1", "id-2"], [])


def test_a_thread_that_cannot_be_started_costs_one_answer_and_no_decision(store, monkeypatch):
    start, errors = threading.Thread.start, [RuntimeError("can't start new thread")]

    def start_later(thread):
        if errors:
            raise errors.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_later)
    log = DecisionLog(store)
    with pytest.raises(RuntimeError, match="new thread"):
        record(log, 1)
    record(log, 2)
    assert ids(store) == ["id-1", "id-2"]


def test_what_waits_at_the_end_is_stored_before_all_closes(store):
    log = DecisionLog(store)
    store.is_down = True
    record(log, 1)
    store.is_down = False
    with capture_logs() as lines:
        log.close(within_s=60)
    assert (ids(store), log.waiting, lines) == (["id-1"], 0, [])


def test_what_is_being_written_at_the_end_is_waited_for():
    store = Held()
    log = DecisionLog(store, within_s=0.01)
    with pytest.raises(NotServing):
        record(log, 1)
    threading.Timer(0.2, store.go.set).start()
    log.close(within_s=60)
    assert ids(store) == ["id-1"]


def test_what_the_database_did_not_take_until_the_end_is_told(store):
    log = DecisionLog(store)
    store.is_down = True
    record(log, 1, 2)
    with capture_logs() as lines:
        log.close(within_s=0.01)
    (line,) = lines
    assert (line["event"], line["log_level"], line["count"], line["ids"]) == (
        "decisions_lost",
        "critical",
        2,
        ["id-1", "id-2"],
    )


def test_what_the_database_still_had_in_hand_at_the_end_is_told_by_id():
    store = Held()
    log = DecisionLog(store, within_s=0.01)
    for number in (1, 2):
        with pytest.raises(NotServing):
            record(log, number)
    with capture_logs() as lines:
        log.close(within_s=0.01)
    store.go.set()
    (line,) = lines
    assert (line["event"], line["count"], line["ids"], line["unanswered"]) == (
        "decisions_lost",
        2,
        [],
        ["id-1", "id-2"],
    )


def test_a_thread_without_work_ends_and_another_takes_over(store, monkeypatch):
    monkeypatch.setattr(batch_thread, "IDLE_S", 0.01)
    monkeypatch.setattr(batch_thread, "AGAIN_S", 0.01)
    log = DecisionLog(store)
    for number in range(5):
        record(log, number)
        wait_until(lambda: not log._writer._is_running)
    assert len(ids(store)) == 5


def test_what_waits_is_stored_as_soon_as_the_database_is_back_without_another_message(store, monkeypatch):
    monkeypatch.setattr(batch_thread, "AGAIN_S", 0.01)
    log = DecisionLog(store)
    store.is_down = True
    record(log, 1)
    store.is_down = False
    wait_until(lambda: not log.waiting)
    assert (ids(store), log.waiting) == (["id-1"], 0)
