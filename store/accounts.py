"""People who sign in, and what the store keeps of their sign-ins."""

import datetime as dt
import unicodedata
from dataclasses import dataclass, replace

from store.people import Actor, Grant, SetUp, hands_behind

_USER = "user:"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in."""

    id: str
    name: str
    mail: str | None
    password_hash: str | None
    """None for somebody who has not set a password, or signs in elsewhere."""
    grants: frozenset[Grant]
    assistants: frozenset[str]
    """The tenant; empty means all assistants."""
    disabled_at: dt.datetime | None
    totp_secret: bytes | None
    """Encrypted; None without an authenticator."""
    totp_confirmed: bool
    totp_step: int
    """The last time step whose code was used."""
    created_at: dt.datetime
    rev: int = 1
    set_up_by: frozenset[SetUp] = frozenset()
    """Others who gave it its password, authenticator or roles: one entry each, the last time. Never shrinks."""

    def set_up(self, by: Actor, at: dt.datetime) -> "User":
        """Returns the account with those who may act as its person from now on: whoever set it up, and who is behind.

        The gateway and the machine's operator are nobody, and neither is a provider of sign-in.
        """
        behind = {by.person} | hands_behind(by.set_up_by, at)
        added = {one: at for one in behind if one.startswith(_USER) and one != self.actor.person}
        known = {one.by: one.at for one in self.set_up_by} | added
        return replace(self, set_up_by=frozenset(SetUp(one, when) for one, when in known.items()))

    @property
    def actor(self) -> Actor:
        """The user as whoever does things."""
        name = f"{_USER}{self.id}"
        return Actor(name, self.name, name, self.grants, self.assistants, self.set_up_by)

    @property
    def has_totp(self) -> bool:
        """Whether signing in takes a code."""
        return self.totp_secret is not None and self.totp_confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser, without its token."""

    id: str
    user_id: str
    method: str
    """`password` or `oidc`."""
    agent: str
    """What the browser called itself, cut short."""
    created_at: dt.datetime
    seen_at: dt.datetime
    """Within a minute."""
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInAttempt:
    """A sign-in that was sent to a provider."""

    state_hash: bytes
    browser_hash: bytes
    nonce: str
    verifier: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReply:
    """What a request with an `Idempotency-Key` was answered; `status` is None while it is at work."""

    fingerprint: bytes
    begun_at: dt.datetime
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """Encrypted."""


def folded(text: str) -> str:
    """Returns the form in which names and addresses are compared: `Ada` and `ada` are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()
