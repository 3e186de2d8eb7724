"""The lock under which questions are counted up, placed and merged: one writer at a time, whatever the gateways."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.database import Database

_LOCK = 0x71756575  # any constant


def hold_queue(database: Database, session: Session) -> None:
    """Waits for the lock, which is held until the transaction ends."""
    if not database.is_sqlite:  # SQLite has one writer anyway
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
