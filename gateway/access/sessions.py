"""Sessions of signed-in people: how long they last, when they end, and the token that proves a page is ours."""

import datetime as dt
import hmac
from collections.abc import Callable
from dataclasses import dataclass

import uuid_utils

from gateway.access.sealing import Purpose, Seals, hash_of, new_token
from store.accounts import Session, User
from store.audit import AuditTrail
from store.database import Database, Transaction
from store.errors import NotFound
from store.people import Actor
from store.repositories.sessions import Sessions
from store.repositories.users import Users

IDLE = dt.timedelta(minutes=30)
LONGEST = dt.timedelta(hours=12)
_AHEAD = dt.timedelta(minutes=5)
"""By how much the clocks of two gateways may differ."""
_NOTED_EVERY = dt.timedelta(minutes=1)
_AGENT_CHARS = 120

Now = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Returns the time, in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a session, as of this request."""

    user: User
    session: Session
    csrf: str
    """What a page must send with each write."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session at the one moment when its token is known."""

    token: str
    signed_in: SignedIn


class SessionKeeper:
    """Begins, finds and ends sessions. All methods block."""

    def __init__(self, database: Database, audit: AuditTrail, seals: Seals, *, now: Now = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._seals = seals
        self._now = now
        self._sessions = Sessions(database)
        self._users = Users(database)

    def begin(
        self, user: User, *, method: str, agent: str, old_token: str | None, transaction: Transaction
    ) -> NewSession:
        """Begins a session under a new token; the one that the browser had before ends."""
        now = self._now()
        if old_token:
            self._sessions.end(hash_of(old_token), session=transaction)
        token = new_token()
        made = Session(
            id=str(uuid_utils.uuid7()),
            user_id=user.id,
            method=method,
            agent="".join(one for one in agent[:_AGENT_CHARS] if one.isprintable()),
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
        self._sessions.add(hash_of(token), made, session=transaction)
        return NewSession(token, SignedIn(user, made, self._csrf(token)))

    def find(self, token: str) -> SignedIn | None:
        """Returns whose session it is; None when there is none, it is over, or its user is disabled."""
        token_hash, now = hash_of(token), self._now()
        with self._database.reading() as transaction:
            found = self._sessions.find(token_hash, transaction)
            if found is None or _is_over(found, now):
                return None
            user = self._users.get(found.user_id, transaction)
        if user.disabled_at is not None:
            return None
        if now - found.seen_at >= _NOTED_EVERY:
            self._sessions.touch(token_hash, at=now)
        return SignedIn(user, found, self._csrf(token))

    def is_csrf(self, signed_in: SignedIn, sent: str) -> bool:
        """Whether a page that knows this session sent it."""
        return hmac.compare_digest(signed_in.csrf.encode(), sent.encode(errors="replace"))

    def of(self, actor: Actor) -> tuple[Session, ...]:
        """Returns the person's own sessions that are not over, newest first."""
        now = self._now()
        return tuple(one for one in self._sessions.of_user(_user_id(actor)) if not _is_over(one, now))

    def count(self, user: User) -> int:
        """Returns how many sessions of a user are not over."""
        now = self._now()
        return sum(not _is_over(one, now) for one in self._sessions.of_user(user.id))

    def end(self, actor: Actor, session_id: str) -> None:
        """Ends one of the person's own sessions. Raises `NotFound`."""
        if "\x00" in session_id:
            raise NotFound("there is no such session")
        with self._database.writing() as transaction:
            if not self._sessions.end_one(session_id, user_id=_user_id(actor), session=transaction):
                raise NotFound("there is no such session")
            self._audit.append(actor, "session.ended", f"session {session_id}", session=transaction, at=self._now())

    def end_all(self, user: User, *, but: str | None = None, transaction: Transaction) -> int:
        """Ends the user's sessions in the transaction of what makes that needed; returns how many."""
        return self._sessions.end_all(user.id, but=but, session=transaction)

    def _csrf(self, token: str) -> str:
        return self._seals.mark(Purpose.CSRF, token.encode()).hex()


def _is_over(session: Session, now: dt.datetime) -> bool:
    """Whether it has ended. One of a time to come is of a clock that was wrong, and nobody knows how old it is."""
    idle = now - session.seen_at
    return now >= session.expires_at or idle >= IDLE or idle < -_AHEAD


def _user_id(actor: Actor) -> str:
    """Returns the user behind an actor. Raises `NotFound` for one that is none, such as a key."""
    kind, _, user_id = actor.id.partition(":")
    if kind != "user":
        raise NotFound("only somebody who signed in has sessions")
    return user_id
