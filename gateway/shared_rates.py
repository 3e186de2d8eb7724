"""Rates counted in one place for several gateways; while that does not answer, each lets its part in."""

import asyncio
import hashlib
import hmac
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.rate_shares import Shares
from gateway.rates import Pace, Rate, RateState, limited
from store.errors import StoreUnavailable
from store.rate_marks import Mark, Marked

AGAIN_S = 1.0
"""A store that did not answer is asked again by one request in so many seconds; nobody else waits for it."""
_TOLD_AT_ONCE = 200
"""Names of one call in which the store is told what was let in without it."""
_CAUGHT_UP = 2
"""Bursts that a mark may be ahead before what is owed is added: beyond them nobody could tell the difference."""
_US = 1_000_000
_PURPOSE = b"canongate rates"
_NAME_DIGITS = 32

_LOG = logging.getLogger(__name__)


class MarkStore(Protocol):
    """Where several gateways count."""

    async def take(self, marks: Sequence[Mark]) -> Marked:
        """Counts a call under each name, or under none, in one atomic step. Raises `StoreUnavailable`."""


class SharedRates:
    """A `RateStore` that counts in one place with other gateways, and never waits for that longer than it may.

    One late answer counts for its request alone; when whoever asks after that is not answered either, the store is
    lost. What was asked for and not answered in time may have been counted: it counts here too, for the safe side. What
    was let in without the store is told to it first when it is asked again. Names reach the store as keyed hashes: of
    addresses and sessions it learns nothing.
    """

    def __init__(
        self,
        store: MarkStore,
        *,
        key: bytes,
        gateways: int,
        wait_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._key = hmac.digest(key, _PURPOSE, hashlib.sha256)
        self._wait_s = wait_s
        self._clock = clock
        self._alone = Shares(gateways, clock)
        self._is_alone = False
        self._asked = 0
        self._late_at: int | None = None
        """How many had asked when an answer was late, while none has come since."""
        self._asks_at = 0.0
        self._failures = 0
        self._refused: Counter[str] = Counter()

    @property
    def is_alone(self) -> bool:
        """Whether the store is lost, and has not answered since."""
        return self._is_alone

    @property
    def failures(self) -> int:
        """How often it did not."""
        return self._failures

    @property
    def refused(self) -> Mapping[str, int]:
        """How many calls were refused, by the kind of rate that was used up."""
        return self._refused + Counter(self._alone.refused)

    @property
    def names(self) -> int:
        """How many names this process knows the marks of, for the time in which the store does not answer."""
        return self._alone.names

    async def take(self, rates: Sequence[Rate]) -> tuple[RateState, ...]:
        paces = [Pace.of(rate, second=_US) for rate in rates]
        marks = [Mark(self._name(rate), pace.step, pace.room) for rate, pace in zip(rates, paces, strict=True)]
        marked = await self._ask(marks)
        if marked is None:
            return self._alone.take(rates)
        for rate, pace, ahead_us in zip(rates, paces, marked.ahead_us, strict=True):
            self._alone.learn(rate, ahead_us - (0 if marked.is_taken else pace.step))
        if not marked.is_taken:
            waits = [ahead - pace.room for ahead, pace in zip(marked.ahead_us, paces, strict=True)]
            rate = rates[waits.index(max(waits))]
            self._refused[rate.kind.value] += 1
            raise limited(rate, max(waits) / _US)
        return tuple(
            pace.state(rate, ahead, second=_US) for rate, pace, ahead in zip(rates, paces, marked.ahead_us, strict=True)
        )

    async def _ask(self, marks: Sequence[Mark]) -> Marked | None:
        """Returns what the store says, None while it says nothing."""
        if self._is_alone:
            if self._clock() < self._asks_at:
                return None
            self._asks_at = self._clock() + AGAIN_S
        self._asked += 1
        number = self._asked
        try:
            async with asyncio.timeout(self._wait_s):
                while self._alone.owes:
                    await self._tell()
                marked = await self._store.take(marks)
        except (TimeoutError, StoreUnavailable) as error:
            self._failed(error, number)
            return None
        if self._is_alone:
            _LOG.info("rate_store_back")
        self._is_alone, self._late_at = False, None
        return marked

    def _failed(self, error: Exception, number: int) -> None:
        self._failures += 1
        if isinstance(error, TimeoutError) and not self._is_alone:
            if self._late_at is None:
                self._late_at = self._asked
            if number <= self._late_at:  # asked before anybody knew
                return
        self._asks_at = self._clock() + AGAIN_S
        if not self._is_alone:
            _LOG.warning("rate_store_lost", extra={"error": type(error).__name__})
        self._is_alone = True

    async def _tell(self) -> None:
        """Moves the store's marks on by what was let in without it."""
        owed = self._alone.begin_telling(_TOLD_AT_ONCE)
        if not owed:
            return
        rooms = [Pace.of(one.rate, second=_US).room * _CAUGHT_UP + one.ahead_us for one in owed]
        marks = [Mark(self._name(one.rate), one.ahead_us, room) for one, room in zip(owed, rooms, strict=True)]
        try:
            marked = await self._store.take(marks)
        except BaseException:
            self._alone.take_back(owed)
            raise
        for one, ahead_us in zip(owed, marked.ahead_us, strict=True):
            self._alone.settle(one.rate, ahead_us)

    def _name(self, rate: Rate) -> str:
        digest = hmac.digest(self._key, f"{rate.kind.value} {rate.name}".encode(), hashlib.sha256)
        return digest.hex()[:_NAME_DIGITS]
