"""How often anybody may call: one algorithm (GCRA) for keys, sessions, origins, addresses and assistants."""

import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.errors import RateLimited

_NS = 1_000_000_000
_MOST_NAMES = 20_000
"""Names of one kind that are counted at a time: about 4 MB. Visitors' addresses cannot push keys out."""


class RateKind(StrEnum):
    """What a rate holds for."""

    KEY = "key"
    SESSION = "session"
    ORIGIN = "origin"
    ADDRESS = "address"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Rate:
    """Under which name a call counts, and how many a minute there may be under it."""

    kind: RateKind
    name: str
    per_minute: int

    def __post_init__(self) -> None:
        if self.per_minute < 1:
            raise ValueError("a rate below one a minute lets nobody in. This is a bug.")


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate as it is counted, in whole units of time: what one call takes, and how far ahead calls may get."""

    step: int
    room: int

    @classmethod
    def of(cls, rate: Rate, *, second: int, share: int = 1) -> "Pace":
        """Makes the pace of a rate, or of one of `share` equal parts; `second` is how many units one has."""
        step = -(-60 * second * share // rate.per_minute)  # rounded up: never more than the rate
        return cls(step, step * max(1, rate.per_minute // share))

    def state(self, rate: Rate, ahead: int, *, second: int) -> "RateState":
        """Returns what is left when calls are `ahead` of now."""
        return RateState(rate.per_minute, (self.room - ahead) // self.step, ahead / second)


@dataclass(frozen=True, slots=True)
class RateState:
    """What is left under a name, for the rate-limit headers."""

    limit: int
    remaining: int
    reset_s: float
    """Seconds until a whole burst is free again."""


class RateStore(Protocol):
    """Where calls are counted: in this process, or in one place for several gateways."""

    async def take(self, rates: Sequence[Rate]) -> tuple[RateState, ...]:
        """Counts one call under each name, or under none and raises `RateLimited`; atomic, whoever else counts.

        A store that cannot be reached raises `NotServing`: what is not counted is not let in.
        """


class MemoryRates:
    """A `RateStore` of this process alone; thread-safe, on whole nanoseconds, so that nothing is rounded away.

    A minute's calls may come at once; after that one is free each `60 / per_minute` seconds: in any span of t seconds
    no more are taken than `per_minute` and t times the rate. Beyond `_MOST_NAMES` of a kind those idle longest are
    forgotten, which gives them a new burst.
    """

    def __init__(
        self, *, clock_ns: Callable[[], int] = time.monotonic_ns, most_names: int = _MOST_NAMES, share: int = 1
    ) -> None:
        """Makes the store; of each rate it lets one of `share` equal parts in."""
        self._clock_ns = clock_ns
        self._most_names = most_names
        self._share = share
        self._lock = threading.Lock()
        self._full_at: dict[RateKind, OrderedDict[str, int]] = {kind: OrderedDict() for kind in RateKind}
        self._refused: Counter[str] = Counter()

    @property
    def refused(self) -> Mapping[str, int]:
        """How many calls were refused, by the kind of rate that was used up."""
        return dict(self._refused)

    @property
    def names(self) -> int:
        """How many names are counted at the moment."""
        return sum(map(len, self._full_at.values()))

    async def take(self, rates: Sequence[Rate]) -> tuple[RateState, ...]:
        return self.take_now(rates)

    def take_now(self, rates: Sequence[Rate]) -> tuple[RateState, ...]:
        """Does what `take` does, for callers in threads."""
        with self._lock:
            now = self._clock_ns()
            paces = [Pace.of(rate, second=_NS, share=self._share) for rate in rates]
            aheads = [
                max(0, self._full_at[rate.kind].get(rate.name, now) - now) + pace.step
                for rate, pace in zip(rates, paces, strict=True)
            ]
            waits = [ahead - pace.room for ahead, pace in zip(aheads, paces, strict=True)]
            wait_ns = max(waits, default=0)
            if wait_ns > 0:
                rate = rates[waits.index(wait_ns)]
                self._refused[rate.kind.value] += 1
                raise limited(rate, wait_ns / _NS)
            for rate, ahead in zip(rates, aheads, strict=True):
                self._keep(rate, now + ahead)
            return tuple(
                pace.state(rate, ahead, second=_NS) for rate, pace, ahead in zip(rates, paces, aheads, strict=True)
            )

    @property
    def now_ns(self) -> int:
        """The time on the clock of marks."""
        return self._clock_ns()

    def mark_ns(self, rate: Rate) -> int:
        """Returns until when the calls under a name are paid for; now for a name that nobody called under."""
        with self._lock:
            now = self._clock_ns()
            return max(now, self._full_at[rate.kind].get(rate.name, now))

    def set_mark(self, rate: Rate, ahead_ns: int) -> None:
        """Sets it to so long from now."""
        with self._lock:
            self._keep(rate, self._clock_ns() + ahead_ns)

    def _keep(self, rate: Rate, end: int) -> None:
        kept = self._full_at[rate.kind]
        kept[rate.name] = end
        kept.move_to_end(rate.name)
        while len(kept) > self._most_names:
            kept.popitem(last=False)


def limited(rate: Rate, wait_s: float) -> RateLimited:
    """Returns what to tell whoever has used a rate up for so long."""
    return RateLimited(
        f"More than {rate.per_minute} requests within a minute for this {rate.kind.value}. "
        f"Wait {max(1, math.ceil(wait_s))} s and try again.",
        retry_after_s=wait_s,
        limit=rate.per_minute,
    )
