"""Stored test sets, each state of which is kept."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.database import Database
from store.tables import SuiteRow


@dataclass(frozen=True, slots=True)
class StoredSuite:
    """A test set's document and the revision that made it live."""

    name: str
    revision: int
    document: Mapping[str, Any]


class Suites:
    """Reads and adds states of test sets; none is ever overwritten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def live(self, session: Session | None = None, *, name: str | None = None) -> tuple[StoredSuite, ...]:
        """Returns the live state of every test set, or of the named one, by name."""
        newest = select(SuiteRow.name, func.max(SuiteRow.revision).label("revision")).group_by(SuiteRow.name)
        if name is not None:
            newest = newest.where(SuiteRow.name == name)
        latest = newest.subquery()
        query = (
            select(SuiteRow)
            .join(latest, (latest.c.name == SuiteRow.name) & (latest.c.revision == SuiteRow.revision))
            .order_by(SuiteRow.name)
        )
        with self._database.reading(session) as opened:
            return tuple(
                StoredSuite(row.name, row.revision, row.document)
                for row in opened.scalars(query)
                if row.document is not None
            )

    def add(
        self,
        name: str,
        document: Mapping[str, Any] | None,
        *,
        revision: int,
        at: dt.datetime,
        session: Session | None = None,
    ) -> None:
        """Stores the test set's state from `revision` on; None takes it out of what is live."""
        stored = None if document is None else dict(document)
        with self._database.writing(session) as opened:
            opened.add(SuiteRow(name=name, revision=revision, document=stored, created_at=at))
            opened.flush()

    def states(self, name: str, session: Session | None = None) -> tuple[StoredSuite, ...]:
        """Returns every state of the test set, oldest first; removals are not among them."""
        query = select(SuiteRow).where(SuiteRow.name == name).order_by(SuiteRow.revision)
        with self._database.reading(session) as opened:
            return tuple(
                StoredSuite(row.name, row.revision, row.document)
                for row in opened.scalars(query)
                if row.document is not None
            )
