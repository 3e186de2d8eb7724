"""What is logged of what the server library says: anybody can make it say much."""

import asyncio
import logging
import time
from collections.abc import Callable

_GARBAGE = frozenset({"Invalid HTTP request received.", "Unsupported upgrade request."})
"""What it says of bytes that are no request, one line for each who sends some."""
_SELDOM_S = 60.0


class ServerLines(logging.Filter):
    """Lets one line in a minute through about garbage, with how many there were, and none about ended requests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next_s = 0.0
        self._unsaid = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the line is written."""
        if record.msg in _GARBAGE:
            return self._says_garbage(record)
        # Of what is still at work when the gateway ends, a line says how many.
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))

    def _says_garbage(self, record: logging.LogRecord) -> bool:
        self._unsaid += 1
        if self._clock() < self._next_s:
            return False
        record.msg, record.args = "not_http", ()
        record.dropped = self._unsaid - 1
        self._next_s, self._unsaid = self._clock() + _SELDOM_S, 0
        return True
