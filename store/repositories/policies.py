"""Policies in the database; to the store their documents are opaque."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import NotFound
from store.tables import PolicyRow


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy document and the revision that made it live."""

    name: str
    revision: int
    document: Mapping[str, Any]


class Policies:
    """Reads and adds states of policies; none is ever overwritten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def live(self, session: Session | None = None) -> tuple[StoredPolicy, ...]:
        """Returns the live state of every policy, by name."""
        newest = select(PolicyRow.name, func.max(PolicyRow.revision).label("revision")).group_by(PolicyRow.name)
        latest = newest.subquery()
        query = (
            select(PolicyRow)
            .join(latest, (latest.c.name == PolicyRow.name) & (latest.c.revision == PolicyRow.revision))
            .order_by(PolicyRow.name)
        )
        with self._database.reading(session) as opened:
            return tuple(
                StoredPolicy(row.name, row.revision, row.document)
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
        """Stores the policy's state from `revision` on; None takes it out of what is live."""
        stored = None if document is None else dict(document)
        with self._database.writing(session) as opened:
            opened.add(PolicyRow(name=name, revision=revision, document=stored, created_at=at))
            opened.flush()

    def at_revision(self, name: str, revision: int, session: Session | None = None) -> StoredPolicy:
        """Returns the policy as a decision of that policy revision saw it. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(PolicyRow, (name, revision))
            if row is None or row.document is None:
                raise NotFound(f"there is no policy {name} of revision {revision}")
            return StoredPolicy(row.name, row.revision, row.document)

    def revisions(self, name: str, session: Session | None = None) -> tuple[int, ...]:
        """Returns the revisions that changed the policy, oldest first; those that took it away are not among them."""
        query = select(PolicyRow).where(PolicyRow.name == name).order_by(PolicyRow.revision)
        with self._database.reading(session) as opened:
            return tuple(row.revision for row in opened.scalars(query) if row.document is not None)
