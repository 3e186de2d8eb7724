"""Runs network calls for callers on other threads: so many at once, each with a deadline and a way to stop it."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models.errors import ModelBusy, ModelTimeout, ModelUnavailable, RequestCancelled
from models.ports import Cancellation, Completion

GRACE_S = 2.0
"""How long a caller trusts the loop to keep the deadline, and a closing waits for calls to end."""

FIRST_ESTIMATE_S = 2.0
EWMA_WEIGHT = 0.2

Call = Callable[[], Coroutine[Any, Any, Completion]]


@dataclass(slots=True, eq=False)
class _Flight:
    call: Call
    deadline_s: float
    cancellation: Cancellation
    started_s: float
    landed: "Future[Completion]" = field(default_factory=Future)
    task: "asyncio.Task[Completion] | None" = None


class Flights:
    """One event loop in a thread of its own. Callers block on their own thread until theirs has landed. Thread-safe."""

    def __init__(self, places: int, companion: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`companion` runs as long as the loop and is cancelled last: it is where what the calls share is closed."""
        if places < 1:
            raise ValueError("there must be place for at least one call")
        self._places = places
        self._companion = companion
        self._flying: set[_Flight] = set()
        self._service_s = FIRST_ESTIMATE_S
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closing: asyncio.Event | None = None
        self._was_closed = False
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._main, name="upstream", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether calls are taken."""
        return self._loop is not None

    def start(self) -> None:
        """Starts the loop, once; raises `ModelUnavailable` after `close`."""
        if self._was_closed:
            raise ModelUnavailable("the model is closed and cannot be started again")
        if not self._thread.is_alive():
            self._thread.start()
            self._is_up.wait()

    def close(self) -> None:
        """Stops every call and the loop; whoever waits gets `ModelUnavailable`."""
        with self._lock:
            loop, self._loop, self._was_closed = self._loop, None, True
            if loop is not None and self._is_closing is not None:
                loop.call_soon_threadsafe(self._is_closing.set)
        if self._thread.is_alive():
            self._thread.join(GRACE_S)
        with self._lock:
            left, self._flying = self._flying, set()
        for flight in left:
            if not flight.landed.done():
                flight.landed.set_exception(ModelUnavailable("the model is closed"))

    def run(self, call: Call, *, deadline_s: float, cancellation: Cancellation) -> Completion:
        """Returns what the call returns; raises `ModelBusy` at once when all places are taken."""
        flight = _Flight(call, deadline_s, cancellation, time.monotonic())
        with self._lock:
            if self._loop is None:
                raise ModelUnavailable("the model is not started")
            if len(self._flying) >= self._places:
                raise ModelBusy(retry_after_s=self._free_in_s(flight.started_s))
            self._flying.add(flight)
            self._loop.call_soon_threadsafe(self._launch, flight)
        try:
            patience_s = max(0.0, deadline_s - time.monotonic()) + GRACE_S
            return flight.landed.result(min(patience_s, threading.TIMEOUT_MAX))
        except TimeoutError as error:
            raise ModelTimeout("the network loop did not keep the deadline") from error

    def _free_in_s(self, now_s: float) -> float:
        """Returns when the oldest call should end; when it is overdue, the mean time between two ends."""
        flown_s = now_s - min(flight.started_s for flight in self._flying)
        return max(self._service_s - flown_s, self._service_s / self._places)

    def _launch(self, flight: _Flight) -> None:
        flight.task = asyncio.get_running_loop().create_task(self._fly(flight))
        flight.task.add_done_callback(partial(self._land, flight))
        flight.cancellation.then(partial(self._stop, flight))

    def _stop(self, flight: _Flight) -> None:
        """Stops a call, from any thread; a call that has landed, or whose loop is gone, needs no stopping."""
        with self._lock:
            if self._loop is not None and flight.task is not None and flight in self._flying:
                self._loop.call_soon_threadsafe(flight.task.cancel)

    @staticmethod
    async def _fly(flight: _Flight) -> Completion:
        try:
            async with asyncio.timeout(flight.deadline_s - time.monotonic()):
                return await flight.call()
        except TimeoutError as error:
            raise ModelTimeout("the model did not answer before the deadline") from error

    def _land(self, flight: _Flight, task: "asyncio.Task[Completion]") -> None:
        with self._lock:
            self._flying.discard(flight)
        if flight.landed.done():
            return
        if task.cancelled():
            is_callers = flight.cancellation.is_cancelled
            flight.landed.set_exception(
                RequestCancelled("the request was cancelled") if is_callers else ModelUnavailable("the model is closed")
            )
        elif (error := task.exception()) is not None:
            flight.landed.set_exception(error)
        else:
            self._service_s += EWMA_WEIGHT * (time.monotonic() - flight.started_s - self._service_s)
            flight.landed.set_result(task.result())

    def _main(self) -> None:
        try:
            asyncio.run(self._live())
        finally:
            with self._lock:
                self._loop = None
            self._is_up.set()

    async def _live(self) -> None:
        self._is_closing = asyncio.Event()
        with self._lock:
            self._loop = asyncio.get_running_loop()
        companion = asyncio.create_task(self._companion())
        self._is_up.set()
        try:
            await self._is_closing.wait()
        finally:
            with self._lock:
                tasks = [flight.task for flight in self._flying if flight.task is not None]
            await _end(tasks)
            await _end([companion])


async def _end(tasks: "list[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
