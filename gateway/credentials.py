"""API keys and who a request speaks for: made once, shown once, kept as a keyed hash."""

import datetime as dt
import hashlib
import hmac
import os
import secrets
import stat
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from gateway.errors import NotAllowed, SettingsInvalid
from store.errors import NotFound
from store.types import STANDARD_RATE, ApiKey, KeyScope

_ALPHABET = string.ascii_letters + string.digits
_ID_CHARS = 8
_SECRET_CHARS = 43
"""43 base62 characters carry 256 bits."""
TRUSTED_S = 1.0
"""Looking a key up takes about a millisecond and a change of threads: as much as the rest of a kept answer's way."""
METRICS_TRUSTED_S = 3600.0
"""So long a key reads metrics while nothing can be looked up."""
_MOST_KNOWN = 10_000
_MOST_SCRAPERS = 100


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may do; derived from the credential alone."""

    id: str
    name: str
    scopes: frozenset[KeyScope]
    assistants: frozenset[str]
    """Assistants it may talk to; empty means all."""
    requests_per_minute: int
    tokens_per_day: int | None = None
    """Tokens of the model, read and written, that it may use in a day; None means any number."""
    owner: str | None = None
    """Id of the user who answers for a key."""
    trail_name: str = ""
    """How the audit trail names it, where that is not as a key."""

    def may_use(self, assistant: str) -> bool:
        """Whether it may talk to the assistant."""
        return not self.assistants or assistant in self.assistants


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the one moment when its secret is known."""

    token: str
    record: ApiKey


class KeyStore(Protocol):
    """Where key records are kept."""

    def get(self, key_id: str) -> ApiKey:
        """Returns the record with that id. Raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was found good, and until when that is believed without another look."""

    principal: Principal
    until_s: float
    expires_at: dt.datetime | None


class KeyRing:
    """Turns a token into a principal.

    A token that was good is believed for `TRUSTED_S`, so a revocation counts within that time, in every process, and a
    database that is away lets nobody in for longer, except to metrics: alerts that tell of it are made of them. Tokens
    are known by their whole SHA-256; a wrong one never is.
    """

    def __init__(
        self,
        store: KeyStore,
        pepper: bytes,
        *,
        requests_per_minute: int,
        rate_classes: Mapping[str, int] = MappingProxyType({}),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._store = store
        self._pepper = pepper
        self._rates = {STANDARD_RATE: requests_per_minute, **rate_classes}
        self._clock = clock
        self._now = now
        self._known: dict[bytes, _Known] = {}
        self._scrapers: dict[bytes, _Known] = {}
        self._forgotten = 0
        self._used: dict[str, dt.datetime] = {}

    @property
    def rate_classes(self) -> frozenset[str]:
        """Names of the rates that a key may be held to."""
        return frozenset(self._rates)

    def set_rates(self, requests_per_minute: int, rate_classes: Mapping[str, int]) -> None:
        """Holds keys to other rates, from the next look at each on."""
        self._rates = {STANDARD_RATE: requests_per_minute, **rate_classes}
        self.forget()

    def known(self, token: str) -> Principal | None:
        """Returns who a token speaks for that was found good a moment ago, else None. Never blocks."""
        principal = self._believed(self._known.get(_digest(token)))
        if principal is not None:
            self._used[principal.id] = self._now()
        return principal

    def scraper(self, token: str) -> Principal | None:
        """Returns whose token was good for metrics within `METRICS_TRUSTED_S`, else None. Never blocks."""
        return self._believed(self._scrapers.get(_digest(token)))

    def principal(self, token: str) -> Principal:
        """Returns who the token speaks for. Raises `NotAllowed`, with the same words whatever is wrong with it.

        Blocks on the database: call it in a thread.
        """
        asked_s, forgotten = self._clock(), self._forgotten
        record, now = self._find(token), self._now()
        if record is None or not is_valid(token, record, self._pepper, now):
            for kept in (self._known, self._scrapers):
                kept.pop(_digest(token), None)
            raise NotAllowed("invalid_api_key", "The API key is missing, wrong, expired or revoked.")
        principal = Principal(
            id=record.id,
            name=record.name,
            scopes=frozenset(record.scopes),
            assistants=frozenset(record.assistants),
            requests_per_minute=self._rates.get(record.rate_class, self._rates[STANDARD_RATE]),
            tokens_per_day=record.tokens_per_day,
            owner=record.owner,
        )
        if forgotten == self._forgotten:  # else it may have been revoked between our look and now
            _keep(self._known, token, _Known(principal, asked_s + TRUSTED_S, record.expires_at), most=_MOST_KNOWN)
            if KeyScope.METRICS in principal.scopes:
                known = _Known(principal, asked_s + METRICS_TRUSTED_S, record.expires_at)
                _keep(self._scrapers, token, known, most=_MOST_SCRAPERS)
        self._used[principal.id] = now
        return principal

    def forget(self) -> None:
        """Believes nothing without another look; called after a key was revoked or changed in this process."""
        self._forgotten += 1
        self._known.clear()
        self._scrapers.clear()

    def take_used(self) -> dict[str, dt.datetime]:
        """Returns when keys were last used since the last call."""
        used, self._used = self._used, {}
        return used

    def _believed(self, known: _Known | None) -> Principal | None:
        if known is None or self._clock() >= known.until_s or _is_over(known.expires_at, self._now()):
            return None
        return known.principal

    def _find(self, token: str) -> ApiKey | None:
        key_id = key_id_of(token)
        try:
            return self._store.get(key_id) if key_id else None
        except NotFound:
            return None


def _keep(kept: dict[bytes, _Known], token: str, known: _Known, *, most: int) -> None:
    if len(kept) >= most:
        kept.clear()
    kept[_digest(token)] = known


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _is_over(expires_at: dt.datetime | None, now: dt.datetime) -> bool:
    return expires_at is not None and now >= expires_at


def load_pepper(path: Path) -> bytes:
    """Returns the pepper: whoever has it and the database can test guesses of keys. As `load_secret`."""
    return load_secret(path)


def load_secret(path: Path) -> bytes:
    """Returns the 32 random bytes in a file of its owner alone, which is made at the first call with mode 0600.

    Raises `SettingsInvalid` when others may read it, or when it is damaged.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsInvalid(f"cannot write {path}: {error.strerror}") from error
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
    try:
        is_private = not stat.S_IMODE(path.stat().st_mode) & 0o077
        pepper = path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"cannot read {path}: {error.strerror}") from error
    if not is_private:
        raise SettingsInvalid(f"{path} can be read by others; run: chmod 600 {path}")
    if len(pepper) != 32:  # noqa: PLR2004 - the length written above
        raise SettingsInvalid(
            f"{path} is damaged: it must hold 32 bytes. Restore it from a backup; a new one ends what was made with it."
        )
    return pepper


def write_secret(path: Path, secret: str) -> None:
    """Writes a secret for a person to a line of a file of its owner alone, mode 0600. Raises `OSError`."""
    path.unlink(missing_ok=True)  # a file that is there keeps its mode
    path.touch(mode=0o600)
    try:
        path.write_text(secret + "\n")
    except OSError:
        path.unlink()  # half a secret looks like one
        raise


def new_key(
    name: str,
    pepper: bytes,
    *,
    scopes: tuple[KeyScope, ...],
    assistants: tuple[str, ...] = (),
    lifetime: dt.timedelta | None = None,
    client: str = "",
    owner: str | None = None,
    rate_class: str = STANDARD_RATE,
    tokens_per_day: int | None = None,
    at: dt.datetime | None = None,
) -> NewKey:
    """Makes a key `cg_<id>_<secret>`; only its record is to be stored."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARS))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_CHARS))
    now = at or dt.datetime.now(dt.UTC)
    record = ApiKey(
        id=key_id,
        name=name,
        secret_hash=_keyed_hash(secret, pepper),
        scopes=scopes,
        assistants=assistants,
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
        revoked_at=None,
        client=client or name,
        owner=owner,
        rate_class=rate_class,
        tokens_per_day=tokens_per_day,
    )
    return NewKey(f"cg_{key_id}_{secret}", record)


def key_id_of(token: str) -> str | None:
    """Returns the id inside a well-formed token, by which the record is looked up."""
    mark, _, rest = token.partition("_")
    key_id, _, secret = rest.partition("_")
    is_formed = mark == "cg" and len(key_id) == _ID_CHARS and len(secret) == _SECRET_CHARS
    return key_id if is_formed and (key_id + secret).isascii() and (key_id + secret).isalnum() else None


def is_valid(token: str, record: ApiKey, pepper: bytes, now: dt.datetime) -> bool:
    """Whether the token's secret is the record's, and the key is neither expired nor revoked."""
    secret = token.rpartition("_")[2]
    is_same = hmac.compare_digest(_keyed_hash(secret, pepper), record.secret_hash)
    is_live = record.revoked_at is None and (record.expires_at is None or now < record.expires_at)
    return is_same and is_live


def _keyed_hash(secret: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, secret.encode(), hashlib.sha256)
