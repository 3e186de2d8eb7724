"""Who changed what, and when: rows that are only ever added, each sealed with the one before it."""

import datetime as dt
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class AuditRow(Base):
    """One change of state, sign-in, key or reveal. Never updated, never deleted: triggers refuse both."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "action", "number"), Index(None, "actor", "number"))

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 and so on without a gap."""
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    """Who did it: `user:<id>`, `key:<id>` or `system`."""
    person: Mapped[str]
    """The person who answers for it; the actor itself where there is none."""
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str]
    details: Mapped[dict[str, Any]]
    seal: Mapped[bytes]
    """HMAC-SHA256 over the seal before it and this row's canonical bytes, under a key from outside the database."""
