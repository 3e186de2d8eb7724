"""Whether a line stands: measured by how long requests wait in it, never by the load of the machine."""

import math
import time
from collections.abc import Callable
from enum import IntEnum

INTERVAL_S = 0.1
"""As in CoDel (RFC 8289): a burst that is gone within it is none of our business, a queue that stands is."""
PATIENCE = 3
"""Intervals for which a line may stand and not get shorter, after a long calm, before anything is done about it: a
burst that comes within that time is worked off, however long its line. Overload is met 0.2 s later for it,
once; when pressure comes back soon after a stage, nobody is patient."""
_WORSE = 4.0
"""Times the target from which on a standing wait goes straight to the second stage."""
_IN_VAIN = 5
"""Intervals in which the first stage was to help."""
_CALM = 10
"""Intervals without a sign of pressure before one stage ends: it ends slower than it begins, so that it holds."""
_LONGEST = 32 * _CALM
"""What they grow to while pressure comes back each time: each return costs a line that stood for an interval."""


class Stage(IntEnum):
    """What is done about it."""

    CALM = 0
    SKIP_MODEL = 1
    """Approved fallbacks in place of the model's words."""
    SHED = 2
    """Whoever finds no free place is turned away."""


_OVERRUN = 1 / 3
"""Share of those who came and found no room from which on there is more work than places. Without a line many collide
also when there is not."""
_HOLDS = {Stage.CALM: _OVERRUN, Stage.SKIP_MODEL: 1 / 20, Stage.SHED: _OVERRUN}
"""The share from which on a stage does not end."""


class Pressure:
    """Follows the least wait of each interval. Not thread-safe: its line's event loop calls it."""

    def __init__(
        self,
        *,
        target_s: float,
        patience: int = 1,
        in_line: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes a calm one. With `in_line`, how many wait, a line that gets shorter is no pressure."""
        self._target_s = target_s
        self._patience = patience
        self._in_line = in_line
        self._stood = 0
        self._clock = clock
        self._stage = Stage.CALM
        self._ends_s = clock() + INTERVAL_S
        self._bad = self._good = 0
        self._calm, self._since_calm = _CALM, _LONGEST
        self._least_s = math.inf
        self._came = self._refused = 0

    @property
    def stage(self) -> Stage:
        """The stage as of now: intervals in which nobody came count as calm."""
        self._roll()
        return self._stage

    def waited(self, seconds: float) -> None:
        """Takes in that somebody left the line for a place after so many seconds, or 0 without a line."""
        self._roll()
        self._came += 1
        self._least_s = min(self._least_s, seconds)

    def refused(self) -> None:
        """Takes in that somebody found neither a place nor room in the line."""
        self._roll()
        self._came += 1
        self._refused += 1

    def _roll(self) -> None:
        late_s = self._clock() - self._ends_s
        if late_s < 0:
            return
        self._close()
        idle = int(late_s / INTERVAL_S)
        for _ in range(min(idle, 3 * _LONGEST)):
            self._close()
        self._ends_s += (idle + 1) * INTERVAL_S

    def _close(self) -> None:
        """Ends an interval."""
        stands = self._in_line()
        has_left = self._came > self._refused
        least_s = self._least_s if has_left else 0.0
        share = self._refused / self._came if self._came else 0.0
        is_long = least_s > self._target_s
        is_bad = (is_long and stands >= self._stood) or share >= _OVERRUN
        is_good = least_s <= self._target_s / 2 and share < _HOLDS[self._stage]
        is_open = is_long or (stands and not has_left)  # it gets shorter, or nobody's wait ended: no word either way
        self._stood = stands
        self._least_s, self._came, self._refused = math.inf, 0, 0
        if is_bad or not is_open:
            self._bad = self._bad + 1 if is_bad else 0
            self._good = self._good + 1 if is_good else 0
        if is_bad and self._is_enough(least_s):
            worst = Stage.SHED if least_s > _WORSE * self._target_s else Stage(min(self._stage + 1, Stage.SHED))
            self._bad = self._bad if worst is self._stage else 0
            if self._stage is Stage.CALM:
                self._calm = min(2 * self._calm, _LONGEST) if self._since_calm < _LONGEST else _CALM
            self._stage = worst
        elif self._stage is Stage.CALM:
            self._since_calm += 1
        elif self._good >= (self._calm if self._stage is Stage.SKIP_MODEL else _CALM):
            self._stage = Stage(self._stage - 1)
            self._good = self._since_calm = 0

    def _is_enough(self, least_s: float) -> bool:
        """Whether the next stage begins with this bad interval."""
        if self._stage is Stage.CALM:
            return self._bad >= (self._patience if self._since_calm >= _LONGEST else 1)
        return self._bad >= _IN_VAIN or least_s > _WORSE * self._target_s
