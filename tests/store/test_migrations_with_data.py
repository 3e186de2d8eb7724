"""Every migration goes down and up again with a row in every table, and loses none that it does not have to."""

import datetime as dt
import uuid

import pytest
import sqlalchemy
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, select
from test_database import connect

from gateway.access.users import new_user
from store import database as module
from store.audit import AuditTrail
from store.database import migrate, migrate_down, open_database
from store.people import OPERATOR, Actor, SetUp
from store.repositories.users import Users
from store.tables import Base

AT = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)
SPECIAL = {
    ("assistants", "document"): {"name": "x", "match": {"false_match_rate": 0.01}},
    ("decisions", "rails"): [{"name": "secrets", "status": "blocked"}],
}
"""Where a migration reads what is there."""
MADE_OF = {"assistant_states": "assistants"}
"""Tables that a migration fills from another."""


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
    made_of = {made for made, source in MADE_OF.items() if source in below}
    assert {name for name, count in again.items() if count} == set(below) | made_of
    assert again.keys() == {table.name for table in Base.metadata.sorted_tables}


def test_who_set_accounts_up_is_read_from_the_audit_trail(url: str) -> None:
    migrate(url)
    database = open_database(url)
    trail = AuditTrail(database, b"k" * 32)
    ada, bob = (Actor(f"user:{name}", name, f"user:{name}", frozenset()) for name in ("ada", "bob"))
    users = [new_user(name, None, frozenset(), frozenset(), at=AT) for name in ("Edda", "Olga")]
    told = (
        (OPERATOR, "user.created", 0, 0),
        (ada, "user.password_reset", 0, 1),
        (ada, "user.granted", 0, 2),
        (bob, "user.totp_reset", 0, 3),
        (users[1].actor, "user.granted", 1, 4),
        (bob, "user.disabled", 1, 5),
    )
    for one in users:
        Users(database).add(one)
    for actor, action, number, days in told:
        with database.writing() as session:
            at = AT + dt.timedelta(days=days)
            trail.append(actor, action, f"user {users[number].id}", session=session, at=at)
    database.close()
    migrate_down(url, "0010")
    migrate(url)
    database = open_database(url)
    found = [Users(database).get(one.id).set_up_by for one in users]
    database.close()
    later = {ada.person: 2, bob.person: 3}
    assert found == [frozenset(SetUp(by, AT + dt.timedelta(days=days)) for by, days in later.items()), frozenset()]
