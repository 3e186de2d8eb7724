"""The audit trail seals each row with the one before it, in the transaction of the change."""

import pytest

from store.audit import FIRST_SEAL, AuditTrail
from store.database import Database
from store.errors import Conflict, NotFound
from store.people import SYSTEM
from store.repositories.policies import Policies

KEY = b"k" * 32


def test_rows_follow_each_other_and_each_is_sealed(database: Database) -> None:
    trail = AuditTrail(database, KEY)
    for number in range(3):
        with database.writing() as session:
            trail.append(SYSTEM, "change.made", f"change {number}", {"count": number, "name": "ä"}, session=session)
    before = FIRST_SEAL
    entries = list(trail.entries())
    assert [entry.number for entry in entries] == [1, 2, 3]
    for entry in entries:
        assert entry.sealed_after(before, KEY) == entry.seal
        assert entry.sealed_after(before, b"x" * 32) != entry.seal
        before = entry.seal


def test_a_change_that_fails_leaves_no_row(database: Database) -> None:
    trail = AuditTrail(database, KEY)
    with pytest.raises(NotFound):
        _fail_after_adding(database, trail)
    assert list(trail.entries()) == []


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_a_row(database: Database, statement: str) -> None:
    from sqlalchemy import text  # noqa: PLC0415 -- the one test that speaks SQL

    trail = AuditTrail(database, KEY)
    with database.writing() as session:
        trail.append(SYSTEM, "change.made", "change 1", session=session)
    with pytest.raises(Conflict), database.writing() as session:
        session.execute(text(statement))
    assert len(list(trail.entries())) == 1


def _fail_after_adding(database: Database, trail: AuditTrail) -> None:
    with database.writing() as session:
        trail.append(SYSTEM, "change.made", "change 1", session=session)
        Policies(database).at_revision("none", 1, session)
