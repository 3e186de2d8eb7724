"""The walk over the trail on both databases, and how it goes on."""

import datetime as dt
from enum import StrEnum

from store.audit import AuditFilter, AuditTrail
from store.database import Database
from store.people import SYSTEM, Actor
from store.proof.verification import TrailWalk, last_number, verify_trail

KEY = b"k" * 32


class Kind(StrEnum):
    ODD = "odd"


def add(database: Database, count: int, **details: object) -> AuditTrail:
    trail = AuditTrail(database, KEY)
    for number in range(count):
        with database.writing() as session:
            trail.append(SYSTEM, "change.made", f"change {number}", details, session=session)
    return trail


def test_an_empty_trail_is_whole(database: Database) -> None:
    assert (verify_trail(database, KEY).fault, last_number(database)) == (None, 0)


def test_whatever_details_hold_reads_back_as_it_was_sealed(database: Database) -> None:
    at = dt.datetime(2026, 11, 29, 9, 0, 0, 5, dt.timezone(dt.timedelta(hours=5)))
    add(database, 1, names=("a", "ü€𝄞"), at=at, share=0.1 + 0.2, none=None, kind=Kind.ODD, deep={"z": {"b": 1, "a": 2}})
    with database.writing() as session:
        AuditTrail(database, KEY).append(SYSTEM, "change.made", "'\"\n", {}, session=session, at=at)
    found = verify_trail(database, KEY)
    assert (found.fault, found.rows) == (None, 2)


def test_another_key_makes_the_first_row_wrong(database: Database) -> None:
    add(database, 3)
    found = verify_trail(database, b"x" * 32)
    assert found.fault is not None
    assert (found.fault.row, found.rows) == (1, 0)


def test_a_walk_goes_on_where_it_ended(database: Database) -> None:
    add(database, 3)
    walk = TrailWalk(KEY)
    assert walk.advance(database) is None
    add(database, 2)
    assert walk.advance(database) is None
    assert walk.size == last_number(database) == 5
    assert walk.tree.root == verify_trail(database, KEY).root


def test_rows_are_found_by_who_what_and_when(database: Database) -> None:
    trail = AuditTrail(database, KEY)
    ada = Actor("key:1", "Ada", "user:ada", frozenset())
    start = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    for number, (actor, action) in enumerate(
        [(ada, "key.made"), (SYSTEM, "change.made"), (ada, "change.approved"), (ada, "changes_made")]
    ):
        with database.writing() as session:
            at = start + dt.timedelta(hours=number)
            trail.append(actor, action, f"thing {number % 2}", session=session, at=at)

    def numbers(**wanted) -> list[int]:
        return [entry.number for entry in trail.page(AuditFilter(**wanted), limit=10)]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(actor="user:ada") == numbers(actor="key:1") == [4, 3, 1]
    assert numbers(action="change.") == [3, 2]
    assert numbers(action="change.made") == [2]
    assert numbers(target="thing 1") == [4, 2]
    assert numbers(since=start + dt.timedelta(hours=1), until=start + dt.timedelta(hours=3)) == [3, 2]
    assert [entry.number for entry in trail.page(AuditFilter(), limit=2, before=3)] == [2, 1]
