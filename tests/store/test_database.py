import dataclasses
import datetime as dt
import json
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, text
from store_content import AT, assistant

from store import database as module
from store import engines
from store.content import Tolerance
from store.database import migrate, migrate_down, open_database
from store.errors import Conflict, NotFound, StoreUnavailable
from store.plain import to_plain
from store.repositories.assistants import Assistants
from store.repositories.decisions import Decisions
from store.repositories.keys import Keys
from store.tables import Base
from store.types import ApiKey, Decision, KeyScope, Outcome

ROOT = Path(__file__).parents[2]
DECISION = Decision(
    id="0190-a",
    at=AT,
    assistant="desk",
    principal="key:1",
    conversation="c1",
    outcome=Outcome.ANSWERED,
    source="generate",
    message_chars=12,
    prompt_key="it.vpn",
    prompt_version=1,
    prompt_sha256="ab" * 32,
    slots={"site": "Gdańsk"},
    needs_slot=None,
    has_quoted_text=False,
    score=0.1 + 0.2,
    margin=None,
    method="similar",
    gate="accepted",
    rails=({"name": "length", "stage": "input", "status": "passed", "duration_ms": 0.1},),
    timings_ms={"total": 1.5},
    store_revision=3,
    matcher="ab" * 32,
    policy="plain",
    policy_revision=2,
    model_sha256=None,
    sent_sha256=None,
    prompt_tokens=10,
    completion_tokens=0,
)
KEY = ApiKey(
    id="a1",
    name="site",
    secret_hash=b"\x00\xff",
    scopes=(KeyScope.CHAT, KeyScope.DEBUG),
    assistants=("desk",),
    created_at=AT,
    expires_at=None,
    revoked_at=None,
    client="site",
)


def later(seconds, **changes):
    return dataclasses.replace(DECISION, at=AT + dt.timedelta(seconds=seconds), id=f"id-{seconds}", **changes)


def connect(url):
    driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
    return sqlalchemy.create_engine(sqlalchemy.make_url(url).set(drivername=driver), poolclass=NullPool).connect()


def tables(url):
    with connect(url) as connection:
        return set(sqlalchemy.inspect(connection).get_table_names())


def test_the_schema_goes_up_and_down_and_up_again(url):
    migrate(url)
    migrate(url)
    assert tables(url) >= set(Base.metadata.tables)
    migrate_down(url)
    assert tables(url) == {"alembic_version"}
    migrate(url)
    assert tables(url) >= set(Base.metadata.tables)


def test_the_migrations_make_exactly_the_tables_of_the_code(url):
    """But for what the newest migration names as unused, which the next one may drop (docs/adr/0056)."""
    migrate(url)
    with connect(url) as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    newest = next(ScriptDirectory.from_config(module._config()).walk_revisions()).module
    unused = set(getattr(newest, "unused", ()))
    assert [one for one in found if left_behind(one) not in unused] == []


def left_behind(difference):
    match difference:
        case ("remove_table", table):
            return table.name
        case ("remove_column", _, table, column):
            return f"{table}.{column.name}"
    return None


def test_an_assistant_with_limits_set_by_hand_gets_the_default_false_match_rate(url):
    migrate(url)
    migrate_down(url, "0001")
    old = {**to_plain(assistant()), "match": {"limit": 0.58, "margin": 0.08, "suggest": 0.45}}
    with connect(url) as connection:
        row = {"name": "desk", "document": json.dumps(old), "revision": 1}
        connection.execute(text("INSERT INTO assistants VALUES (:name, :document, :revision)"), row)
        connection.commit()
    migrate(url)
    database = open_database(url)
    (found,) = Assistants(database).all()
    assert found == assistant(match=Tolerance(false_match_rate=0.01))
    database.close()


def test_a_newer_schema_is_refused_and_left_alone(url):
    migrate(url)
    with connect(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
        with pytest.raises(StoreUnavailable, match="newer canongate"):
            migrate(url)
        with pytest.raises(StoreUnavailable, match="newer canongate"):
            migrate_down(url)
        assert connection.execute(text("SELECT count(*) FROM decisions")).scalar() == 0


def test_four_processes_that_migrate_at_once_do_it_once(url):
    failures = []

    def run():
        try:
            migrate(url)
        except StoreUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_migration_waits_for_its_turn_longer_than_a_message_but_not_for_ever(sqlite_url, monkeypatch):
    migrate(sqlite_url)
    assert module._MIGRATION_WAIT_S >= 10 * engines.WAIT_S
    monkeypatch.setattr(module, "_MIGRATION_WAIT_S", 0.2)
    with connect(sqlite_url) as connection:
        connection.execute(text("BEGIN EXCLUSIVE"))
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked"):
            migrate(sqlite_url)
    assert time.monotonic() - started < engines.WAIT_S


class Raced:
    """A connection whose journal another process is just switching: SQLite refuses at once, without any waiting."""

    def __init__(self, refusals, code=sqlite3.SQLITE_BUSY):
        self.refusals, self.code, self.done = refusals, code, []

    def execute(self, statement):
        if "journal_mode" in statement and self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.code
            raise error
        self.done.append(statement)


def test_a_new_file_whose_journal_another_process_switches_is_tried_again():
    connection = Raced(refusals=3)
    engines._prepare_sqlite(connection, None, wait_s=10)
    assert connection.done[0] == "PRAGMA journal_mode=WAL"
    with pytest.raises(sqlite3.OperationalError):
        engines._prepare_sqlite(Raced(refusals=10**9), None, wait_s=0.1)
    with pytest.raises(sqlite3.OperationalError):
        engines._prepare_sqlite(Raced(refusals=1, code=sqlite3.SQLITE_CANTOPEN), None, wait_s=10)


def test_a_sqlite_file_is_private_and_durable(sqlite_url, tmp_path):
    migrate(sqlite_url)
    database = open_database(sqlite_url)
    with database.writing() as session:
        session.execute(text("DELETE FROM decisions"))
        settings = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
        switches = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("foreign_keys", "recursive_triggers")]
    assert settings == ["wal", 2]
    assert switches == [1, 1]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()} == {0o600}
    database.close()


@pytest.mark.parametrize(
    "bad", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "sqlite:////proc/no/x.db"]
)
def test_a_url_that_cannot_be_opened_is_refused(bad):
    with pytest.raises(StoreUnavailable):
        open_database(bad)


def test_a_postgres_that_is_not_there_is_unavailable_and_not_a_hang(tmp_path):
    with pytest.raises(StoreUnavailable):
        open_database(f"postgresql://postgres@/x?host={tmp_path}")


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    (tmp_path / "x.db").write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(StoreUnavailable):
        open_database(f"sqlite:///{tmp_path / 'x.db'}")


def test_missing_tables_are_an_error_of_ours(sqlite_url):
    database = open_database(sqlite_url)
    with pytest.raises(StoreUnavailable):
        Decisions(database).page(limit=5)
    database.close()


def test_a_full_database_refuses_the_decision_and_keeps_the_earlier_ones(sqlite_database):
    decisions = Decisions(sqlite_database)
    decisions.add(DECISION)
    with sqlite_database.reading() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar()
    with sqlite_database.reading() as session:
        session.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StoreUnavailable, match="full"):
        decisions.add(later(1, rails=({"name": "x" * 100_000, "status": "passed"},)))
    assert [one.id for one in decisions.page(limit=10)] == [DECISION.id]


def test_a_decision_comes_back_exactly(database):
    decisions = Decisions(database)
    decisions.add(DECISION)
    assert decisions.get(DECISION.id) == DECISION
    assert decisions.get(DECISION.id).score == 0.1 + 0.2
    with pytest.raises(NotFound):
        decisions.get("other")
    with pytest.raises(Conflict):
        decisions.add(DECISION)


def test_a_time_in_another_zone_comes_back_in_utc(database):
    elsewhere = AT.astimezone(dt.timezone(dt.timedelta(hours=5)))
    Decisions(database).add(dataclasses.replace(DECISION, at=elsewhere))
    back = Decisions(database).get(DECISION.id).at
    assert back == AT
    assert back.tzinfo is dt.UTC


def test_the_last_decision_of_a_conversation_is_the_principals_own_and_not_a_failure(database):
    decisions = Decisions(database)
    for one in (
        later(2),
        later(1),
        later(3, principal="key:2"),
        later(4, conversation="c2"),
        later(5, conversation=None),
        later(6, failed=True),
    ):
        decisions.add(one)
    assert decisions.last_of_conversation("c1", "key:1").id == "id-2"
    assert decisions.last_of_conversation("c1", "key:2").id == "id-3"
    assert decisions.last_of_conversation("c3", "key:1") is None


def test_pages_follow_one_another_without_gap_or_repeat_also_at_one_moment(database):
    decisions = Decisions(database)
    for n in range(7):
        decisions.add(dataclasses.replace(DECISION, id=f"id-{n}", at=AT + dt.timedelta(seconds=n // 3)))
    seen, before = [], None
    while page := decisions.page(limit=2, before=before):
        seen += [one.id for one in page]
        before = (page[-1].at, page[-1].id)
    assert seen == [f"id-{n}" for n in (6, 5, 4, 3, 2, 1, 0)]


def test_a_key_is_added_once_found_by_id_and_revoked_for_good(database):
    keys = Keys(database)
    keys.add(KEY)
    assert keys.get("a1") == KEY
    assert keys.all() == (KEY,)
    with pytest.raises(Conflict):
        keys.add(dataclasses.replace(KEY, id="a2"))
    revoked = keys.revoke("a1", at=AT)
    assert revoked.revoked_at == AT
    assert keys.revoke("a1", at=AT + dt.timedelta(days=1)).revoked_at == AT
    assert keys.get("a1").revoked_at == AT


@pytest.mark.parametrize("wrong", ["", "a2", "a1\x00", "a1'--", "é"])
def test_a_key_that_does_not_exist_is_not_found(database, wrong):
    with pytest.raises(NotFound):
        Keys(database).get(wrong)


def test_several_writes_in_one_session_are_kept_or_lost_together(database):
    decisions, keys = Decisions(database), Keys(database)

    def all_three():
        with database.writing() as session:
            decisions.add(DECISION, session)
            keys.add(KEY, session)
            keys.add(KEY, session)

    with pytest.raises(Conflict):
        all_three()
    assert decisions.page(limit=1) == ()
    assert keys.all() == ()


def test_an_error_of_the_callers_own_passes_through_and_rolls_back(database):

    def fail():
        with database.writing() as session:
            Decisions(database).add(DECISION, session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Decisions(database).page(limit=1) == ()


def test_decisions_do_not_wait_for_the_disk_and_everything_else_does(sqlite_url):
    """Each transaction says it again: the next one may get the same pooled connection."""
    migrate(sqlite_url)
    database = open_database(sqlite_url)
    decisions, keys, said = Decisions(database), Keys(database), []

    def remember(_connection, _cursor, statement, *_):
        said.append(statement)

    sqlalchemy.event.listen(database._engine, "before_cursor_execute", remember)
    for number in range(2):
        decisions.add(later(number))
        keys.add(dataclasses.replace(KEY, id=f"a{number}", name=f"site {number}"))
    database.close()
    levels = [one.removeprefix("PRAGMA synchronous=") for one in said if one.startswith("PRAGMA")]
    assert levels == ["NORMAL", "FULL"] * 2
    assert said.count("BEGIN IMMEDIATE") == 4


WRITER = """
import dataclasses, sys
sys.path[:0] = [{folder!r}]
from test_database import later
from store.database import open_database
from store.repositories.decisions import Decisions
decisions = Decisions(open_database({url!r}))
for number in range(100_000):
    decisions.add(later(number))
    print(number, flush=True)
"""


def test_an_acknowledged_decision_survives_the_death_of_the_process(sqlite_url):
    migrate(sqlite_url)
    code = WRITER.format(folder=str(Path(__file__).parent), url=sqlite_url)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    acknowledged = [int(process.stdout.readline()) for _ in range(300)]
    process.kill()
    acknowledged += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.stdout.close()
    assert process.wait(10) == -signal.SIGKILL
    database = open_database(sqlite_url)
    decisions = Decisions(database)
    for number in acknowledged:
        assert decisions.get(f"id-{number}").id == f"id-{number}"
    database.close()


def test_decisions_added_from_many_threads_are_all_there(database):
    decisions = Decisions(database)

    def run(start):
        for n in range(start, start + 10):
            decisions.add(later(n))

    threads = [threading.Thread(target=run, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions.page(limit=100)) == 40


def test_no_sqlite_file_is_left_readable_by_others_even_if_it_was_before(tmp_path):
    path = tmp_path / "x.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    open_database(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_that_a_driver_says_of_a_constraint_is_told(database):
    Keys(database).add(KEY)
    with pytest.raises(Conflict, match="it is there already") as caught:
        Keys(database).add(dataclasses.replace(KEY, id="a2"))
    assert not {"api_keys", "UNIQUE", "constraint"} & set(str(caught.value).replace(".", " ").split())
