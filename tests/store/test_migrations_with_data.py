"""Every migration goes down and up again with a row in every table, and loses none that it does not have to."""

import datetime as dt
import uuid

import pytest
import sqlalchemy
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, select
from test_database import connect

from store import database as module
from store.database import migrate, migrate_down
from store.tables import Base

AT = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)
SPECIAL = {
    ("assistants", "document"): {"name": "x", "match": {"false_match_rate": 0.01}},
    ("decisions", "rails"): [{"name": "secrets", "status": "blocked"}],
}
"""Where a migration reads what is there."""


def value_of(column: sqlalchemy.Column):
    """A value that the column takes; the same one everywhere, so that foreign keys lead somewhere."""
    if (found := SPECIAL.get((column.table.name, column.name))) is not None:
        return found
    kind = column.type.python_type if not isinstance(column.type, sqlalchemy.TypeDecorator) else dt.datetime
    values = {
        str: "x",
        int: 1,
        float: 0.5,
        bool: True,
        bytes: b"x",
        object: {},  # JSON
        dt.datetime: AT,
        dt.date: AT.date(),
        uuid.UUID: uuid.UUID(int=1),
    }
    return values[kind]


def fill(url: str) -> None:
    with connect(url) as connection:
        for table in Base.metadata.sorted_tables:
            connection.execute(insert(table).values({column.name: value_of(column) for column in table.columns}))
        connection.commit()


def counts(url: str) -> dict[str, int]:
    with connect(url) as connection:
        names = sqlalchemy.inspect(connection).get_table_names()
        tables = [table for table in Base.metadata.sorted_tables if table.name in names]
        return {table.name: connection.execute(select(func.count()).select_from(table)).scalar() for table in tables}


def revisions() -> list[str]:
    """The newest first, without the newest."""
    return [one.revision for one in ScriptDirectory.from_config(module._config()).walk_revisions()][1:]


@pytest.mark.parametrize("target", [*revisions(), "base"])
def test_down_and_up_again_keeps_the_rows_of_every_table_that_stays(url: str, target: str) -> None:
    migrate(url)
    fill(url)
    assert set(counts(url).values()) == {1}
    migrate_down(url, target)
    below = counts(url)
    assert set(below.values()) <= {1}
    migrate(url)
    again = counts(url)
    assert {name for name, count in again.items() if count} == set(below)
    assert again.keys() == {table.name for table in Base.metadata.sorted_tables}
