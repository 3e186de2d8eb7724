"""Revisions: the numbers of published states."""

import datetime as dt

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store.database import Database
from store.tables import RevisionRow

_PUBLISH_LOCK = 0x7075626C  # any constant; held until the publishing transaction ends


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

    def add(self, number: int, *, kind: str, author: str, note: str, at: dt.datetime, session: Session) -> None:
        """Records a publish; the number is taken once, by whoever commits first."""
        session.add(RevisionRow(number=number, at=at, kind=kind, author=author, note=note))
        session.flush()
