"""Wakes an event loop when another thread is done."""

import asyncio
import contextlib
from concurrent.futures import Future
from typing import Any


class Bell:
    """Wakes a coroutine when a future of another thread is done, at half the cost of `asyncio.wrap_future`."""

    def __init__(self, future: "Future[Any]") -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter = self._loop.create_future()
        self._future = future
        future.add_done_callback(self._ring)

    async def has_rung(self, patience_s: float) -> bool:
        """Waits until the future is done, or so long; says which."""
        timer = self._loop.call_later(patience_s, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
        if self._future.done():
            return True
        self._waiter = self._loop.create_future()
        return False

    def _ring(self, _: "Future[Any]") -> None:
        with contextlib.suppress(RuntimeError):  # the loop that waited has been closed
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self._waiter.done():
            self._waiter.set_result(None)
