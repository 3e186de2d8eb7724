"""API keys in the database."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, literal, or_, select, update
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import NotFound
from store.sorting import LONG_AGO, Order, Sort, in_order, sort_of
from store.tables import ApiKeyRow, DecisionRow
from store.tables.base import UtcDateTime
from store.types import ApiKey, KeyScope


@dataclass(frozen=True, slots=True)
class UsedKey:
    """A key, and how often it asked in the last 24 hours."""

    key: ApiKey
    calls: int


_NEVER_ENDS = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
SORTS: Mapping[str, Sort[UsedKey]] = {
    "name": Sort(str, lambda one: one.key.name, ApiKeyRow.name),
    "calls": Sort(int, lambda one: one.calls),
    "used": Sort(
        dt.datetime,
        lambda one: one.key.last_used_at or LONG_AGO,
        func.coalesce(ApiKeyRow.last_used_at, literal(LONG_AGO, UtcDateTime())),
    ),
    "made": Sort(dt.datetime, lambda one: one.key.created_at, ApiKeyRow.created_at),
    "ends": Sort(
        dt.datetime,
        lambda one: one.key.expires_at or _NEVER_ENDS,
        func.coalesce(ApiKeyRow.expires_at, literal(_NEVER_ENDS, UtcDateTime())),
    ),
}
"""Columns that lists are sorted by; calls are counted with each list."""
_DAY = dt.timedelta(days=1)


class Keys:
    """Reads, adds and revokes API keys. A key is looked up by its id; its secret is nowhere here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: ApiKey, session: Session | None = None) -> None:
        """Stores a new key. Raises `Conflict` when its id or name is taken."""
        row = ApiKeyRow(
            id=key.id,
            name=key.name,
            secret_hash=key.secret_hash,
            scopes=[scope.value for scope in key.scopes],
            assistants=list(key.assistants),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            client=key.client or key.name,
            owner=key.owner,
            rate_class=key.rate_class,
            tokens_per_day=key.tokens_per_day,
            last_used_at=key.last_used_at,
        )
        with self._database.writing(session) as opened:
            opened.add(row)
            opened.flush()

    def get(self, key_id: str, session: Session | None = None) -> ApiKey:
        """Returns a key, revoked and expired ones too. Raises `NotFound`."""
        if not key_id.isalnum() or not key_id.isascii():
            raise NotFound("there is no such API key")  # PostgreSQL refuses a NUL with an error of its own
        with self._database.reading(session) as opened:
            row = opened.get(ApiKeyRow, key_id)
            if row is None:
                raise NotFound("there is no such API key")
            return _load(row)

    def of_ids(self, ids: Collection[str], session: Session | None = None) -> tuple[ApiKey, ...]:
        """Returns those of the named keys that there are."""
        query = select(ApiKeyRow).where(ApiKeyRow.id.in_(tuple(ids)))
        with self._database.reading(session) as opened:
            return tuple(_load(row) for row in opened.scalars(query))

    def all(self, session: Session | None = None) -> tuple[ApiKey, ...]:
        """Returns every key, oldest first."""
        with self._database.reading(session) as opened:
            return tuple(_load(row) for row in opened.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at)))

    def sorted_page(
        self, order: Order, *, limit: int, now: dt.datetime, has_ended: bool, session: Session | None = None
    ) -> tuple[UsedKey, ...]:
        """Returns keys in an order of `SORTS`, those that ended only when asked for."""
        calls = _calls(now)
        by = calls if order.column == "calls" else sort_of(SORTS, order).by
        query = in_order(select(ApiKeyRow, calls), order, by, ApiKeyRow.id).limit(limit)
        if not has_ended:
            goes_on = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now)
            query = query.where(ApiKeyRow.revoked_at.is_(None), goes_on)
        with self._database.reading(session) as opened:
            return tuple(UsedKey(_load(row), count) for row, count in opened.execute(query))

    def revoke(self, key_id: str, *, at: dt.datetime, session: Session | None = None) -> ApiKey:
        """Ends a key for good; one already revoked keeps its time. Raises `NotFound`."""
        with self._database.writing(session) as opened:
            row = opened.get(ApiKeyRow, key_id, with_for_update=True)
            if row is None:
                raise NotFound("there is no such API key")
            row.revoked_at = row.revoked_at or at
            opened.flush()
            return _load(row)

    def expire(self, key_id: str, *, at: dt.datetime, session: Session | None = None) -> ApiKey:
        """Lets a key end at that moment, or when it ends anyway if that is earlier. Raises `NotFound`."""
        with self._database.writing(session) as opened:
            row = opened.get(ApiKeyRow, key_id, with_for_update=True)
            if row is None:
                raise NotFound("there is no such API key")
            row.expires_at = at if row.expires_at is None else min(row.expires_at, at)
            opened.flush()
            return _load(row)

    def note_use(self, used: Mapping[str, dt.datetime]) -> None:
        """Stores when keys were last used; a loss of power may lose it."""
        with self._database.writing(waits_for_disk=False) as opened:
            for key_id, at in sorted(used.items()):  # in one order, so that two processes do not wait for each other
                opened.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used_at=at))


def _calls(now: dt.datetime) -> ScalarSelect[int]:
    """Counts what each key asked in the last day, by an index that has all it needs."""
    asked = select(func.count()).where(DecisionRow.principal == ApiKeyRow.id, DecisionRow.at >= now - _DAY)
    return asked.scalar_subquery()


def _load(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        secret_hash=row.secret_hash,
        scopes=tuple(KeyScope(scope) for scope in row.scopes),
        assistants=tuple(row.assistants),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        client=row.client,
        owner=row.owner,
        rate_class=row.rate_class,
        tokens_per_day=row.tokens_per_day,
        last_used_at=row.last_used_at,
    )
