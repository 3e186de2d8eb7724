"""Log lines of a state that lasts: one when it begins or changes, then at most one a minute, and one when it ends."""

import logging
import time
from collections.abc import Callable
from threading import Lock

AGAIN_S = 60.0


class RepeatedLog:
    """Writes a failure that is met again and again under a constant event, its words as the field `error`.

    Thread-safe.
    """

    def __init__(
        self,
        log: logging.Logger,
        event: str,
        over: str,
        *,
        level: int = logging.ERROR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes it; `over` is the event, at level info, of the end."""
        self._log, self._event, self._over, self._level = log, event, over, level
        self._clock = clock
        self._guard = Lock()
        self._words: str | None = None
        self._due = 0.0

    def failed(self, words: str, *, unexpected: Exception | None = None, **fields: object) -> None:
        """Takes in that it failed, in words for an operator; `unexpected` is told with its places."""
        with self._guard:
            now = self._clock()
            if words == self._words and now < self._due:
                return
            self._words, self._due = words, now + AGAIN_S
        self._log.log(self._level, self._event, exc_info=unexpected, extra={**fields, "error": words})

    def went(self) -> None:
        """Takes in that it went well."""
        with self._guard:
            was, self._words = self._words, None
        if was is not None:
            self._log.info(self._over)
