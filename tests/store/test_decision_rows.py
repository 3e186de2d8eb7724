"""Decisions in batches, with the words that are kept of them; found, expired and forgotten."""

import dataclasses
import datetime as dt
import threading

import pytest
from sqlalchemy import text
from store_content import AT
from test_database import DECISION, later

from store.content import KeepsText
from store.database import Database, migrate, open_database
from store.errors import Conflict, NotFound, StoreUnavailable
from store.repositories import decision_writer
from store.repositories.decision_filters import DecisionFilter
from store.repositories.decision_writer import DecisionWriter
from store.repositories.decisions import Decisions
from store.types import Outcome, Recorded, Words
from tests.migrated import migrate_new

WORDS = Words(KeepsText.FULL, "When is it open?\x00", "At \U0001f558.")
STOPPED = ({"name": "length", "status": "passed"}, {"name": "secrets", "status": "blocked"})


def stored(database: Database, *rows: Recorded) -> Decisions:
    writer = DecisionWriter(database)
    writer.add_all(rows)
    writer.close()
    return Decisions(database)


def test_a_batch_comes_back_with_its_words(database: Database) -> None:
    rows = [Recorded(later(number), WORDS if number % 2 else None) for number in range(5)]
    decisions = stored(database, *rows)
    found = decisions.recorded(limit=10)
    assert [row.decision for row in found] == [row.decision for row in reversed(rows)]
    assert [row.words is not None for row in found] == [False, True, False, True, False]
    words = decisions.words("id-1")
    assert words == Words(KeepsText.FULL, "When is it open?\ufffd", WORDS.answer)
    assert decisions.words("id-2") is None


def test_one_that_is_there_already_stays_as_it_is(database: Database) -> None:
    stored(database, Recorded(later(1), WORDS))
    decisions = stored(database, Recorded(later(1, prompt_tokens=99), None), Recorded(later(2)))
    assert decisions.get("id-1").prompt_tokens == 10
    assert decisions.words("id-1") is not None
    assert decisions.get("id-2").id == "id-2"


def test_a_batch_that_fails_is_not_there_at_all_and_the_next_one_is(database: Database) -> None:
    rename = "ALTER TABLE {} RENAME TO {}"
    writer = DecisionWriter(database)
    with database.writing() as session:
        session.execute(text(rename.format("decision_texts", "elsewhere")))
    with pytest.raises(StoreUnavailable):
        writer.add_all([Recorded(later(1), WORDS)])
    with pytest.raises(NotFound):
        Decisions(database).get("id-1")
    with database.writing() as session:
        session.execute(text(rename.format("elsewhere", "decision_texts")))
    writer.add_all([Recorded(later(1), WORDS)])
    assert Decisions(database).get("id-1").id == "id-1"
    writer.close()


def test_a_row_that_the_database_refuses_is_a_conflict_and_nothing_of_its_batch_is_there(database: Database) -> None:
    writer = DecisionWriter(database)
    with pytest.raises(Conflict):
        writer.add_all([Recorded(later(1), WORDS), Recorded(later(2, assistant=None))])
    assert Decisions(database).page(limit=1) == ()
    writer.add_all([Recorded(later(1))])
    writer.close()
    assert [one.id for one in Decisions(database).page(limit=2)] == ["id-1"]


def test_decisions_that_are_written_do_not_wait_for_the_disk(sqlite_database: Database) -> None:
    with sqlite_database.keeping() as kept:
        driver = kept.connection.driver_connection
        assert driver.execute("PRAGMA synchronous").fetchone() == (1,)
    with sqlite_database.writing() as session:
        again = session.connection().connection.driver_connection
        assert (again is driver, again.execute("PRAGMA synchronous").fetchone()) == (True, (2,))


def test_a_value_that_is_no_unicode_is_kept_as_it_is(sqlite_database: Database) -> None:
    slots = {"name": "\ud800 and \u00e9"}
    assert stored(sqlite_database, Recorded(later(1, slots=slots))).get("id-1").slots == slots


def test_a_locked_file_is_unavailable_and_then_written(sqlite_database: Database) -> None:
    writer = DecisionWriter(sqlite_database)
    writer.add_all([Recorded(later(0))])
    assert writer._connection is not None
    writer._connection.connection.driver_connection.execute("PRAGMA busy_timeout=50")
    with sqlite_database.writing() as session:
        session.execute(text("DELETE FROM decisions WHERE id = 'none'"))
        with pytest.raises(StoreUnavailable, match="locked"):
            writer.add_all([Recorded(later(1))])
    writer.add_all([Recorded(later(1))])
    writer.close()
    assert len(Decisions(sqlite_database).page(limit=10)) == 2


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (DecisionFilter(), [4, 3, 2, 1, 0]),
        (DecisionFilter(outcome=Outcome.NO_MATCH), [1]),
        (DecisionFilter(assistant="other"), [3]),
        (DecisionFilter(among=frozenset({"other", "third"})), [3]),
        (DecisionFilter(prompt="it.other"), [2]),
        (DecisionFilter(rail="secrets"), [4]),
        (DecisionFilter(conversation="c9"), [0]),
        (DecisionFilter(since=AT + dt.timedelta(seconds=1), until=AT + dt.timedelta(seconds=3)), [2, 1]),
        (DecisionFilter(assistant="desk", outcome=Outcome.ANSWERED, rail="none"), []),
    ],
)
def test_decisions_are_found_by_what_they_were(database: Database, wanted: DecisionFilter, found: list[int]) -> None:
    changes = (
        {"conversation": "c9"},
        {"outcome": Outcome.NO_MATCH},
        {"prompt_key": "it.other"},
        {"assistant": "other"},
        {"rails": STOPPED},
    )
    decisions = stored(database, *(Recorded(later(number, **change)) for number, change in enumerate(changes)))
    assert [one.id for one in decisions.page(wanted, limit=10)] == [f"id-{number}" for number in found]
    if len(found) > 1:
        first = decisions.page(wanted, limit=1)[0]
        rest = decisions.page(wanted, limit=10, before=(first.at, first.id))
        assert [one.id for one in rest] == [f"id-{number}" for number in found[1:]]


def test_old_ones_expire_in_batches_with_their_texts(database: Database) -> None:
    rows = [Recorded(later(n, assistant="desk" if n < 5 else "gone"), WORDS) for n in range(8)]
    decisions = stored(database, *rows)
    cutoff = AT + dt.timedelta(seconds=7)

    def expire(**which) -> int:
        with database.writing() as session:
            old = decisions.old(cutoff, **which, session=session)
            decisions.delete(old, session=session)
        return len(old)

    assert expire(limit=3, assistant="desk") == 3
    assert expire(limit=3, assistant="desk") == 2
    assert expire(limit=9, but=("desk",)) == 2
    assert [one.id for one in decisions.page(limit=10)] == ["id-7"]
    assert decisions.words("id-3") is None


def test_a_person_is_forgotten_and_their_decisions_still_count(database: Database) -> None:
    rows = [
        Recorded(later(1, person="p1", slots={"name": "Jo"}), WORDS),
        Recorded(later(2, person="p1", assistant="other"), WORDS),
        Recorded(later(3, person="p2"), WORDS),
    ]
    decisions = stored(database, *rows)
    with database.writing() as session:
        assert decisions.forget("p1", among=frozenset({"desk"}), session=session) == (1, 1)
    gone = decisions.get("id-1")
    assert (gone.person, gone.conversation, dict(gone.slots)) == (None, None, {})
    assert dataclasses.replace(gone, person="p1", conversation="c1", slots={"name": "Jo"}) == rows[0].decision
    assert decisions.words("id-1") is None
    assert decisions.words("id-2") is not None
    with database.writing() as session:
        assert decisions.forget("p1", session=session) == (1, 1)
        assert decisions.forget("p1", session=session) == (0, 0)
    assert len(decisions.page(limit=10)) == 3


def test_the_rail_that_stopped_an_older_decision_is_found_after_the_migration(url: str) -> None:
    from store.database import migrate_down  # noqa: PLC0415 -- the one test that goes back

    migrate_new(url)
    database = open_database(url)
    Decisions(database).add(dataclasses.replace(DECISION, rails=STOPPED))
    database.close()
    migrate_down(url, "0004")
    migrate(url)
    database = open_database(url)
    assert [one.id for one in Decisions(database).page(DecisionFilter(rail="secrets"), limit=5)] == [DECISION.id]
    database.close()


def test_the_journal_is_moved_into_the_file_by_a_thread_and_not_by_a_commit(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(decision_writer, "CHECKPOINT_COMMITS", 3)
    url = f"sqlite:///{tmp_path / 'canongate.db'}"
    migrate_new(url)
    database, moved = open_database(url), []
    checkpoint = database.checkpoint
    monkeypatch.setattr(database, "checkpoint", lambda: (checkpoint(), moved.append(threading.current_thread())))
    writer = DecisionWriter(database)
    for number in range(7):
        writer.add_all([Recorded(later(number))])
        if writer._checkpoint is not None:
            writer._checkpoint.join()
    pages = writer._connection.connection.driver_connection.execute("PRAGMA wal_autocheckpoint").fetchone()
    writer.close()
    with database.keeping() as again:
        assert again.connection.driver_connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    with database.reading() as session:
        usual = session.connection().connection.driver_connection.execute("PRAGMA wal_autocheckpoint").fetchone()
    database.close()
    assert (len(moved), threading.current_thread() in moved) == (2, False)
    assert (pages, usual) == ((0,), (1000,))


def test_a_commit_holds_where_no_thread_can_be_started_for_the_journal(sqlite_database: Database, monkeypatch) -> None:
    start, errors = threading.Thread.start, [RuntimeError("can't start new thread")]

    def start_later(thread: threading.Thread) -> None:
        if errors:
            raise errors.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_later)
    monkeypatch.setattr(decision_writer, "CHECKPOINT_COMMITS", 1)
    writer = DecisionWriter(sqlite_database)
    writer.add_all([Recorded(later(1))])
    assert writer._checkpoint is None
    writer.add_all([Recorded(later(2))])
    assert writer._checkpoint is not None, "the next commit tries again"
    writer.close()
    assert {row.decision.id for row in Decisions(sqlite_database).recorded(limit=10)} == {"id-1", "id-2"}
