"""Locks of PostgreSQL by number, which every version of canongate takes by the same ones; they go with a connection."""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

MIGRATING = 0x63616E6F6E
LEADING = 0x6C656164
"""Held by one gateway of those that serve from a database, as long as any does."""
RESTORING = 0x72657374
"""Held by a restore from its beginning to its end."""
NOTING_KEYS = 0x6B657973
INVITING = 0x66697273
"""Held while the first administrator is made."""
_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND classid = CAST(:high AS bigint) AND objid = CAST(:low AS bigint)"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def is_held(connection: Connection, lock: int) -> bool:
    """Whether any connection to the same database holds a lock."""
    return bool(connection.scalar(_HELD, {"high": lock >> 32, "low": lock & 0xFFFFFFFF}))


def hold(session: Session, lock: int) -> None:
    """Waits until nobody else holds a lock, and holds it until the transaction ends; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock})
