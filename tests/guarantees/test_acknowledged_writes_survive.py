"""What was acknowledged is there, whatever dies, and a publish is there as a whole or not at all."""

import sqlite3
from pathlib import Path
from uuid import UUID, uuid4

from benchmarks.durable.failures import fail_each_statement
from benchmarks.durable.kills import kill_sqlite_writers
from benchmarks.durable.writes import Found, Inspector, Writer
from store.database import migrate, open_database


def test_a_write_that_fails_at_any_statement_changes_nothing() -> None:
    found = fail_each_statement()
    assert found["statements"] > 10
    assert (found["changed_by_a_failed_write"], found["half_published"], found["chain_breaks"]) == (0, 0, 0)
    assert found["then_done"]


def test_a_killed_writer_loses_nothing_that_it_acknowledged() -> None:
    found = kill_sqlite_writers(5, seed=1)
    assert found["publishes"] > 0  # how many a writer gets to before it is killed is the machine's speed
    assert (found["acknowledged_lost"], found["half_published"], found["chain_breaks"]) == (0, 0, 0)


def test_the_inspection_sees_what_it_looks_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    migrate(url)
    database, acknowledged = open_database(url), dict[UUID, int]()
    writer = Writer(database)
    for number in (1, 2):
        writer.write(number, acknowledged.__setitem__)
    first, second = acknowledged
    inspector = Inspector()
    assert inspector.look(url, {first: 4, second: 4, uuid4(): 1}) == 2
    assert inspector.found == Found(lost=1)
    assert inspector.look(url, {second: 3}) == 2
    assert inspector.found == Found(lost=1, ahead=1)
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute("UPDATE prompts SET live_version = 1 WHERE key = 'it.prompt-0'")
        raw.execute("DROP TRIGGER audit_no_delete")
        raw.execute("DELETE FROM audit WHERE number = 4")
    raw.close()
    inspector = Inspector()
    inspector.look(url, acknowledged)
    assert inspector.found == Found(half=1, breaks=1)
    database.close()
