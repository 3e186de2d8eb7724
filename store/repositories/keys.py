"""API keys in the database."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import NotFound
from store.tables import ApiKeyRow
from store.types import ApiKey, KeyScope


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

    def all(self, session: Session | None = None) -> tuple[ApiKey, ...]:
        """Returns every key, oldest first."""
        with self._database.reading(session) as opened:
            return tuple(_load(row) for row in opened.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at)))

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
