"""Administers people: makes them, gives them roles, keeps them out, lets them set a new password."""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import uuid_utils

from gateway.access.sealing import hash_of, new_token
from gateway.access.sessions import Now, SessionKeeper, utc_now
from gateway.access.tenancy import is_visible, require_givable, require_own
from store.accounts import User, folded
from store.audit import AuditTrail
from store.database import Database, Transaction
from store.errors import Conflict, InvalidContent, NotFound
from store.people import SYSTEM, Actor, Grant, Role
from store.readable import require_readable
from store.repositories.users import SORTS, Users
from store.sorting import Mark, Order

SETUP_LIFETIME = dt.timedelta(hours=24)
_NAME = re.compile(r"[^\W_](?:[\w .'-]{0,62}[\w.])?")
_MAIL = re.compile(r"[^\s@\x00-\x1f\x7f-\x9f]{1,64}@[^\s@\x00-\x1f\x7f-\x9f]{1,190}")
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody with the token that lets them set a password, at the one moment when it is known."""

    user: User
    token: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Awaited:
    """The first administrator, who was given a token before and has not used it yet."""

    user: User
    expires_at: dt.datetime
    token_hash: bytes


class UserService:
    """What administrators do with people. `actor` must be one: the route table sees to that. All methods block."""

    def __init__(self, database: Database, audit: AuditTrail, keeper: SessionKeeper, *, now: Now = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._keeper = keeper
        self._now = now
        self._users = Users(database)

    def page(self, actor: Actor, *, limit: int, after: str = "") -> tuple[User, ...]:
        """Returns up to `limit` users of the actor's tenant with ids after that one."""
        found: list[User] = []
        while len(found) < limit:
            batch = self._users.page(limit=_BATCH, after=after)
            found += [one for one in batch if is_visible(actor, one.assistants)]
            if len(batch) < _BATCH:
                break
            after = batch[-1].id
        return tuple(found[:limit])

    def sorted_page(self, actor: Actor, order: Order, *, limit: int, text: str = "") -> tuple[User, ...]:
        """Returns users of the actor's tenant in an order of `SORTS`; `text` is a part of name or address."""
        found: list[User] = []
        wanted = folded(text)
        while len(found) < limit:
            batch = self._users.sorted_page(order, limit=_BATCH)
            mine = (one for one in batch if is_visible(actor, one.assistants))
            found += (one for one in mine if wanted in folded(f"{one.name}\n{one.mail or ''}"))
            if len(batch) < _BATCH:
                break
            order = replace(order, after=Mark(SORTS[order.column].of(batch[-1]), batch[-1].id))
        return tuple(found[:limit])

    def names(self, actor: Actor, ids: Collection[str]) -> Mapping[str, str]:
        """Returns the names of those users that are of the actor's tenant."""
        return {one.id: one.name for one in self._users.of_ids(ids) if is_visible(actor, one.assistants)}

    def get(self, actor: Actor, user_id: str, transaction: Transaction | None = None) -> User:
        """Returns a user of the actor's tenant. Raises `NotFound`."""
        user = self._users.get(user_id, transaction)
        if not is_visible(actor, user.assistants):
            raise NotFound("there is no such user")
        return user

    def named(self, name_or_mail: str) -> User:
        """Returns whoever has that name or address, for the command line. Raises `NotFound`."""
        user = self._users.named(name_or_mail)
        if user is None:
            raise NotFound(f"there is no user {name_or_mail!r}; `canongate user list` shows them")
        return user

    def create(
        self,
        actor: Actor,
        name: str,
        *,
        mail: str | None = None,
        grants: Collection[Grant] = (),
        assistants: Collection[str] = (),
    ) -> Invited:
        """Makes a user without a password. Raises `Conflict` when the name is taken, `InvalidContent`."""
        require_name(name)
        require_mail(mail)
        _require_readable(grants, assistants)
        require_givable(actor, grants)
        require_own(actor, assistants)
        now = self._now()
        made = new_user(name, mail, frozenset(grants), frozenset(assistants), at=now).set_up(actor, now)
        with self._database.writing() as transaction:
            if self._users.named(name, transaction) or (mail and self._users.named(mail, transaction)):
                raise Conflict("the name or the address is somebody's already. Choose another one.", rule="name_taken")
            self._users.add(made, transaction)
            self._tell(actor, "user.created", made, transaction, _granted(made))
            return self._invite(actor, made, transaction)

    def give(
        self, actor: Actor, user_id: str, *, grants: Collection[Grant], assistants: Collection[str], rev: int
    ) -> User:
        """Replaces roles and tenant, and ends the user's sessions. Raises `Conflict`, `InvalidContent`, `NotFound`."""
        _require_readable(grants, assistants)
        require_givable(actor, grants)
        require_own(actor, assistants)
        with self._database.writing() as transaction:
            before = self.get(actor, user_id, transaction)
            require_givable(actor, before.grants)
            if actor.person == before.actor.person:
                raise Conflict("nobody changes their own roles. Ask another administrator.", rule="own_roles")
            given = replace(before, grants=frozenset(grants), assistants=frozenset(assistants), rev=rev)
            changed = given.set_up(actor, self._now())
            return self._change(actor, "user.granted", before, changed, transaction, details=_granted(changed))

    def disable(self, actor: Actor, user_id: str, *, rev: int) -> User:
        """Keeps a user out, at once. Raises `Conflict` for oneself and for the last administrator, `NotFound`."""
        with self._database.writing() as transaction:
            before = self.get(actor, user_id, transaction)
            require_givable(actor, before.grants)
            if actor.person == before.actor.person:
                raise Conflict("nobody disables themselves. Ask another administrator.", rule="own_account")
            changed = replace(before, disabled_at=before.disabled_at or self._now(), rev=rev)
            return self._change(actor, "user.disabled", before, changed, transaction)

    def enable(self, actor: Actor, user_id: str, *, rev: int) -> User:
        """Lets a user in again. Raises `Conflict`, `NotFound`."""
        with self._database.writing() as transaction:
            before = self.get(actor, user_id, transaction)
            require_givable(actor, before.grants)
            changed = replace(before, disabled_at=None, rev=rev)
            return self._change(actor, "user.enabled", before, changed, transaction)

    def reset_password(self, actor: Actor, user_id: str) -> Invited:
        """Takes the password away and gives a token to set another; sessions end. Raises `NotFound`."""
        with self._database.writing() as transaction:
            before = self.get(actor, user_id, transaction)
            require_givable(actor, before.grants)
            changed = replace(before, password_hash=None).set_up(actor, self._now())
            after = self._change(actor, "user.password_reset", before, changed, transaction)
            return self._invite(actor, after, transaction)

    def reset_totp(self, actor: Actor, user_id: str) -> User:
        """Takes the authenticator and the recovery codes away; sessions end. Raises `NotFound`."""
        with self._database.writing() as transaction:
            before = self.get(actor, user_id, transaction)
            require_givable(actor, before.grants)
            bare = replace(before, totp_secret=None, totp_confirmed=False)
            changed = bare.set_up(actor, self._now())
            self._users.put_recovery_codes(user_id, (), session=transaction)
            return self._change(actor, "user.totp_reset", before, changed, transaction)

    def sessions(self, actor: Actor, user_id: str) -> int:
        """Returns how many sessions of a user are not over. Raises `NotFound`."""
        return self._keeper.count(self.get(actor, user_id))

    def end_sessions(self, actor: Actor, user_id: str) -> int:
        """Signs a user out everywhere; returns of how many browsers. Raises as `give`."""
        with self._database.writing() as transaction:
            user = self.get(actor, user_id, transaction)
            require_givable(actor, user.grants)
            ended = self._keeper.end_all(user, transaction=transaction)
            self._tell(actor, "user.sessions_ended", user, transaction, {"sessions_ended": ended})
            return ended

    def first_administrator(self, name: str = "admin") -> Invited | Awaited | None:
        """Makes the first user, an administrator, and invites them again when their token is over; else None.

        Of gateways that start at once one makes the token; it stays good for all of them, and at the next start.
        """
        with self._database.writing() as transaction:
            self._users.hold_first(transaction)
            known = self._users.page(limit=2, session=transaction)
            if not known:
                made = new_user(name, None, frozenset({Grant(Role.ADMIN)}), frozenset(), at=self._now())
                self._users.add(made, transaction)
                self._tell(SYSTEM, "user.created", made, transaction, _granted(made))
                return self._invite(SYSTEM, made, transaction)
            only = known[0]
            is_waiting = len(known) == 1 and only.password_hash is None and only.actor.may(Role.ADMIN)
            if not is_waiting:
                return None
            given = self._users.setup_token(only.id, transaction)
            if given is None or given[1] <= self._now():
                return self._invite(SYSTEM, only, transaction)
            return Awaited(only, expires_at=given[1], token_hash=given[0])

    def _invite(self, actor: Actor, user: User, transaction: Transaction) -> Invited:
        token, expires_at = new_token(), self._now() + SETUP_LIFETIME
        self._users.put_setup_token(user.id, hash_of(token), expires_at=expires_at, session=transaction)
        self._tell(actor, "user.invited", user, transaction, {"until": expires_at})
        return Invited(user, token, expires_at)

    def _change(
        self,
        actor: Actor,
        action: str,
        before: User,
        changed: User,
        transaction: Transaction,
        *,
        details: dict[str, object] | None = None,
    ) -> User:
        """Stores the change and ends the user's sessions: who they are must be found out anew."""
        if _administers(before) and not _administers(changed):
            self._require_another_administrator(before, transaction)
        after = self._users.change(changed, session=transaction)
        ended = self._keeper.end_all(after, transaction=transaction)
        self._tell(actor, action, after, transaction, {**(details or {}), "sessions_ended": ended})
        return after

    def _require_another_administrator(self, but: User, transaction: Transaction) -> None:
        # Held in the order of their ids: of two who remove each other at once, the second one sees what the first did.
        after = ""
        while batch := self._users.hold_page(limit=_BATCH, after=after, session=transaction):
            if any(_administers(one) and one.id != but.id for one in batch):
                return
            after = batch[-1].id
        raise Conflict("this is the last administrator of everything. Make another one first.", rule="last_admin")

    def _tell(
        self,
        actor: Actor,
        action: str,
        user: User,
        transaction: Transaction,
        details: dict[str, object] | None = None,
    ) -> None:
        self._audit.append(actor, action, f"user {user.id}", details, session=transaction, at=self._now())


def new_user(
    name: str, mail: str | None, grants: frozenset[Grant], assistants: frozenset[str], *, at: dt.datetime
) -> User:
    """Returns a user without a password or an authenticator."""
    return User(
        id=str(uuid_utils.uuid7()),
        name=name,
        mail=mail,
        password_hash=None,
        grants=grants,
        assistants=assistants,
        disabled_at=None,
        totp_secret=None,
        totp_confirmed=False,
        totp_step=0,
        created_at=at,
    )


def require_name(name: str) -> None:
    """Raises `InvalidContent` for a name that cannot be told from an address, or cannot be read."""
    if not _NAME.fullmatch(name):
        raise InvalidContent("name: 1 to 64 letters, digits, spaces, dots, dashes; it begins with a letter or digit.")


def _require_readable(grants: Collection[Grant], assistants: Collection[str]) -> None:
    require_readable("grants: areas", [sorted(one.areas) for one in grants])
    require_readable("assistants", list(assistants))


def require_mail(mail: str | None) -> None:
    """Raises `InvalidContent` for what is no mail address."""
    if mail is not None and not _MAIL.fullmatch(mail):
        raise InvalidContent("mail: write an address such as ada@tarnwick.example.")


def _administers(user: User) -> bool:
    """Whether the user can give every role everywhere."""
    whole = Grant(Role.ADMIN) in user.grants and not user.assistants
    return whole and user.disabled_at is None


def _granted(user: User) -> dict[str, object]:
    grants = sorted(f"{one.role.value}:{','.join(sorted(one.areas)) or '*'}" for one in user.grants)
    return {"grants": grants, "assistants": sorted(user.assistants)}
