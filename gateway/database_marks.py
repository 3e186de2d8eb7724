"""Marks in the database that gateways share, asked for in threads of their own."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from store.rate_marks import Mark, Marked, RateMarks

_THREADS = 4
"""So many, whoever waits: an asker that gives up leaves its thread to the statement's own end."""


class DatabaseMarks:
    """A `MarkStore`."""

    def __init__(self, marks: RateMarks) -> None:
        self._marks = marks
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rates")

    async def take(self, marks: Sequence[Mark]) -> Marked:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._marks.take, marks)

    def close(self) -> None:
        """Ends the threads, then the connections that they used."""
        self._threads.shutdown(cancel_futures=True)
        self._marks.close()
