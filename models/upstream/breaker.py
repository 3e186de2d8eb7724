"""Keeps requests away from a server that keeps failing, and lets one through now and then to see."""

import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """So many failures within `window_s` open the breaker for `open_s`."""

    failures: int = 5
    window_s: float = 30.0
    open_s: float = 10.0

    def __post_init__(self) -> None:
        if self.failures < 1 or not (self.window_s > 0 and self.open_s > 0):
            raise ValueError("a breaker needs at least one failure and times above 0")


class Verdict(Enum):
    """What an admitted request says about the server."""

    WORKED = auto()
    FAILED = auto()
    NONE = auto()
    """The caller left, or its own deadline was short: that is no news about the server."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Lets one request through; it is given back with a verdict."""

    is_probe: bool


@dataclass(slots=True)
class Breaker:
    """Closed, open, or half open with one request on its way. Thread-safe; the clock is the caller's."""

    limits: BreakerLimits = field(default_factory=BreakerLimits)
    _failures: deque[float] = field(default_factory=deque)
    _open_until_s: float | None = None
    _is_probing: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, now_s: float) -> Pass | None:
        """Returns a pass, None while the breaker is open."""
        with self._lock:
            if self._open_until_s is None:
                return Pass(is_probe=False)
            if self._is_probing or now_s < self._open_until_s:
                return None
            self._is_probing = True
            return Pass(is_probe=True)

    def give_back(self, given: Pass, verdict: Verdict, now_s: float) -> bool:
        """Takes the verdict of one request; returns whether that opened or closed the breaker."""
        with self._lock:
            if given.is_probe:
                self._is_probing = False
            if verdict is Verdict.NONE:
                return False
            was_open = self._open_until_s is not None
            if verdict is Verdict.WORKED:
                # A request from before the opening says nothing about the server since.
                if was_open and not given.is_probe:
                    return False
                self._open_until_s = None
                self._failures.clear()
                return was_open
            if was_open:
                if given.is_probe:
                    self._open_until_s = now_s + self.limits.open_s
                return False
            return self._count(now_s)

    def is_open(self) -> bool:
        """Whether requests fail at once, but for the one that tries."""
        with self._lock:
            return self._open_until_s is not None

    def _count(self, now_s: float) -> bool:
        self._failures.append(now_s)
        while self._failures[0] <= now_s - self.limits.window_s:
            self._failures.popleft()
        if len(self._failures) < self.limits.failures:
            return False
        self._open_until_s = now_s + self.limits.open_s
        return True
