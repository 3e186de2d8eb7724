"""Rates counted in one place for several gateways; while that does not answer, each lets in its share."""

import asyncio
import hashlib
import hmac
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.rates import MemoryRates, Pace, Rate, RateState, limited
from store.errors import StoreUnavailable
from store.rate_marks import Mark, Marked

AGAIN_S = 1.0
"""A store that did not answer is asked again by one request in so many seconds; nobody else waits for it."""
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

    What was asked for and not answered in time may have been counted: it counts here too, for the safe side. Names
    reach the store as keyed hashes: of addresses and sessions it learns nothing.
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
        self._alone = MemoryRates(share=gateways)
        self._is_alone = False
        self._asks_at = 0.0
        self._failures = 0
        self._refused: Counter[str] = Counter()

    @property
    def is_alone(self) -> bool:
        """Whether the store did not answer when it was asked last."""
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
        """How many names are counted in this process, for the time in which the store does not answer."""
        return self._alone.names

    async def take(self, rates: Sequence[Rate]) -> tuple[RateState, ...]:
        paces = [Pace.of(rate, second=_US) for rate in rates]
        marks = [Mark(self._name(rate), pace.step, pace.room) for rate, pace in zip(rates, paces, strict=True)]
        marked = await self._ask(marks)
        if marked is None:
            return await self._alone.take(rates)
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
        try:
            async with asyncio.timeout(self._wait_s):
                marked = await self._store.take(marks)
        except (TimeoutError, StoreUnavailable) as error:
            self._failures += 1
            self._asks_at = self._clock() + AGAIN_S
            if not self._is_alone:
                _LOG.warning("rate_store_lost", extra={"error": type(error).__name__})
            self._is_alone = True
            return None
        if self._is_alone:
            _LOG.info("rate_store_back")
        self._is_alone = False
        return marked

    def _name(self, rate: Rate) -> str:
        digest = hmac.digest(self._key, f"{rate.kind.value} {rate.name}".encode(), hashlib.sha256)
        return digest.hex()[:_NAME_DIGITS]
