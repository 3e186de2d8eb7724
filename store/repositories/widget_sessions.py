"""Visits of the widget, in the database: every gateway knows them, and no token is exchanged twice at any of them."""

import datetime as dt

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store.database import Database
from store.tables import WidgetSessionRow
from store.widgets import WidgetSession


class WidgetSessions:
    """Adds, finds and forgets visits. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token_hash: bytes, visit: WidgetSession, *, token_id: bytes | None, kept_until: dt.datetime) -> None:
        """Stores a visit; a loss of power may lose it. Raises `Conflict` when the token was exchanged before."""
        with self._database.writing(waits_for_disk=token_id is not None) as opened:
            opened.add(
                WidgetSessionRow(
                    token_hash=token_hash,
                    id=visit.id,
                    client=visit.client,
                    token_id=token_id,
                    origin=visit.origin,
                    person=visit.person,
                    created_at=visit.created_at,
                    expires_at=visit.expires_at,
                    kept_until=kept_until,
                )
            )

    def find(self, token_hash: bytes) -> WidgetSession | None:
        """Returns the visit with that token, also one that is over."""
        with self._database.reading() as opened:
            row = opened.get(WidgetSessionRow, token_hash)
            if row is None:
                return None
            return WidgetSession(
                id=row.id,
                client=row.client,
                origin=row.origin,
                person=row.person,
                created_at=row.created_at,
                expires_at=row.expires_at,
            )

    def begun(self, client: str, *, since: dt.datetime) -> dict[str, dt.datetime]:
        """Returns the origins of a client at which visits began from that moment on, each with the last of them."""
        last = func.max(WidgetSessionRow.created_at).label("at")
        wanted = select(WidgetSessionRow.origin, last).where(
            WidgetSessionRow.client == client, WidgetSessionRow.created_at >= since
        )
        with self._database.reading() as opened:
            rows = opened.execute(wanted.group_by(WidgetSessionRow.origin).order_by(WidgetSessionRow.origin)).all()
            return {row.origin: row.at for row in rows}

    def forget(self, *, before: dt.datetime) -> int:
        """Deletes what need not be kept any longer at that moment; returns how many."""
        query = delete(WidgetSessionRow).where(WidgetSessionRow.kept_until < before)
        with self._database.writing(waits_for_disk=False) as opened:
            return len(opened.execute(query.returning(WidgetSessionRow.id)).all())

    def cut_loose(self, person: str, *, now: dt.datetime, session: Session) -> int:
        """Ends a person's visits and forgets whose they were; their tokens still count as exchanged."""
        rows = session.scalars(select(WidgetSessionRow).where(WidgetSessionRow.person == person)).all()
        for row in rows:
            row.person, row.expires_at = None, min(now, row.expires_at)
        return len(rows)
