"""Two versions of canongate whose schemas are one step apart serve from one database; further apart they do not."""

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from test_database import connect
from test_migrations_with_data import fill

from store import database as module
from store.database import migrate, migrate_down, open_database, schema_gap
from store.errors import StoreUnavailable
from store.schema import SchemaGap
from store.signals import Lead
from tests.next_schema import next_schema
from tests.schema_rules import Schema, breaches, schema_of

FIRST = "0018"
"""From here on migrations keep to the rule of docs/adr/0056."""
SMALL = (
    "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, kind VARCHAR(10) DEFAULT 'x', CONSTRAINT o UNIQUE (name))",
    "CREATE TABLE people (id INTEGER PRIMARY KEY)",
)
BORNE = (
    "ALTER TABLE things ADD COLUMN more TEXT",
    "ALTER TABLE things ADD COLUMN more TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE new_things (id INTEGER PRIMARY KEY, of INTEGER NOT NULL REFERENCES things(id), UNIQUE (of))",
    "CREATE INDEX by_kind ON things (kind)",
)
NOT_BORNE = {
    "DROP TABLE people": "people is gone",
    "ALTER TABLE people RENAME TO persons": "people is gone",
    "ALTER TABLE things DROP COLUMN kind": "things.kind is gone",
    "ALTER TABLE things RENAME COLUMN kind TO sort": "things.kind is gone",
    "CREATE UNIQUE INDEX by_kind ON things (kind)": "things refuses more: unique ['kind']",
}
NOT_BORNE_BY_POSTGRES = {
    "ALTER TABLE things ADD COLUMN more TEXT NOT NULL": (
        "things.more needs a value that the version before does not give"
    ),
    "ALTER TABLE things ALTER COLUMN name SET NOT NULL": "things.name may not be empty any more",
    "ALTER TABLE things ALTER COLUMN kind DROP DEFAULT": "things.kind has no value of its own any more",
    "ALTER TABLE things ALTER COLUMN kind TYPE VARCHAR(5)": "things.kind has another type",
    "ALTER TABLE things DROP CONSTRAINT o": "things lost unique ['name']",
    "ALTER TABLE things ADD CONSTRAINT of_people FOREIGN KEY (id) REFERENCES people (id)": (
        "things refuses more: reference ['id'] to people"
    ),
    "CREATE OR REPLACE FUNCTION counted() RETURNS int LANGUAGE sql AS 'SELECT 2'": (
        "function counted is not what it was"
    ),
    "DROP FUNCTION counted()": "function counted is not what it was",
}


def steps() -> list[Script]:
    scripts = ScriptDirectory.from_config(module._config()).walk_revisions()
    return [one for one in scripts if one.revision >= FIRST]


def unused_at(revision: str) -> tuple[str, ...]:
    """What the code of a version does not use any more, which the next migration may therefore drop."""
    made = ScriptDirectory.from_config(module._config()).get_revision(revision).module
    return tuple(getattr(made, "unused", ()))


def read(url: str) -> Schema:
    with connect(url) as connection:
        return schema_of(connection)


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.revision)
def test_the_version_before_bears_each_migration(url: str, step: Script) -> None:
    before = str(step.down_revision)
    migrate(url)
    migrate_down(url, step.revision)
    after = read(url)
    migrate_down(url, before)
    dropped = {f"{name} is gone" for name in unused_at(before)}
    assert breaches(read(url), after) - dropped == set()


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.revision)
def test_what_a_version_does_not_use_any_more_may_be_left_out(url: str, step: Script) -> None:
    migrate(url)
    migrate_down(url, step.revision)
    tables = read(url).tables
    for name in unused_at(step.revision):
        table, _, column = name.partition(".")
        columns = tables[table].columns
        assert not column or any(columns[column][1:]), f"{name} may not be left out of a row"


def test_every_kind_of_change_that_is_not_borne_is_found(url: str) -> None:
    open_database(url).close()  # makes the file
    with connect(url) as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        for statement in SMALL:
            connection.execute(text(statement))
        if not is_sqlite:
            connection.execute(text("CREATE FUNCTION counted() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
        connection.commit()
        before = schema_of(connection)
        connection.rollback()
        for statement in BORNE:
            assert breaches(before, after(connection, statement)) == set(), statement
        for statement, breach in (NOT_BORNE if is_sqlite else NOT_BORNE | NOT_BORNE_BY_POSTGRES).items():
            assert breach in breaches(before, after(connection, statement)), statement


def after(connection: Connection, statement: str) -> Schema:
    """What the database is with a change, which is taken back."""
    connection.execute(text("SAVEPOINT here"))
    connection.execute(text(statement))
    found = schema_of(connection)
    connection.execute(text("ROLLBACK TO SAVEPOINT here"))
    connection.rollback()
    return found


def test_a_schema_one_step_newer_is_left_alone_and_takes_rows_in_every_table(url: str) -> None:
    migrate(url)
    number = next_schema(url)
    before = read(url)
    migrate(url)
    fill(url)
    assert read(url) == before
    with pytest.raises(StoreUnavailable, match="a step newer than"):
        migrate_down(url)
    database = open_database(url)
    gap = schema_gap(database)
    database.close()
    assert (gap.found, gap.steps, gap.is_near, gap.is_newer) == (number, 1, True, True)
    assert f"schema {number}, a step newer" in gap.told


def test_a_schema_two_steps_newer_is_refused_by_name(url: str) -> None:
    migrate(url)
    number = next_schema(url, steps=2)
    with pytest.raises(StoreUnavailable, match=rf"newer canongate \(schema {number}; this one makes \d{{4}}\)"):
        migrate(url)


@pytest.mark.postgres
def test_a_database_that_is_near_from_is_migrated_by_one_step_and_not_by_two(postgres_server) -> None:
    url = postgres_server()
    migrate(url)
    newest, before, two_before = (one.revision for one in [*all_steps()][:3])
    serving = open_database(url)
    lead = Lead(serving)
    assert lead.look()
    try:
        migrate_down(url, before)
        migrate(url)
        assert schema_gap(serving).found == newest
        migrate_down(url, two_before)
        with pytest.raises(
            StoreUnavailable, match=f"schema {two_before}, .*Stop it first, or start the versions between"
        ):
            migrate(url)
        assert schema_gap(serving).found == two_before
        lead.release()
        migrate(url)
        assert schema_gap(serving).found == newest
    finally:
        lead.release()
        serving.close()


def all_steps() -> list[Script]:
    return list(ScriptDirectory.from_config(module._config()).walk_revisions())


@pytest.mark.parametrize(
    ("found", "is_near", "is_newer", "words"),
    [
        ("0018", True, False, ""),
        ("0019", True, True, "a step newer than 0018"),
        ("0020", False, True, "newer canongate (schema 0020; this one makes 0018)"),
        ("ae1027a6acf", False, True, "newer canongate"),
        ("٠٠١٨", False, True, "newer canongate"),
        ("0017", False, False, "older than 0018"),
        ("", False, False, "schema (none), older than 0018"),
    ],
)
def test_what_is_told_of_a_schema(found: str, is_near: bool, is_newer: bool, words: str) -> None:  # noqa: FBT001
    gap = SchemaGap(found, "0018")
    assert (gap.is_near, gap.is_newer) == (is_near, is_newer)
    assert words in gap.told
    assert bool(words) == bool(gap.told)
