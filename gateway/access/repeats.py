"""Requests that are sent again with the same `Idempotency-Key`: done once, answered as the first time.

Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import datetime as dt
import hmac
import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import anyio
from anyio import to_thread

from gateway.access.sealing import Purpose, Seals, hash_of
from gateway.access.sessions import Now, utc_now
from gateway.errors import InvalidRequest
from store.database import Database
from store.errors import StoreUnavailable
from store.repositories.kept_replies import KeptReplies

KEPT = dt.timedelta(hours=24)
AT_WORK = dt.timedelta(minutes=15)
"""Longer than any request takes: whoever held a key for longer has died."""
_FORGOTTEN_EVERY_S = 3600.0
_MOST_FREE = 10_000
_GONE = b""
"""In place of a reply that cannot be given again; what is encrypted is never empty."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A key that a request holds while it is at work."""

    credential: str
    key_hash: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Repeats:
    """Keeps replies for a day, encrypted. All methods block."""

    def __init__(self, database: Database, seals: Seals, *, now: Now = utc_now) -> None:
        self._replies = KeptReplies(database)
        self._seals = seals
        self._now = now
        self._free: OrderedDict[Held, dt.datetime] = OrderedDict()
        """Keys that could not be given back, and when that was: who held them then holds them no more."""

    def begin(self, credential: str, key: str, parts: Iterable[bytes]) -> Held | Answered:
        """Takes the key for a request made of these parts, or returns what that request was answered before.

        Raises `InvalidRequest` when the key is at work, was used for another request, or the answer was not kept.
        """
        told = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        fingerprint, held = self._seals.mark(Purpose.REQUEST, told), Held(credential, hash_of(key))
        now = self._now()
        at_work = min(AT_WORK, now - self._free.get(held, now - AT_WORK))
        found = self._replies.begin(credential, held.key_hash, fingerprint, now=now, kept=KEPT, at_work=at_work)
        if found is None:
            self._free.pop(held, None)
            return held
        if not hmac.compare_digest(found.fingerprint, fingerprint):
            raise InvalidRequest("idempotency_key_reused", "This Idempotency-Key was used for another request.")
        if found.status is None:
            raise InvalidRequest("idempotency_in_progress", "The first request with this Idempotency-Key is at work.")
        if found.body == _GONE:
            words = f"This was done and answered with {found.status}; the reply was not kept. Read what is there now."
            raise InvalidRequest("idempotency_reply_gone", words)
        body = self._seals.unseal(Purpose.REPLY, found.body, place=_place(held))
        return Answered(found.status, found.headers, body)

    def finish(self, held: Held, answered: Answered) -> None:
        """Keeps the reply. Where the database is away its key stays held, so that nothing is done twice."""
        self._finish(held, answered, self._seals.seal(Purpose.REPLY, answered.body, place=_place(held)))

    def finish_without(self, held: Held, answered: Answered) -> None:
        """Keeps of a reply that cannot be given again that it was given. Where the database is away, as `finish`."""
        self._finish(held, answered, _GONE)

    def _finish(self, held: Held, answered: Answered, body: bytes) -> None:
        status, headers = answered.status, answered.headers
        try:
            self._replies.finish(held.credential, held.key_hash, status=status, headers=headers, body=body)
        except StoreUnavailable as error:
            _LOG.warning("reply_not_kept: %s", error)

    def release(self, held: Held) -> None:
        """Gives the key back after a request that did nothing. Where the database is away this process remembers it."""
        try:
            self._replies.release(held.credential, held.key_hash)
        except StoreUnavailable as error:
            _LOG.warning("idempotency_key_not_given_back: %s", error)
            self._free[held] = self._now()
            if len(self._free) > _MOST_FREE:
                self._free.popitem(last=False)

    async def forget(self) -> None:
        """Deletes once an hour what is older than a day, for as long as it runs."""
        while True:
            await to_thread.run_sync(lambda: self._replies.forget(before=self._now() - KEPT))
            await anyio.sleep(_FORGOTTEN_EVERY_S)


def _place(held: Held) -> str:
    return f"{held.credential} {held.key_hash.hex()}"
