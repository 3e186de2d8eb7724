"""What was acknowledged is there, whatever dies, and a publish is there as a whole or not at all."""

import sqlite3
from pathlib import Path

from benchmarks.durable.failures import fail_each_statement
from benchmarks.durable.kills import kill_sqlite_writers
from benchmarks.durable.writes import Inspector, write
from store.database import migrate, open_database


def test_a_write_that_fails_at_any_statement_changes_nothing() -> None:
    found = fail_each_statement()
    assert found["statements"] > 10
    assert (found["changed_by_a_failed_write"], found["half_published"], found["chain_breaks"]) == (0, 0, 0)
    assert found["then_done"]


def test_a_killed_writer_loses_nothing_that_it_acknowledged() -> None:
    found = kill_sqlite_writers(5, seed=1)
    assert found["writes"] > 5
    assert (found["acknowledged_lost"], found["half_published"], found["chain_breaks"]) == (0, 0, 0)


def test_the_inspection_sees_what_it_looks_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    migrate(url)
    database = open_database(url)
    for number in (1, 2):
        write(database, number)
    inspector = Inspector()
    assert inspector.look(url, 3) == 2
    assert (inspector.found.lost, inspector.found.half, inspector.found.breaks) == (1, 0, 0)
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute("UPDATE prompts SET live_version = 1 WHERE key = 'it.prompt-0'")
        raw.execute("DROP TRIGGER audit_no_delete")
        raw.execute("DELETE FROM audit WHERE number = 4")
    raw.close()
    inspector = Inspector()
    inspector.look(url, 2)
    assert (inspector.found.lost, inspector.found.half, inspector.found.breaks) == (0, 1, 1)
    database.close()
