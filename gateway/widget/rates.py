"""How often visitors may call: by session, by address and by origin, each at a steady rate after a first burst."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.errors import RateLimited

_WINDOW_S = 60.0
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Counted:
    """Under which name a call counts, and how many a minute there may be under it."""

    name: str
    per_minute: int


class Rates:
    """The generic cell rate algorithm, in this process alone; thread-safe, and no larger than its names.

    A minute's calls may come at once; after that one is free each `60 / per_minute` seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, *counted: Counted) -> None:
        """Counts one call under each name, or under none and raises `RateLimited`, with when it would be taken."""
        with self._lock:
            now = self._clock()
            steps: Mapping[str, float] = {one.name: _WINDOW_S / one.per_minute for one in counted}
            starts = {name: max(now, self._full_at.get(name, now)) for name in steps}
            wait_s = max((starts[name] + step - now - _WINDOW_S for name, step in steps.items()), default=0.0)
            if wait_s > _ROUNDING_S:
                raise RateLimited("Too many questions. Wait as long as Retry-After says.", retry_after_s=wait_s)
            for name, step in steps.items():
                self._full_at[name] = starts[name] + step
                self._full_at.move_to_end(name)
            while len(self._full_at) > _MOST_KEPT:
                self._full_at.popitem(last=False)


_ROUNDING_S = 1e-6
"""What sixty additions of a sixtieth may be off."""
