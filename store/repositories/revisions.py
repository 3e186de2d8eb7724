"""Revisions: the numbers of published states."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import NotFound
from store.signals import announce
from store.tables import RevisionRow

_CONTENT = "content"
_PUBLISH_LOCK = 0x7075626C  # any constant; held until the publishing transaction ends


@dataclass(frozen=True, slots=True)
class Published:
    """What a revision says of itself beside its content."""

    author: str
    note: str = ""
    change: UUID | None = None
    """The change whose edits it is; None for what an operator published on the machine."""
    is_emergency: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """A published state's number, and what is said of it."""

    number: int
    at: dt.datetime
    said: Published


class Revisions:
    """Counts publishes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def live(self, session: Session | None = None) -> int:
        """Returns the live revision, 0 when nothing was published."""
        with self._database.reading(session) as opened:
            return opened.scalar(select(func.max(RevisionRow.number))) or 0

    def lock(self, session: Session) -> None:
        """Lets one publish at a time through, until the session's transaction ends."""
        if not self._database.is_sqlite:  # SQLite has one writer anyway
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PUBLISH_LOCK})

    def add(self, number: int, said: Published, *, at: dt.datetime, session: Session) -> None:
        """Records a publish; the number is taken once, by whoever commits first."""
        session.add(
            RevisionRow(
                number=number,
                at=at,
                kind=_CONTENT,
                author=said.author,
                note=said.note,
                change_id=said.change,
                is_emergency=said.is_emergency,
            )
        )
        session.flush()
        announce(session, number)

    def page(self, *, limit: int, before: int | None = None, session: Session | None = None) -> tuple[Revision, ...]:
        """Returns revisions, newest first, those with a lower number than `before`."""
        query = select(RevisionRow).order_by(RevisionRow.number.desc()).limit(limit)
        if before is not None:
            query = query.where(RevisionRow.number < before)
        with self._database.reading(session) as opened:
            return tuple(_revision(row) for row in opened.scalars(query))

    def get(self, number: int, session: Session | None = None) -> Revision:
        """Returns one revision. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(RevisionRow, number)
            if row is None:
                raise NotFound(f"there is no revision {number}")
            return _revision(row)


def _revision(row: RevisionRow) -> Revision:
    return Revision(row.number, row.at, Published(row.author, row.note, row.change_id, row.is_emergency))
