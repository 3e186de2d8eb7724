"""The thread that owns the worker: starts it, feeds it, watches it, ends it and starts the next."""

import logging
import queue
import threading
import time
from collections.abc import Sequence

import msgspec

from models.errors import ModelError, ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.worker.jobs import Job, Waiting
from models.worker.limits import EngineLimits, ModelState
from models.worker.messages import (
    Beat,
    Cancel,
    Done,
    Failed,
    FailureKind,
    FromWorker,
    Load,
    Ready,
    Refused,
    Text,
    ToWorker,
    Warm,
)
from models.worker.process import WorkerProcess, WorkerProgram
from models.worker.restarts import RestartPlan

BUSY_TICK_S = 0.05
IDLE_TICK_S = 0.5
DOUBT_S = 0.2
"""A worker that has not given up a job for so long gets no others: it may be about to be killed with all it has."""

OWN_END_S = 0.2
"""A worker that closed its pipe is about to end; its own exit status says more than that of a kill."""

_LOG = logging.getLogger(__name__)


class Supervisor:
    """Only its own thread talks to the worker; everything else reaches it as an event."""

    def __init__(self, load: Load, limits: EngineLimits, program: WorkerProgram, waiting: Waiting) -> None:
        self._load = load
        self._limits = limits
        self._program = program
        self._waiting = waiting
        self._plan = RestartPlan(limits.restarts)
        self._events: queue.SimpleQueue[tuple[WorkerProcess, FromWorker | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="model-supervisor", daemon=True)
        self._worker: WorkerProcess | None = None
        self._started_s = 0.0
        self._heard_s = 0.0
        self._jobs: dict[int, Job] = {}
        self._warmings: Sequence[Warm] = ()
        self._is_warm = True
        self._refusal: str | None = None
        self._is_closing = threading.Event()
        self.ready = threading.Event()
        self.was_ready = False
        self.state = ModelState.DOWN
        self.can_offload_to_gpu: bool | None = None
        self.kept_prefixes = 0
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None while there is none."""
        worker = self._worker
        return None if worker is None else worker.pid

    def start(self) -> None:
        """Starts the thread, once; the worker follows from it."""
        if self._is_closing.is_set():
            raise ModelUnavailable("the model is closed and cannot be started again")
        if not self._thread.is_alive():
            self.state = ModelState.STARTING
            self._thread.start()

    def close(self) -> None:
        """Ends worker and thread; returns when both are gone."""
        self._is_closing.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._fail_waiting(ModelUnavailable, "the model is closed")

    def wake(self) -> None:
        """Makes the thread look around now: a job came, or nobody waits for one any more."""
        self._events.put(None)

    def warm(self, warmings: Sequence[Warm]) -> None:
        """Sets what a worker computes when it is ready and has nothing else to do."""
        self._warmings = warmings
        self._is_warm = False
        self.wake()

    @property
    def is_refused(self) -> bool:
        """Whether the worker said that it can never run this model, and its state tells so."""
        return self._refusal is not None and self.state is ModelState.OPEN

    def require_open_door(self) -> None:
        """Raises `ModelRefused` or `ModelUnavailable` when waiting would be in vain."""
        if self._refusal is not None:
            raise ModelRefused(self._refusal)
        if self._is_closing.is_set() or not self._thread.is_alive():
            raise ModelUnavailable("the model is not started")
        if self.state is ModelState.OPEN:
            raise ModelUnavailable("the model worker died too often; it is tried again in a minute or less")

    def _run(self) -> None:
        try:
            while not self._is_closing.is_set():
                self._take_events()
                now_s = time.monotonic()
                self._start_if_due(now_s)
                self._watch(now_s)
                self._feed()
        finally:
            # Also when this loop has a bug: nobody may wait for a worker that nobody owns.
            self._is_closing.set()
            self._end()

    def _take_events(self) -> None:
        is_idle = self.state is ModelState.READY and not self._jobs
        try:
            event = self._events.get(timeout=IDLE_TICK_S if is_idle else BUSY_TICK_S)
            while True:
                if event is not None and event[0] is self._worker:
                    self._heard_s = time.monotonic()
                    self._hear(event[1])
                event = self._events.get_nowait()
        except queue.Empty:
            return

    def _hear(self, message: FromWorker | None) -> None:
        if message is None:
            self._lose("the model worker died", own_end_s=OWN_END_S)
        elif isinstance(message, Ready):
            _LOG.info("model worker %s is ready after %.1f s", self.pid, time.monotonic() - self._started_s)
            self.can_offload_to_gpu = message.can_offload_to_gpu
            self.state = ModelState.READY
            self.was_ready = True
            self.ready.set()
            self._is_warm = False
        elif isinstance(message, Refused):
            # Of a model that was loaded once it is a death like others: the next start may find the file again.
            if not self.was_ready:
                self._refusal = message.message
            self._lose(message.message)
        elif isinstance(message, Beat):
            self.kept_prefixes = message.prefixes
        elif isinstance(message, Text):
            if message.job_id in self._jobs:
                self._jobs[message.job_id].tell(message.text)
        else:
            self._finish(message)

    def _finish(self, message: Done | Failed) -> None:
        job = self._jobs.pop(message.job_id, None)
        if job is None:
            self._lose("the model worker answered a job that it was not given")
            return
        self._plan.worked()
        if isinstance(message, Done):
            self._waiting.measured(time.monotonic() - job.sent_s)
            job.settle(message.completion)
        else:
            job.settle(_error(message))

    def _start_if_due(self, now_s: float) -> None:
        if self._worker is not None:
            return
        if self._refusal is not None or self._plan.is_open(now_s):
            self._open(now_s)
            if self._refusal is None:
                self._fail_waiting(ModelUnavailable, "the model worker died too often")
            else:
                self._fail_waiting(ModelRefused, self._refusal)
            return
        if not self._plan.may_start(now_s):
            self.state = ModelState.DOWN
            return
        if self.state is ModelState.OPEN:
            _LOG.info("model breaker closed: the worker is tried again")
        self.state = ModelState.STARTING
        self._started_s = self._heard_s = now_s
        try:
            self.starts += 1
            self._worker = WorkerProcess(self._program, lambda worker, message: self._events.put((worker, message)))
            _LOG.info("model worker %d started", self._worker.pid)
            self._worker.send(self._load)
        except ModelUnavailable as error:
            self._lose(str(error))

    def _open(self, now_s: float) -> None:
        if self.state is not ModelState.OPEN:
            self.state = ModelState.OPEN
            if self._refusal is None:
                _LOG.error("model breaker open for %.0f s: the worker died too often", self._plan.pause_s(now_s))
            else:
                _LOG.error("model breaker open until the gateway restarts: %s", self._refusal)

    def _watch(self, now_s: float) -> None:
        """Ends a worker that is silent, does not get ready, or does not give up a job."""
        if self._worker is None:
            return
        if now_s - self._heard_s > self._limits.silence_s:
            self._lose("the model worker is silent")
        elif self.state is ModelState.STARTING and now_s - self._started_s > self._limits.start_timeout_s:
            self._lose("the model worker did not get ready in time")
        for job in [job for job in self._jobs.values() if job.is_settled]:
            if job.stop_asked_s is None:
                job.stop_asked_s = now_s
                self._send(Cancel(job.request.job_id))
            elif now_s - job.stop_asked_s > self._limits.grace_s:
                self._lose("the model worker did not give up a job")
                return

    def _feed(self) -> None:
        now_s = time.monotonic()
        if any(job.stop_asked_s is not None and now_s - job.stop_asked_s > DOUBT_S for job in self._jobs.values()):
            return
        while self.state is ModelState.READY and len(self._jobs) < self._limits.parallel:
            job = self._waiting.next()
            if job is None:
                break
            job.sent_s = now_s
            self._jobs[job.request.job_id] = job
            self._send(msgspec.structs.replace(job.request, timeout_s=max(0.0, job.deadline_s - job.sent_s)))
        if self.state is ModelState.READY and not self._is_warm:
            self._is_warm = True
            for warming in self._warmings:
                self._send(warming)

    def _send(self, message: ToWorker) -> None:
        if self._worker is None:
            return
        try:
            self._worker.send(message)
        except ModelUnavailable as error:
            self._lose(str(error))

    def _lose(self, reason: str, *, own_end_s: float = 0.0) -> None:
        """Ends the worker; the jobs in its hands fail, those in line wait for the next worker.

        Counted once for each worker: what notices its end later finds none, and changes nothing.
        """
        if self._worker is None and self.state is not ModelState.STARTING:
            return
        worker, self._worker = self._worker, None
        self.kept_prefixes = 0
        self.ready.clear()
        self.state = ModelState.DOWN
        self._plan.died(time.monotonic())
        if worker is None:
            _LOG.error("%s", reason)
        else:
            has_ended = worker.has_ended(own_end_s)
            worker.kill()
            what = "ended" if has_ended else "was killed"
            _LOG.warning("model worker %d %s (%s): %s", worker.pid, what, worker.ending, reason)
        if self._refusal is None and not self._plan.is_open(now_s := time.monotonic()):
            _LOG.info("model worker restarts in %.1f s", self._plan.pause_s(now_s))
        self._fail_sent(reason)

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        self.kept_prefixes = 0
        self.ready.clear()
        self.state = ModelState.DOWN
        self._fail_sent("the model is closed")
        self._fail_waiting(ModelUnavailable, "the model is closed")
        if worker is not None:
            worker.close(self._limits.grace_s)
            _LOG.info("model worker %d ended with the gateway (%s)", worker.pid, worker.ending)

    def _fail_sent(self, reason: str) -> None:
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.settle(ModelUnavailable(reason))

    def _fail_waiting(self, kind: type[ModelRefused | ModelUnavailable], reason: str) -> None:
        for job in self._waiting.drain():
            job.settle(kind(reason))


def _error(message: Failed) -> ModelError:
    kinds: dict[FailureKind, type[ModelRefused | ModelTimeout | RequestCancelled]] = {
        FailureKind.REFUSED: ModelRefused,
        FailureKind.TIMEOUT: ModelTimeout,
        FailureKind.CANCELLED: RequestCancelled,
    }
    return kinds[message.kind](message.message)
