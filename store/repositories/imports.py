"""Imports of files in the database: who sent what, and what became of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import NotFound
from store.tables import ImportRow


class ImportState(StrEnum):
    """How far an import is."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPEN_STATES = (ImportState.RECEIVING, ImportState.WAITING, ImportState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImport:
    """An import."""

    id: str
    created_at: dt.datetime
    ended_at: dt.datetime | None
    actor: str
    person: str
    state: ImportState
    order: Mapping[str, Any]
    report: Mapping[str, Any] | None
    problem: str
    change: str | None


class Imports:
    """Adds, moves and reads imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, found: StoredImport, *, session: Session) -> None:
        """Stores a new import."""
        session.add(
            ImportRow(
                id=found.id,
                created_at=found.created_at,
                ended_at=found.ended_at,
                actor=found.actor,
                person=found.person,
                state=found.state.value,
                order=dict(found.order),
                report=None,
                problem=found.problem,
                change=found.change,
            )
        )
        session.flush()

    def get(self, import_id: str, session: Session | None = None) -> StoredImport:
        """Returns one import. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(ImportRow, import_id)
            if row is None:
                raise NotFound("there is no such import")
            return _load(row)

    def open_ones(self, session: Session | None = None) -> tuple[StoredImport, ...]:
        """Returns the imports that have not ended, the oldest first."""
        states = [state.value for state in OPEN_STATES]
        query = select(ImportRow).where(ImportRow.state.in_(states)).order_by(ImportRow.created_at, ImportRow.id)
        with self._database.reading(session) as opened:
            return tuple(map(_load, opened.scalars(query)))

    def held(self, import_id: str, *, session: Session) -> StoredImport:
        """Returns one import, which nobody else moves before the transaction ends. Raises `NotFound`."""
        row = session.get(ImportRow, import_id, with_for_update=True)
        if row is None:
            raise NotFound("there is no such import")
        return _load(row)

    def page(
        self, *, limit: int, person: str | None = None, session: Session | None = None
    ) -> tuple[StoredImport, ...]:
        """Returns imports, the newest first; with `person` theirs alone."""
        query = select(ImportRow).order_by(ImportRow.created_at.desc(), ImportRow.id).limit(limit)
        if person is not None:
            query = query.where(ImportRow.person == person)
        with self._database.reading(session) as opened:
            return tuple(map(_load, opened.scalars(query)))

    def move(self, import_id: str, state: ImportState, *, session: Session, **values: Any) -> None:
        """Brings an import into another state, with further columns."""
        session.execute(update(ImportRow).where(ImportRow.id == import_id).values(state=state.value, **values))


def _load(row: ImportRow) -> StoredImport:
    return StoredImport(
        id=row.id,
        created_at=row.created_at,
        ended_at=row.ended_at,
        actor=row.actor,
        person=row.person,
        state=ImportState(row.state),
        order=row.order,
        report=row.report,
        problem=row.problem,
        change=row.change,
    )
