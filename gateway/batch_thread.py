"""A thread that works on whatever came while it was busy, all at once; a hand-over costs one wake-up each way."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)

IDLE_S = 10.0
"""A thread without work ends, and the next item starts another: nobody has to close it."""
AGAIN_S = 1.0
"""Between two tries of what is left to do while nothing comes."""
MOST = 500
"""Items of one batch: those behind it should not wait for too many."""


class BatchThread(Generic[_T]):
    """Calls `work` with a batch, in the order in which items came. `work` says for each why it failed, or None.

    When it raises, it is called again with each alone: what it did of a batch must do no harm a second time.

    `idle` is called from time to time while nothing comes, and says whether something is left to do. When it raises,
    something is.
    """

    def __init__(
        self, work: Callable[[Sequence[_T]], Sequence[Exception | None]], *, idle: Callable[[], bool], name: str
    ) -> None:
        self._work = work
        self._idle = idle
        self._name = name
        self._queue: SimpleQueue[tuple[_T, asyncio.AbstractEventLoop, asyncio.Future[None]]] = SimpleQueue()
        self._guard = threading.Lock()
        self._is_running = False
        self._left: deque[_T] = deque()

    @property
    def left(self) -> tuple[_T, ...]:
        """Items that were not worked on yet, in the order in which they came."""
        with self._guard:
            return tuple(self._left)

    async def put(self, item: _T) -> None:
        """Waits until the item was worked on, or raises what became of it. Cancelled, it is worked on all the same.

        Raises `RuntimeError` when no thread can be started: then it is worked on with the next item.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._guard:
            self._queue.put((item, loop, done))
            self._left.append(item)
            if not self._is_running:
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
                self._is_running = True
        await done

    def _run(self) -> None:
        is_left = False
        while True:
            try:
                batch = [self._queue.get(timeout=AGAIN_S if is_left else IDLE_S)]
            except Empty:
                is_left = self._is_left()
                with self._guard:
                    if not is_left and not self._left:
                        self._is_running = False
                        return
                continue
            with suppress(Empty):
                while len(batch) < MOST:
                    batch.append(self._queue.get_nowait())
            errors = self._errors_of([item for item, _, _ in batch])
            with self._guard:
                for _ in batch:
                    self._left.popleft()
            is_left = True  # looked at when nothing comes for a second
            self._tell(batch, errors)

    def _is_left(self) -> bool:
        try:
            return self._idle()
        except Exception:  # noqa: BLE001 - whatever it is, what comes next must find a thread
            _LOG.exception("following_broke_off, begins again in %d s", AGAIN_S)
            return True

    def _errors_of(self, items: Sequence[_T]) -> Sequence[Exception | None]:
        try:
            return self._work(items)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, and the next batch is another
            if len(items) == 1:
                return [error]
        # Whose fault it was nobody knows: alone, each meets only its own error.
        return [error for item in items for error in self._errors_of([item])]

    @staticmethod
    def _tell(
        batch: Sequence[tuple[_T, asyncio.AbstractEventLoop, asyncio.Future[None]]],
        errors: Sequence[Exception | None],
    ) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
        for (_, loop, done), error in zip(batch, errors, strict=True):
            by_loop.setdefault(loop, []).append((done, error))
        for loop, settled in by_loop.items():
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: Sequence[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for done, error in settled:
        if done.done():
            continue  # the caller left
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
