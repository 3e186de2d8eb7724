"""Who is behind a change: whoever edited it, and whoever may have edited it as them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.people import SetUp, hands_behind
from store.repositories.users import set_up_of
from store.tables import ChangeAuthorRow, ChangeRow, UserRow

_USER = "user:"
_BATCH = 500
"""Ids in one statement; SQLite takes a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class People:
    """Who wrote a change."""

    authors: frozenset[str] = frozenset()
    hands: frozenset[str] = frozenset()


NOBODY = People()


def people_of(session: Session, rows: Sequence[ChangeRow]) -> dict[UUID, People]:
    """Returns the people of each change."""
    authors = _authors(session, [row.id for row in rows])
    set_up: dict[str, frozenset[SetUp]] = {}
    ids = sorted({one.removeprefix(_USER) for persons in authors.values() for one in persons if one.startswith(_USER)})
    for start in range(0, len(ids), _BATCH):
        query = select(UserRow.id, UserRow.set_up_by).where(UserRow.id.in_(ids[start : start + _BATCH]))
        set_up |= {_USER + user: set_up_of(document) for user, document in session.execute(query)}
    return {
        row.id: People(
            authors[row.id],
            frozenset[str]().union(
                *(hands_behind(set_up.get(person, ()), row.created_at) for person in authors[row.id])
            ),
        )
        for row in rows
    }


def _authors(session: Session, ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, set[str]] = {one: set() for one in ids}
    for start in range(0, len(ids), _BATCH):
        query = select(ChangeAuthorRow.change_id, ChangeAuthorRow.person)
        for change_id, person in session.execute(
            query.where(ChangeAuthorRow.change_id.in_(ids[start : start + _BATCH]))
        ):
            found[change_id].add(person)
    return {one: frozenset(persons) for one, persons in found.items()}
