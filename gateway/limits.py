"""Admission: how many requests run at once, how many a credential may send, and until when each may take."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.credentials import Principal
from gateway.errors import NotServing, RateLimited

_WINDOW_S = 60.0
_MOST_CHARGED = 20_000
"""Credentials whose requests are counted before those are forgotten that sent none for a minute."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One absolute point in time for a whole request, on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Makes the deadline that is `seconds` away."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.at - time.monotonic())


@dataclass(frozen=True, slots=True)
class RateState:
    """What a credential has left, for the rate-limit headers."""

    limit: int
    remaining: int
    reset_s: float


class Admission:
    """Grants permits; lives as long as the gateway. State is kept in this process."""

    def __init__(self, *, concurrent: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._concurrent = concurrent
        self._in_work = 0
        self._seconds_each = 1.0
        self._clock = clock
        self._charged: dict[str, deque[float]] = {}

    @property
    def in_work(self) -> int:
        """How many requests hold a place."""
        return self._in_work

    def charge(self, principal: Principal) -> RateState:
        """Counts one request against the credential's rate. Raises `RateLimited`."""
        now = self._clock()
        if len(self._charged) > _MOST_CHARGED:
            self._forget_idle(now)
        charged = self._charged.setdefault(principal.id, deque())
        while charged and charged[0] <= now - _WINDOW_S:
            charged.popleft()
        is_allowed = len(charged) < principal.requests_per_minute
        if is_allowed:
            charged.append(now)
        reset_s = charged[0] + _WINDOW_S - now
        if not is_allowed:
            raise RateLimited(
                f"More than {principal.requests_per_minute} requests within a minute. "
                f"Wait {math.ceil(reset_s)} s and try again.",
                retry_after_s=reset_s,
            )
        return RateState(principal.requests_per_minute, principal.requests_per_minute - len(charged), reset_s)

    def _forget_idle(self, now: float) -> None:
        self._charged = {name: sent for name, sent in self._charged.items() if sent and sent[-1] > now - _WINDOW_S}

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Holds one of the places for requests in work. Raises `NotServing` at once when none is free."""
        if self._in_work >= self._concurrent:
            raise NotServing(
                "queue_full",
                f"{self._concurrent} requests are in work already. Try again shortly.",
                retry_after_s=self._seconds_each,
            )
        self._in_work += 1
        started = time.monotonic()
        try:
            yield
        finally:
            self._in_work -= 1
            self._seconds_each += 0.1 * (time.monotonic() - started - self._seconds_each)
