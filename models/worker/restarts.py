"""When a worker that died may be started again: at once, after a pause, or not for a while."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RestartLimits:
    """How patient the gateway is with a worker that keeps dying."""

    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0
    restarts: int = 5
    """So many restarts within `window_s`; the next death opens the breaker."""
    window_s: float = 600.0
    open_s: float = 60.0


@dataclass(slots=True)
class RestartPlan:
    """Counts deaths and says when to start again. Not thread-safe: one supervisor asks it."""

    limits: RestartLimits
    _restarts: deque[float] = field(default_factory=deque)
    _deaths_in_a_row: int = 0
    _next_start_s: float = 0.0
    _open_until_s: float = 0.0

    def worked(self) -> None:
        """Notes an answered job: the next pause is the shortest again, the window stays."""
        self._deaths_in_a_row = 0

    def died(self, now_s: float) -> None:
        """Notes the death of a worker and decides about the next start."""
        while self._restarts and self._restarts[0] <= now_s - self.limits.window_s:
            self._restarts.popleft()
        if len(self._restarts) >= self.limits.restarts:
            self._next_start_s = self._open_until_s = now_s + self.limits.open_s
            return
        # Capped before the power grows: 2.0 ** 1100 would raise.
        doublings = min(self._deaths_in_a_row, 30)
        self._next_start_s = now_s + min(self.limits.first_pause_s * 2.0**doublings, self.limits.longest_pause_s)
        self._restarts.append(now_s)
        self._deaths_in_a_row += 1

    def may_start(self, now_s: float) -> bool:
        """Whether the pause is over."""
        return now_s >= self._next_start_s

    def pause_s(self, now_s: float) -> float:
        """Returns how long it is until the next start."""
        return max(0.0, self._next_start_s - now_s)

    def is_open(self, now_s: float) -> bool:
        """Whether the breaker is open: nobody should wait for this model now."""
        return now_s < self._open_until_s
