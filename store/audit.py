"""The audit trail: each row is sealed with the one before it, in the transaction of the change that it tells of."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from store.database import Database
from store.people import Actor
from store.sorting import Order, Sort, in_order, sort_of
from store.tables import AuditRow

FIRST_SEAL = bytes(32)
_AUDIT_LOCK = 0x61756474  # any constant; held until the transaction that adds a row ends
_BATCH = 1000
MAX_PAGE = 200
_CANONICAL = msgspec.json.Encoder(order="sorted")


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

    @property
    def canonical(self) -> bytes:
        """The row without its seal, as `canonical_bytes` gives it."""
        at = self.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        return canonical_bytes(
            self.number,
            at,
            actor=self.actor,
            person=self.person,
            action=self.action,
            target=self.target,
            details=dict(self.details),
        )

    def sealed_after(self, before: bytes, key: bytes) -> bytes:
        """Returns the seal that the row must have after a row with the seal `before`."""
        return seal_of(before, self.canonical, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows are wanted; None means any."""

    actor: str | None = None
    """The actor or the person who answers for it."""
    action: str | None = None
    """`change.approved`, or `change.` for all of that thing."""
    target: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    """Before that moment."""


SORTS: Mapping[str, Sort[AuditEntry]] = {
    "number": Sort(int, lambda one: one.number, AuditRow.number),
    "actor": Sort(str, lambda one: one.actor, AuditRow.actor),
    "action": Sort(str, lambda one: one.action, AuditRow.action),
}
"""Columns that lists are sorted by; the number is the time."""


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
        # What is sealed is what will be read back: tuples as lists, times and closed sets as texts.
        plain = msgspec.to_builtins(dict(details or {}), str_keys=True)
        plain = msgspec.json.decode(_CANONICAL.encode(plain))
        entry = AuditEntry(
            number, at or dt.datetime.now(dt.UTC), actor.id, actor.person, action, target, plain, seal=b""
        )
        seal = entry.sealed_after(before, self._key)
        session.add(
            AuditRow(
                number=number,
                at=entry.at,
                actor=entry.actor,
                person=entry.person,
                action=action,
                target=target,
                details=plain,
                seal=seal,
            )
        )
        session.flush()
        return AuditEntry(number, entry.at, entry.actor, entry.person, action, target, plain, seal)

    def entries(self, *, after: int = 0, session: Session | None = None) -> Iterator[AuditEntry]:
        """Gives the rows after that number, oldest first, without holding them all in memory."""
        query = select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number)
        with self._database.reading(session) as opened:
            for row in opened.scalars(query.execution_options(yield_per=_BATCH)):
                yield _entry(row)

    def sorted_page(
        self, wanted: AuditFilter, order: Order, *, limit: int, session: Session | None = None
    ) -> tuple[AuditEntry, ...]:
        """Returns up to `limit` rows in an order of `SORTS`."""
        query = select(AuditRow).where(*_conditions(wanted))
        query = in_order(query, order, sort_of(SORTS, order).by, AuditRow.number, of_key=int)
        with self._database.reading(session) as opened:
            return tuple(_entry(row) for row in opened.scalars(query.limit(max(1, min(limit, MAX_PAGE)))))

    def page(
        self, wanted: AuditFilter, *, limit: int, before: int | None = None, session: Session | None = None
    ) -> tuple[AuditEntry, ...]:
        """Returns up to `limit` rows, newest first, with numbers below `before`."""
        query = select(AuditRow).where(*_conditions(wanted)).order_by(AuditRow.number.desc())
        if before is not None:
            query = query.where(AuditRow.number < before)
        with self._database.reading(session) as opened:
            return tuple(_entry(row) for row in opened.scalars(query.limit(max(1, min(limit, MAX_PAGE)))))


def canonical_bytes(
    number: int, at: str, *, actor: str, person: str, action: str, target: str, details: dict[str, object]
) -> bytes:
    """Returns a row without its seal in the one form that is sealed and proved by checkpoints: JSON, names sorted.

    `at` is UTC in ISO 8601 with microseconds and `+00:00`.
    """
    told = {
        "action": action,
        "actor": actor,
        "at": at,
        "details": details,
        "number": number,
        "person": person,
        "target": target,
    }
    return _CANONICAL.encode(told)


def seal_of(before: bytes, canonical: bytes, key: bytes) -> bytes:
    """Returns the seal of a row with these canonical bytes after a row with the seal `before`."""
    return hmac.digest(key, before + canonical, hashlib.sha256)


def _conditions(wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    yield AuditRow.number > 0  # the trail begins with 1: what stands before was put there, and no seal follows from it
    if wanted.actor is not None:
        yield (AuditRow.actor == wanted.actor) | (AuditRow.person == wanted.actor)
    if wanted.action is not None and wanted.action.endswith("."):
        yield AuditRow.action.startswith(wanted.action, autoescape=True)
    elif wanted.action is not None:
        yield AuditRow.action == wanted.action
    if wanted.target is not None:
        yield AuditRow.target == wanted.target
    if wanted.since is not None:
        yield AuditRow.at >= wanted.since
    if wanted.until is not None:
        yield AuditRow.at < wanted.until


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(row.number, row.at, row.actor, row.person, row.action, row.target, row.details, row.seal)
