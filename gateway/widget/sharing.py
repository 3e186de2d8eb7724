"""What was said in widgets, shared by gateways through their database: a visitor may come to any of them."""

import datetime as dt
import hmac
import logging
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread

from gateway.access.sealing import Purpose, Seals
from gateway.access.sessions import Now, utc_now
from gateway.errors import InvalidRequest, NotServing
from gateway.widget.answers import Told
from gateway.widget.conversations import CONVERSATIONS, MOST_TURNS, Turn
from gateway.widget.sessions import Visit
from store.errors import Conflict, StoreUnavailable
from store.repositories.widget_turns import Place, WidgetTurn, WidgetTurns

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


class SharedTurns:
    """Questions and their answers, encrypted under the access key, for as long as conversations are kept.

    The gateway that a question came to works on it; what it comes to is written down once, when it is done.
    """

    def __init__(self, turns: WidgetTurns, seals: Seals, *, now: Now = utc_now) -> None:
        self._turns = turns
        self._seals = seals
        self._now = now
        self._threads = CapacityLimiter(4)

    async def asked(self, visit: Visit, key: str, fingerprint: bytes, *, conversation: str, message: str) -> bool:
        """Writes down a question that is about to be worked on; False when a gateway works on it already."""
        turn = WidgetTurn(
            holder=visit.holder,
            key=key,
            conversation=conversation,
            person=visit.session.person,
            fingerprint=fingerprint,
            message=self._sealed(message.encode(errors="replace"), (visit.holder, key)),
            at=self._now(),
        )
        try:
            await self._call(self._turns.add, turn)
        except Conflict:
            return False
        return True

    async def ended(self, visit: Visit, key: str, told: Told) -> None:
        """Writes down the last event. Where the database is away, this gateway alone knows it."""
        place = visit.holder, key
        sealed = self._sealed(msgspec.json.encode((told.name, told.data.decode(), told.status, told.headers)), place)
        end = partial(self._turns.end, place, sealed, may_come_again=told.may_come_again)
        try:
            await to_thread.run_sync(end, limiter=self._threads)
        except StoreUnavailable as error:
            _LOG.warning("widget_turn_not_shared: %s", error)

    async def find(self, visit: Visit, key: str) -> WidgetTurn | None:
        """Returns a question of the visit."""
        return await self._call(self._turns.find, (visit.holder, key))

    async def known(self, visit: Visit, key: str, fingerprint: bytes) -> WidgetTurn | None:
        """Returns the same question, unless it may be asked anew.

        Raises `InvalidRequest` when the key was used for another one.
        """
        found = await self.find(visit, key)
        if found is None or found.may_come_again:
            return None
        if not hmac.compare_digest(found.fingerprint, fingerprint):
            raise InvalidRequest("idempotency_key_reused", "This Idempotency-Key was used for another question.")
        return found

    def age_s(self, turn: WidgetTurn) -> float:
        """Returns how long ago a question was asked."""
        return (self._now() - turn.at).total_seconds()

    def told(self, turn: WidgetTurn) -> Told | None:
        """Returns what a question ended in."""
        if turn.ended is None:
            return None
        opened = self._seals.unseal(Purpose.TURN, turn.ended, place=_name((turn.holder, turn.key)))
        name, data, status, headers = msgspec.json.decode(
            opened, type=tuple[str, str, int, tuple[tuple[str, str], ...]]
        )
        return Told(name, data.encode(), status, headers)

    async def has(self, visit: Visit, conversation: str) -> bool:
        """Whether the visit has a conversation with that id."""
        return await self._call(self._turns.knows, visit.holder, conversation)

    async def said(self, visit: Visit, conversation: str) -> tuple[Turn, ...]:
        """Returns what was said, oldest first; empty for no conversation of the visit."""
        found = await self._call(partial(self._turns.said, most=MOST_TURNS), visit.holder, conversation)
        return tuple(Turn(one.key, self._message(one), self._answer(one)) for one in found)

    async def stop(self, visit: Visit, key: str) -> None:
        """Asks the gateway that works on it to stop."""
        await self._call(self._turns.stop, (visit.holder, key))

    async def take_back(self, visit: Visit, key: str) -> None:
        """Forgets a question that no work was done for."""
        await self._call(self._turns.take_back, (visit.holder, key))

    async def forget(self, visit: Visit, conversation: str) -> None:
        """Forgets what was said; what is still worked on is stopped."""
        await self._call(self._turns.forget, visit.holder, conversation)

    async def unwanted(self, places: Collection[Place]) -> frozenset[Place]:
        """Returns those of the questions here that were stopped or forgotten at any gateway."""
        return frozenset(places) - await self._call(self._turns.wanted, places)

    async def expire(self) -> None:
        """Forgets what is older than conversations are kept."""
        before = self._now() - dt.timedelta(seconds=CONVERSATIONS.lifetime_s)
        await self._call(partial(self._turns.expire, before=before))

    def _message(self, turn: WidgetTurn) -> str:
        return self._seals.unseal(Purpose.TURN, turn.message, place=_name((turn.holder, turn.key))).decode()

    def _answer(self, turn: WidgetTurn) -> bytes | None:
        told = self.told(turn)
        return told.data if told is not None and told.name == "done" else None

    def _sealed(self, data: bytes, place: Place) -> bytes:
        return self._seals.seal(Purpose.TURN, data, place=_name(place))

    async def _call(self, call: Callable[..., T], *given: object) -> T:
        try:
            return await to_thread.run_sync(partial(call, *given), limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "What was said cannot be read. Try again shortly.") from error


def _name(place: Place) -> str:
    return " ".join(place)
