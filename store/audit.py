"""The audit trail: each row is sealed with the one before it, in the transaction of the change that it tells of."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from store.database import Database
from store.people import Actor
from store.tables import AuditRow

FIRST_SEAL = bytes(32)
_AUDIT_LOCK = 0x61756474  # any constant; held until the transaction that adds a row ends
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the trail."""

    number: int
    at: dt.datetime
    actor: str
    person: str
    action: str
    target: str
    details: Mapping[str, object]
    seal: bytes

    def sealed_after(self, before: bytes, key: bytes) -> bytes:
        """Returns the seal that the row must have after a row with the seal `before`."""
        return hmac.digest(key, before + msgspec.json.encode(self._told(), order="sorted"), hashlib.sha256)

    def _told(self) -> dict[str, object]:
        return {
            "number": self.number,
            "at": self.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "actor": self.actor,
            "person": self.person,
            "action": self.action,
            "target": self.target,
            "details": dict(self.details),
        }


class AuditTrail:
    """Adds to and reads the trail. `key` is 32 bytes from outside the database: whoever has both could rewrite it."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    def append(
        self,
        actor: Actor,
        action: str,
        target: str,
        details: Mapping[str, object] | None = None,
        *,
        session: Session,
        at: dt.datetime | None = None,
    ) -> AuditEntry:
        """Adds a row in the session's transaction, which must be one that writes; when that fails, so does the change.

        `action` is `<thing>.<verb>` (`change.approved`), `target` what it was done to (`change 01a2..`).
        `details` are plain JSON: identifiers, numbers and hashes, never the words of a person or a secret.
        """
        if not self._database.is_sqlite:  # SQLite has one writer anyway
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _AUDIT_LOCK})
        last = session.execute(select(AuditRow.number, AuditRow.seal).order_by(AuditRow.number.desc()).limit(1)).first()
        number, before = (last.number + 1, last.seal) if last else (1, FIRST_SEAL)
        moment = at or dt.datetime.now(dt.UTC)
        entry = AuditEntry(number, moment, actor.id, actor.person, action, target, dict(details or {}), b"")
        seal = entry.sealed_after(before, self._key)
        session.add(
            AuditRow(
                number=number,
                at=moment,
                actor=actor.id,
                person=actor.person,
                action=action,
                target=target,
                details=dict(details or {}),
                seal=seal,
            )
        )
        session.flush()
        return AuditEntry(number, moment, actor.id, actor.person, action, target, dict(details or {}), seal)

    def entries(self, *, after: int = 0, session: Session | None = None) -> Iterator[AuditEntry]:
        """Gives the rows after that number, oldest first, without holding them all in memory."""
        query = select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number)
        with self._database.reading(session) as opened:
            for row in opened.scalars(query.execution_options(yield_per=_BATCH)):
                yield AuditEntry(
                    row.number, row.at, row.actor, row.person, row.action, row.target, row.details, row.seal
                )
