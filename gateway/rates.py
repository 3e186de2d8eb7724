"""How often anybody may call: one algorithm (GCRA) for keys, sessions, origins, addresses and assistants."""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.errors import RateLimited

_NS = 1_000_000_000
_MINUTE_NS = 60 * _NS
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

    def __init__(self, *, clock_ns: Callable[[], int] = time.monotonic_ns, most_names: int = _MOST_NAMES) -> None:
        self._clock_ns = clock_ns
        self._most_names = most_names
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
            steps = [-(-_MINUTE_NS // rate.per_minute) for rate in rates]  # rounded up: never more than the rate
            after = [
                max(now, self._full_at[rate.kind].get(rate.name, now)) + step
                for rate, step in zip(rates, steps, strict=True)
            ]
            waits = [end - now - rate.per_minute * step for rate, step, end in zip(rates, steps, after, strict=True)]
            wait_ns = max(waits, default=0)
            if wait_ns > 0:
                raise self._limited(rates[waits.index(wait_ns)], wait_ns)
            for rate, end in zip(rates, after, strict=True):
                self._keep(rate, end)
            return tuple(
                RateState(rate.per_minute, rate.per_minute - -(-(end - now) // step), (end - now) / _NS)
                for rate, step, end in zip(rates, steps, after, strict=True)
            )

    def _limited(self, rate: Rate, wait_ns: int) -> RateLimited:
        self._refused[rate.kind.value] += 1
        wait_s = wait_ns / _NS
        return RateLimited(
            f"More than {rate.per_minute} requests within a minute for this {rate.kind.value}. "
            f"Wait {max(1, -(-wait_ns // _NS))} s and try again.",
            retry_after_s=wait_s,
            limit=rate.per_minute,
        )

    def _keep(self, rate: Rate, end: int) -> None:
        kept = self._full_at[rate.kind]
        kept[rate.name] = end
        kept.move_to_end(rate.name)
        while len(kept) > self._most_names:
            kept.popitem(last=False)
