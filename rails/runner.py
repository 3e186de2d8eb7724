"""The thread on which rails run, and the deadlines that hold even for a rail that never returns.

Rails run on an event loop of their own, so that one that computes for long cannot stall the gateway's loop. What a
deadline inside that loop cannot stop (`time.sleep`, an endless computation) is noticed from outside: the thread is
abandoned, its rail is told to end at the next bytecode, and a new thread takes over. An abandoned thread that is
still alive counts against a limit; at the limit every check fails until one of them ends, because a process that
leaks threads without end fails everybody later, and less clearly.

What no thread can help with is a call into C that keeps the interpreter's lock: a costly pattern of `re`, a huge
integer, sorting a long list stop every thread, the gateway's loop too, until they return, and count as late only then.
Rails therefore match with RE2 (with `re` only the letters of a word), compare with FAISS and embed with ONNX, which let
go of the lock, and their texts are bounded: 4,000 characters for a message, 8,000 at `/v1/checks`.
"""

import asyncio
import contextlib
import ctypes
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any

from rails.bell import Bell
from rails.envelope import Runnable, StageRun
from rails.types import RailContext, RailsReport

_log = logging.getLogger("canongate.rails")

# How long after a rail's deadline its thread is taken for lost. Waking a thread took up to 100 ms on two busy cores.
_GRACE_S = 0.25
_CLEANUP_S = 0.2


@dataclass(frozen=True, slots=True)
class RailLimits:
    """Deadlines of the rails, and the number of lost threads at which the runner gives up."""

    rail_s: float = 0.5
    stage_s: float = 2.0
    max_abandoned: int = 8

    def __post_init__(self) -> None:
        if not 0.0 < self.rail_s <= self.stage_s:
            raise ValueError("rail_s must be above 0 and at most stage_s")
        if self.max_abandoned < 1:
            raise ValueError("max_abandoned must be at least 1")


class _Interrupted(SystemExit):
    """Raised inside an abandoned thread; derives from `SystemExit` so that asyncio and rails let it through."""


@dataclass(slots=True, eq=False)
class _Job:
    """One stage on its way through the runner."""

    stage: StageRun
    submitted_s: float
    future: "Future[RailsReport]" = field(default_factory=Future)
    task: "asyncio.Task[None] | None" = None
    is_cancelled: bool = False


class _Worker:
    """One thread with one event loop."""

    def __init__(self, number: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_note_loop_error)
        self.progress_s = time.monotonic()
        self.is_abandoned = False
        self._is_ending = False
        self._thread = threading.Thread(target=self._serve, name=f"canongate-rails-{number}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def beat(self) -> None:
        """Notes that a rail began or ended."""
        self.progress_s = time.monotonic()

    def submit(self, job: _Job) -> None:
        """Starts the job on the worker's loop; raises `RuntimeError` when that loop has ended."""
        if self._is_ending:
            raise RuntimeError("the loop has ended")
        self._loop.call_soon_threadsafe(self._start, job)

    def cancel(self, job: _Job) -> None:
        """Stops the job, wherever it is."""
        job.is_cancelled = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop, job)

    def close(self, timeout_s: float | None = None) -> None:
        """Ends the thread once it gets a word in, and waits for it when a time is given."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        if timeout_s is not None:
            self._thread.join(timeout_s)

    def abandon(self) -> None:
        """Gives the thread up: it ends at its next bytecode, or when the call that it hangs in returns."""
        self.is_abandoned = True
        self.close()
        if self._thread.ident is not None and self.is_alive:
            # The documented way to raise in another thread; without it `while True` would take half of the
            # interpreter for good. It reaches Python code only, never a call into C.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(_Interrupted)
            )

    def _start(self, job: _Job) -> None:
        if not job.is_cancelled and not self._is_ending:  # else it would stand still half way, with the loop
            job.task = self._loop.create_task(self._work(job))

    def _stop(self, job: _Job) -> None:
        if job.task is not None:
            job.task.cancel()

    async def _work(self, job: _Job) -> None:
        report = await job.stage.run(self.beat, lambda: job.is_cancelled)
        with contextlib.suppress(InvalidStateError):  # the caller went away, or has given up already
            job.future.set_result(report)

    def _serve(self) -> None:
        # A rail that raises SystemExit ends the thread like an interruption does; the next check gets another.
        try:
            with contextlib.suppress(SystemExit):
                asyncio.set_event_loop(self._loop)
                self._loop.run_forever()
            self._is_ending = True
            # RuntimeError: a stop that was asked for before the interruption came through only now.
            with contextlib.suppress(SystemExit, RuntimeError):
                self._clean_up()
        finally:
            self._loop.close()

    def _clean_up(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=_CLEANUP_S))


class RailRunner:
    """Runs stages on its own thread; safe to use from any thread and any event loop.

    Starts no thread before the first check. `close` ends it; a later check starts another.
    """

    def __init__(self, limits: RailLimits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._abandoned: list[_Worker] = []
        self._started = 0
        self._beside: RailRunner | None = None

    @property
    def beside(self) -> "RailRunner":
        """Returns the runner for rails that only watch: with limits and threads of its own, it takes none from here."""
        with self._lock:
            if self._beside is None:
                self._beside = RailRunner(self.limits)
            return self._beside

    @property
    def abandoned(self) -> int:
        """Number of given-up threads that are still alive."""
        with self._lock:
            self._abandoned = [worker for worker in self._abandoned if worker.is_alive]
            return len(self._abandoned)

    async def run(
        self, checks: Sequence[Runnable], text: str, context: RailContext, *, within_s: float | None = None
    ) -> RailsReport:
        """Returns the report of one stage, within the stage's deadline (or a nearer one) and a short grace."""
        job = self._job(checks, text, context, within_s)
        bell = Bell(job.future)
        worker = self._submit(job)
        try:
            while worker is not None:
                if await bell.has_rung(self._patience_s(job, worker)):
                    return job.future.result()
                worker = self._look_after(job, worker)
            return job.stage.failed()
        finally:
            job.future.cancel()
            self._drop(job, worker)

    def run_blocking(
        self, checks: Sequence[Runnable], text: str, context: RailContext, *, within_s: float | None = None
    ) -> RailsReport:
        """Returns the report of one stage, holding the calling thread."""
        job = self._job(checks, text, context, within_s)
        worker = self._submit(job)
        try:
            while worker is not None:
                try:
                    return job.future.result(timeout=self._patience_s(job, worker))
                except TimeoutError:
                    worker = self._look_after(job, worker)
            return job.stage.failed()
        finally:
            job.future.cancel()
            self._drop(job, worker)

    def close(self) -> None:
        """Ends its threads; checks under way fail."""
        with self._lock:
            worker, self._worker = self._worker, None
            beside, self._beside = self._beside, None
        if worker is not None:
            worker.close(timeout_s=_GRACE_S)
        if beside is not None:
            beside.close()

    def _job(self, checks: Sequence[Runnable], text: str, context: RailContext, within_s: float | None) -> _Job:
        now = time.monotonic()
        stage_s = self.limits.stage_s if within_s is None else min(within_s, self.limits.stage_s)
        return _Job(StageRun(checks, text, context, self.limits.rail_s, now + stage_s), now)

    def _submit(self, job: _Job) -> _Worker | None:
        """Hands the job to a live worker; None when no more threads may be started."""
        with self._lock:
            worker = self._worker
            if worker is not None:
                with contextlib.suppress(RuntimeError):
                    worker.submit(job)
                    return worker
            self._abandoned = [lost for lost in self._abandoned if lost.is_alive]
            if len(self._abandoned) >= self.limits.max_abandoned:
                job.stage.failure = "rail.no_thread"
                return None
            self._started += 1
            worker = self._worker = _Worker(self._started)
            worker.submit(job)
            return worker

    def _patience_s(self, job: _Job, worker: _Worker) -> float:
        lost_s = max(worker.progress_s, job.submitted_s) + job.stage.allowed_s + _GRACE_S
        return max(0.001, min(lost_s, job.stage.deadline_s + _GRACE_S) - time.monotonic())

    def _look_after(self, job: _Job, worker: _Worker) -> _Worker | None:
        """Decides about a job that is late: go on waiting with the returned worker, or fail (None)."""
        now = time.monotonic()
        is_lost = now - max(worker.progress_s, job.submitted_s) >= job.stage.allowed_s + _GRACE_S
        is_over = now >= job.stage.deadline_s + _GRACE_S
        if is_lost or (is_over and job.stage.has_begun) or not worker.is_alive:
            self._abandon(worker)
            if not job.stage.has_begun and not is_over:
                job.submitted_s = now
                return self._submit(job)
            job.stage.failure = "rail.timeout"
            return None
        if is_over:
            job.stage.failure = "rail.stage_timeout"
            return None
        return worker

    def _abandon(self, worker: _Worker) -> None:
        with self._lock:
            if worker.is_abandoned:
                return
            worker.abandon()
            self._abandoned.append(worker)
            if self._worker is worker:
                self._worker = None
        _log.error("rail_thread_abandoned", extra={"abandoned": self.abandoned})

    def _drop(self, job: _Job, worker: _Worker | None) -> None:
        if worker is not None and not job.stage.is_done:
            worker.cancel(job)


def _note_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs that a rail left something broken behind; never its message, which may quote a text."""
    _log.warning("rail_loop_error", extra={"error": type(context.get("exception")).__name__})


SHARED_RUNNER = RailRunner(RailLimits())
"""The runner for a process that has no reason for another; starts its thread at the first check."""
