"""How often a password may be tried: a few times a minute, and nobody can use that up for somebody else for good."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from ipaddress import IPv6Address, ip_address

from gateway.errors import RateLimited

PER_MINUTE = 5
_WINDOW_S = 60.0
_MOST_KEPT = 20_000
_IPV6_NETWORK_BITS = 64


class Tries:
    """Counts tries under names, in this process alone; thread-safe. Tries that succeed are given back."""

    def __init__(self, *, per_minute: int = PER_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._tried: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, names: Collection[str]) -> None:
        """Counts one try under each name, or under none and raises `RateLimited`, with when the next one is free."""
        with self._lock:
            now = self._clock()
            tried = {name: self._recent(name, now) for name in names}
            waits = [one[0] + _WINDOW_S - now for one in tried.values() if len(one) >= self._per_minute]
            if waits:
                raise RateLimited("Too many tries. Wait as long as Retry-After says.", retry_after_s=max(waits))
            for name, one in tried.items():
                one.append(now)
                self._tried[name] = one
                self._tried.move_to_end(name)
            while len(self._tried) > _MOST_KEPT:
                self._tried.popitem(last=False)

    def give_back(self, names: Collection[str]) -> None:
        """Takes back the last try under each name: it was a good one."""
        with self._lock:
            for name in names:
                if kept := self._tried.get(name):
                    kept.pop()

    def _recent(self, name: str, now: float) -> deque[float]:
        """Returns the tries of the last minute. A name without any is kept only once a try counts under it."""
        tried = self._tried.get(name, deque())
        while tried and tried[0] <= now - _WINDOW_S:
            tried.popleft()
        return tried


class Failures:
    """Counts failures under names since the last success, in this process alone; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()

    def add(self, name: str) -> int:
        """Counts one more; returns how many there are."""
        with self._lock:
            count = self._counts[name] = self._counts.pop(name, 0) + 1
            if len(self._counts) > _MOST_KEPT:
                self._counts.popitem(last=False)
            return count

    def count(self, name: str) -> int:
        """Returns how many there are."""
        return self._counts.get(name, 0)

    def forget(self, name: str) -> None:
        """Begins from 0 again."""
        with self._lock:
            self._counts.pop(name, None)


def network_of(address: str) -> str:
    """Returns what counts as one address: of IPv6 the network, since whoever has one has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(int(parsed) >> (128 - _IPV6_NETWORK_BITS))
    return str(parsed)
