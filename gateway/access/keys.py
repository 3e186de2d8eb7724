"""Administers API keys: makes, rotates and revokes them, within what their maker may do."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

import anyio
from anyio import to_thread

from gateway.access.sessions import Now, utc_now
from gateway.access.tenancy import is_visible, require_everywhere, require_own
from gateway.budgets import start_of_day
from gateway.credentials import KeyRing, NewKey, new_key
from store.audit import AuditFilter, AuditTrail
from store.database import Database, Transaction
from store.errors import Conflict, InvalidContent, NotFound
from store.folding import folded
from store.people import OPERATOR, Actor, Role
from store.readable import require_readable
from store.repositories.decisions import Decisions
from store.repositories.keys import SORTS, Keys, UsedKey
from store.sorting import Mark, Order
from store.types import STANDARD_RATE, ApiKey, KeyScope

MOST_TOKENS = 10**12
"""That an API key may have for a day."""
LONGEST_OVERLAP = dt.timedelta(days=90)
NOTED_EVERY_S = 60.0
_MAX_NAME_CHARS = 200
_BATCH = 200
_NEEDED = {
    KeyScope.READ: frozenset(Role),
    KeyScope.EDIT: frozenset({Role.EDITOR, Role.ADMIN}),
}
"""Roles any one of which its maker must have, everywhere, for a key to get the scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """What a new key should be."""

    name: str
    client: str = ""
    """Who uses it; the name when left out."""
    scopes: tuple[KeyScope, ...] = (KeyScope.CHAT,)
    assistants: tuple[str, ...] = ()
    lifetime: dt.timedelta | None = None
    rate_class: str = STANDARD_RATE
    tokens_per_day: int | None = None


class KeyService:
    """What administrators do with keys: the route table sees to it that they are some. All methods block."""

    def __init__(
        self, database: Database, audit: AuditTrail, ring: KeyRing, pepper: bytes, *, now: Now = utc_now
    ) -> None:
        self._database = database
        self._audit = audit
        self._ring = ring
        self._pepper = pepper
        self._now = now
        self._keys = Keys(database)
        self._decisions = Decisions(database)

    def all(self, actor: Actor) -> tuple[ApiKey, ...]:
        """Returns the keys of the actor's tenant, oldest first."""
        return tuple(one for one in self._keys.all() if is_visible(actor, one.assistants))

    def names(self, actor: Actor, ids: Collection[str]) -> dict[str, str]:
        """Returns the names of those keys that are of the actor's tenant."""
        return {one.id: one.name for one in self._keys.of_ids(ids) if is_visible(actor, one.assistants)}

    def page(
        self, actor: Actor, order: Order, *, limit: int, text: str = "", has_ended: bool = False
    ) -> tuple[UsedKey, ...]:
        """Returns keys of the actor's tenant in an order of `SORTS`; `text` is a part of name or client."""
        found: list[UsedKey] = []
        wanted = folded(text)
        while len(found) < limit:
            batch = self._keys.sorted_page(order, limit=_BATCH, now=self._now(), has_ended=has_ended)
            mine = (one for one in batch if is_visible(actor, one.key.assistants))
            found += (one for one in mine if wanted in folded(f"{one.key.client}\n{one.key.name}"))
            if len(batch) < _BATCH:
                break
            last = batch[-1]
            order = replace(order, after=Mark(SORTS[order.column].of(last), last.key.id))
        return tuple(found[:limit])

    def get(self, actor: Actor, key_id: str, transaction: Transaction | None = None) -> ApiKey:
        """Returns a key of the actor's tenant. Raises `NotFound`."""
        found = self._keys.get(key_id, transaction)
        if not is_visible(actor, found.assistants):
            raise NotFound("there is no such API key")
        return found

    def create(self, actor: Actor, wish: KeyWish, *, owner: str | None = None) -> NewKey:
        """Makes a key; its maker answers for it.

        Raises `InvalidContent`, `Refused` for an administrator of some areas, `Conflict` when the name is taken.

        `owner` is the id of another user who does; only the command line names one: else whoever holds a key could
        approve what was done with it.
        """
        _require_name(wish.name)
        _require_name(wish.client or wish.name)
        self._require_within(actor, wish, owner)
        made = self._make(wish, owner or _user_id(actor))
        with self._database.writing() as transaction:
            if wish.name in {one.name for one in self._keys.all(transaction)}:
                raise Conflict("there is an API key with this name. Choose another one.", rule="key_name_taken")
            self._add(actor, "key.created", made, transaction)
        return made

    def used(self, actor: Actor, key_id: str) -> tuple[ApiKey, int | None]:
        """Returns a key of the actor's tenant, and of one with a budget what it used of it today. Raises `NotFound`."""
        found = self.get(actor, key_id)
        if found.tokens_per_day is None:
            return found, None
        return found, self._decisions.tokens_since("principal", key_id, start_of_day(self._now()))

    def rotate(self, actor: Actor, key_id: str, *, overlap: dt.timedelta) -> NewKey:
        """Makes another key like it for the same client; the old one ends after `overlap`.

        Raises `NotFound`, `Conflict` for one that has ended or was rotated, `InvalidContent` for what the actor may not
        give, `Refused` for an administrator of some areas.
        """
        if not dt.timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidContent(f"overlap: 0 to {LONGEST_OVERLAP.days} days.")
        now = self._now()
        with self._database.writing() as transaction:
            old = self.get(actor, key_id, transaction)
            if not is_live(old, now):
                raise Conflict("this key has ended. Make a new one for its client.", rule="key_ended")
            # Its end was brought forward then, and no longer says what it was made for.
            if (follower := self._follower_of(old, transaction)) is not None:
                raise Conflict(f"this key was rotated: {follower} took its place. Rotate that one.", rule="key_rotated")
            made = self._like(actor, old, transaction)
            if overlap:
                self._keys.expire(old.id, at=now + overlap, session=transaction)
            else:
                self._keys.revoke(old.id, at=now, session=transaction)
            details = {"replaces": old.id, "overlap_s": int(overlap.total_seconds())}
            self._add(actor, "key.rotated", made, transaction, details)
        self._ring.forget()
        return made

    def revoke(self, actor: Actor, key_id: str) -> ApiKey:
        """Ends a key for good, at once in this process and within a second in others.

        Raises `NotFound`, `Refused` for an administrator of some areas.
        """
        with self._database.writing() as transaction:
            self.get(actor, key_id, transaction)
            require_everywhere(actor, Role.ADMIN)
            revoked = self._keys.revoke(key_id, at=self._now(), session=transaction)
            self._audit.append(actor, "key.revoked", f"key {key_id}", session=transaction, at=self._now())
        self._ring.forget()
        return revoked

    async def note_uses(self) -> None:
        """Stores once a minute when keys were last used, for as long as it runs."""
        while True:
            await anyio.sleep(NOTED_EVERY_S)
            await to_thread.run_sync(self.note_used)

    def note_used(self) -> None:
        """Stores when keys were last used, those that were since the last time."""
        if used := self._ring.take_used():
            self._keys.note_use(used)

    def _follower_of(self, old: ApiKey, transaction: Transaction) -> str | None:
        """Returns the id of the key that took the place of another, as the trail has it."""
        wanted, before = AuditFilter(action="key.rotated", since=old.created_at), None
        while rows := self._audit.page(wanted, limit=_BATCH, before=before, session=transaction):
            for row in rows:
                if row.details.get("replaces") == old.id:
                    return row.target.removeprefix("key ")
            before = rows[-1].number
        return None

    def _like(self, actor: Actor, old: ApiKey, transaction: Transaction) -> NewKey:
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        wish = KeyWish(
            name=_free_name(old.client, {one.name for one in self._keys.all(transaction)}),
            client=old.client,
            scopes=old.scopes,
            assistants=old.assistants,
            lifetime=lifetime,
            rate_class=old.rate_class if old.rate_class in self._ring.rate_classes else STANDARD_RATE,
            tokens_per_day=old.tokens_per_day,
        )
        owner = old.owner if actor is OPERATOR else None
        self._require_within(actor, wish, owner)
        return self._make(wish, owner or _user_id(actor))

    def _make(self, wish: KeyWish, owner: str | None) -> NewKey:
        return new_key(
            wish.name,
            self._pepper,
            scopes=wish.scopes,
            assistants=wish.assistants,
            lifetime=wish.lifetime,
            client=wish.client,
            owner=owner,
            rate_class=wish.rate_class,
            tokens_per_day=wish.tokens_per_day,
            at=self._now(),
        )

    def _add(
        self,
        actor: Actor,
        action: str,
        made: NewKey,
        transaction: Transaction,
        details: dict[str, object] | None = None,
    ) -> None:
        record = made.record
        self._keys.add(record, transaction)
        told: dict[str, object] = {"scopes": record.scopes, "assistants": record.assistants, "until": record.expires_at}
        told |= details or {}
        self._audit.append(actor, action, f"key {record.id}", told, session=transaction, at=self._now())

    def _require_within(self, actor: Actor, wish: KeyWish, owner: str | None) -> None:
        require_own(actor, wish.assistants)
        require_readable("assistants", wish.assistants)
        if not wish.scopes:
            raise InvalidContent("scopes: name at least one, such as `chat`.")
        if wish.rate_class not in self._ring.rate_classes:
            known = ", ".join(sorted(self._ring.rate_classes))
            raise InvalidContent(f"rate_class: there is no such rate. Known: {known}.")
        if wish.tokens_per_day is not None and not 1 <= wish.tokens_per_day <= MOST_TOKENS:
            raise InvalidContent(f"tokens_per_day: between 1 and {MOST_TOKENS}, or none for any number.")
        for scope in wish.scopes:
            roles = _NEEDED.get(scope, frozenset(Role))
            if not actor.may_everywhere(*roles):
                raise InvalidContent(f"scopes: you lack a role that `{scope.value}` needs, in all areas.")
        if KeyScope.EDIT in wish.scopes and actor is OPERATOR and owner is None:
            raise InvalidContent("a key that drafts changes needs an owner: name the user who answers for it.")
        require_everywhere(actor, Role.ADMIN)


def is_live(key: ApiKey, now: dt.datetime) -> bool:
    """Whether the key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _free_name(client: str, taken: Collection[str]) -> str:
    number = 2
    while f"{client} {number}" in taken:
        number += 1
    return f"{client} {number}"


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > _MAX_NAME_CHARS or not name.isprintable():
        raise InvalidContent(f"name: say who will use the key, in 1 to {_MAX_NAME_CHARS} characters.")


def _user_id(actor: Actor) -> str | None:
    kind, _, user_id = actor.person.partition(":")
    return user_id if kind == "user" else None
