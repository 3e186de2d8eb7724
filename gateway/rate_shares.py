"""What one of several gateways lets in by itself while the store of rates is away, and what it then owes the store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.rates import MemoryRates, Rate, RateState

_US_NS = 1_000
_S_NS = 1_000_000_000
_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Owed:
    """Calls under a name that the store does not know of."""

    rate: Rate
    from_ns: int
    """Where the mark stood before the first of them."""
    ahead_us: int
    """How far they move the store's mark: this gateway's part of what they took."""


class Shares:
    """One of `gateways` equal parts of each rate, beginning with what the store said last of a name.

    A mark is a time until which calls are paid for, so it means the same for a whole rate and for a part of it: who
    has used half of the one has used half of the other.
    """

    def __init__(self, gateways: int, clock: Callable[[], float]) -> None:
        self._gateways = gateways
        self._memory = MemoryRates(share=gateways, clock_ns=lambda: int(clock() * _S_NS))
        self._owing: dict[_Name, tuple[Rate, int]] = {}

    @property
    def refused(self) -> Mapping[str, int]:
        """How many calls were refused, by the kind of rate that was used up."""
        return self._memory.refused

    @property
    def names(self) -> int:
        """How many names are known."""
        return self._memory.names

    @property
    def owes(self) -> bool:
        """Whether calls were let in of which the store does not know."""
        return bool(self._owing)

    def learn(self, rate: Rate, ahead_us: int) -> None:
        """Takes in how far ahead a mark of the store is; the furthest counts, for answers may overtake each other."""
        if _name(rate) not in self._owing:
            self._memory.set_mark(rate, max(ahead_us * _US_NS, self._memory.mark_ns(rate) - self._memory.now_ns))

    def settle(self, rate: Rate, ahead_us: int) -> None:
        """Takes over the store's mark after it was told, unless more calls came meanwhile."""
        if _name(rate) not in self._owing:
            self._memory.set_mark(rate, ahead_us * _US_NS)

    def take(self, rates: Sequence[Rate]) -> tuple[RateState, ...]:
        """Counts a call here. Raises `RateLimited`."""
        before = [self._memory.mark_ns(rate) for rate in rates]
        states = self._memory.take_now(rates)
        for rate, mark_ns in zip(rates, before, strict=True):
            self._owing.setdefault(_name(rate), (rate, mark_ns))
        return states

    def begin_telling(self, at_most: int) -> tuple[Owed, ...]:
        """Returns so many names of which something is owed; they count as told from now on."""
        told: list[Owed] = []
        while self._owing and len(told) < at_most:
            rate, from_ns = self._owing.pop(next(iter(self._owing)))
            now_ns = self._memory.now_ns
            ahead_us = (self._memory.mark_ns(rate) - max(from_ns, now_ns)) // (self._gateways * _US_NS)
            if ahead_us > 0:  # else it is paid for by the time that has passed
                told.append(Owed(rate, from_ns, ahead_us))
        return tuple(told)

    def take_back(self, owed: Sequence[Owed]) -> None:
        """Owes again what could not be told."""
        self._owing.update({_name(one.rate): (one.rate, one.from_ns) for one in owed})


def _name(rate: Rate) -> _Name:
    return rate.kind.value, rate.name
