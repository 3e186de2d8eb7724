"""Decisions: none is lost while the database is away, their order is kept, and without a place for them all stops."""

import json
import threading
from dataclasses import dataclass, field

import anyio
import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from gateway import decisions as module
from gateway.decisions import DecisionLog, Said
from gateway.errors import NotServing
from gateway.privacy import UNLINKED, Privacy
from rails.redaction import redact
from store.content import KeepsText
from store.errors import Conflict, StoreUnavailable
from tests.building import MemoryDecisions
from tests.gateway.recorded import Held, decision, ids, record


@pytest.fixture(autouse=True)
def _plain_logging():
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def store():
    return MemoryDecisions()


def together(log: DecisionLog, *numbers: int) -> None:
    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for number in numbers:
                group.start_soon(log.record, decision(number))

    anyio.run(all_at_once)


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


def test_one_that_arrived_although_the_database_could_not_say_so_is_neither_lost_nor_doubled():
    @dataclass
    class Unconfirmed(MemoryDecisions):
        lost: list[str] = field(default_factory=lambda: ["id-1"])

        def add_all(self, rows):
            super().add_all(rows)
            if {row.decision.id for row in rows} & set(self.lost):
                self.lost.clear()
                raise StoreUnavailable("the connection was lost after the commit")

    store = Unconfirmed()
    log = DecisionLog(store)
    record(log, 1)
    assert log.waiting == 1
    record(log, 2, 3)
    assert (ids(store), log.waiting) == (["id-1", "id-2", "id-3"], 0)


def test_one_that_the_database_refuses_does_not_stop_the_rest():
    class Picky(MemoryDecisions):
        def add_all(self, rows):
            if any(row.decision.id == "id-2" for row in rows):
                raise Conflict("a constraint of the table")
            super().add_all(rows)

    store = Picky()
    log = DecisionLog(store)
    with capture_logs() as lines:
        together(log, 1, 2, 3)
    assert (sorted(ids(store)), log.waiting) == (["id-1", "id-3"], 0)
    assert [line["id"] for line in lines if line["event"] == "decision_refused"] == ["id-2"]


def test_what_comes_while_the_writer_is_busy_is_one_transaction():
    held = threading.Event()

    class Slow(MemoryDecisions):
        def add_all(self, rows):
            held.wait(5)
            batches.append(len(rows))
            super().add_all(rows)

    batches: list[int] = []
    log = DecisionLog(Slow())

    async def all_at_once():
        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(log.record, decision(number))
            await anyio.sleep(0.05)
            held.set()

    anyio.run(all_at_once)
    assert sum(batches) == 30
    assert len(batches) <= 3


def test_an_error_that_nobody_foresaw_is_told_to_whoever_waits_and_the_next_one_is_recorded(store):
    class Broken(MemoryDecisions):
        def add_all(self, rows):
            raise ZeroDivisionError

    log = DecisionLog(Broken())
    with pytest.raises(ZeroDivisionError):
        record(log, 1)
    log._store = store
    record(log, 2)
    assert ids(store) == ["id-2"]


def test_a_text_that_breaks_what_masks_it_takes_no_other_decision_with_it(store):
    def breaks(text):
        if "boom" in text:
            raise ZeroDivisionError
        return redact(text)

    held = threading.Event()

    class Slow(MemoryDecisions):
        def add_all(self, rows):
            held.wait(5)
            store.add_all(rows)

    log = DecisionLog(Slow(), Privacy(b"p" * 32, breaks))
    failed = []

    async def tell(number, message):
        try:
            await log.record(decision(number), Said(message, "Yes.", KeepsText.REDACTED, None))
        except ZeroDivisionError:
            failed.append(number)

    async def all_at_once():
        async with anyio.create_task_group() as group:
            for number, message in enumerate(["first", "second", "boom", "third"]):
                group.start_soon(tell, number, message)
            await anyio.sleep(0.05)
            held.set()

    anyio.run(all_at_once)
    assert (sorted(ids(store)), failed) == (["id-0", "id-1", "id-3"], [2])


def test_whoever_leaves_is_recorded_all_the_same():
    store = Held()
    log = DecisionLog(store)

    async def leave():
        with anyio.move_on_after(0.05):
            await log.record(decision(1))
        store.go.set()
        await log.record(decision(2))

    anyio.run(leave)
    assert ids(store) == ["id-1", "id-2"]


class TestPrivacy:
    """What is kept of words and people."""

    privacy = Privacy(b"p" * 32, redact)

    def recorded(self, store, keeps, message="My card is 4111 1111 1111 1111.", **changes):
        said = Said(message, "Write to jo.miller@post.example.", keeps, changes.pop("user", None))
        log = DecisionLog(store, changes.pop("privacy", self.privacy))
        anyio.run(log.record, decision(1), said)
        return store.words["id-1"]

    def test_nothing_is_kept_unless_the_assistant_says_so(self, store):
        assert self.recorded(store, KeepsText.OFF) is None

    def test_redacted_words_have_no_personal_data(self, store):
        words = self.recorded(store, KeepsText.REDACTED)
        assert (words.message, words.answer) == ("My card is [card].", "Write to [email].")

    def test_full_words_are_kept_as_they_were(self, store):
        assert "4111" in self.recorded(store, KeepsText.FULL).message

    def test_what_cannot_be_redacted_is_not_kept(self, store):
        def broken(_):
            raise ValueError("no")

        assert self.recorded(store, KeepsText.REDACTED, privacy=Privacy(b"p" * 32, broken)) is None
        store.rows.clear()
        assert self.recorded(store, KeepsText.REDACTED, message="My card is 4111\u202e 1111 1111 1111.") is None

    def context(self, page):
        """Returns what is kept of a page's own JSON beside a message."""
        words = self.privacy.words_blocking(KeepsText.REDACTED, "Hello", "", msgspec.json.encode(page).decode())
        assert words.message == "Hello"
        return words.context

    def test_a_page_is_redacted_as_it_reads_and_not_as_json_writes_it(self):
        page = {"note": "Card:\n4111 1111 1111 1111", "list": [{"jo.miller@post.example": 'a\t219-09-8765"'}, "", 7]}
        assert msgspec.json.decode(self.context(page)) == {
            "note": "Card:\n[card]",
            "list": [{"[email]": 'a [ssn]"'}, "", 7],
        }

    def test_numbers_and_words_in_the_keys_of_a_page_count_too(self):
        told = self.context({"phone": "94727916", "card": 4111111111111111})
        assert "94727916" not in told
        assert "4111" not in told

    @pytest.mark.parametrize("page", [{"a": "\ufdfa" * 300}, {"a": "b\u202ec"}, {"\u202e": "c"}])
    def test_a_page_without_a_canonical_form_is_left_out_and_the_words_are_kept(self, page):
        assert self.context(page) == ""

    def test_a_page_nested_too_deep_is_left_out_and_the_words_are_kept(self):
        words = self.privacy.words_blocking(KeepsText.REDACTED, "Hello", "", "[" * 5000 + "]" * 5000)
        assert (words.message, words.context) == ("Hello", "")

    def test_a_person_is_a_pseudonym_that_depends_on_the_pepper(self, store):
        self.recorded(store, KeepsText.OFF, user="jo@a.example")
        (row,) = store.rows
        assert row.person == self.privacy.pseudonym("jo@a.example")
        assert "jo" not in row.person
        assert row.person != Privacy(b"q" * 32, redact).pseudonym("jo@a.example")
        assert UNLINKED.pseudonym("jo@a.example") is None


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
    passed = decision(2, rails=({"name": "length", "stage": "input", "status": "passed", "duration_ms": 0.1},))
    with capture_logs() as lines:
        anyio.run(DecisionLog(store).record, passed)
    assert lines[0]["stopped_by"] is None
