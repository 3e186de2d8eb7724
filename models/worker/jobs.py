"""Requests on their way to the worker: each waits for its own answer, and only so many wait at once."""

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from models.errors import ModelBusy, ModelError, ModelTimeout, ModelUnavailable
from models.ports import Completion, OnText
from models.worker.messages import Generate

FIRST_ESTIMATE_S = 2.0
"""Service time assumed until a job was measured: 80 tokens of the packaged model on one or two busy cores."""

EWMA_WEIGHT = 0.2


@dataclass(slots=True, eq=False)
class Job:
    """One request. It is settled once, by the worker or by its caller's deadline, whichever comes first."""

    request: Generate
    deadline_s: float
    outcome: Completion | ModelError | None = None
    sent_s: float = 0.0
    stop_asked_s: float | None = None
    _news: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_settled(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.outcome is not None

    def settle(self, outcome: Completion | ModelError) -> bool:
        """Sets the outcome; returns False when there was one already, which stays."""
        with self._lock:
            if self.outcome is not None:
                return False
            self.outcome = outcome
        self._news.put(None)
        return True

    def tell(self, text: str) -> None:
        """Adds a stretch of the answer."""
        self._news.put(text)

    def wait(self, on_text: OnText) -> Completion | ModelError:
        """Returns the outcome once there is one, which is by the deadline; tells stretches of the answer before it."""
        while True:
            remaining_s = min(max(0.0, self.deadline_s - time.monotonic()), threading.TIMEOUT_MAX)
            try:
                text = self._news.get(timeout=remaining_s)
            except queue.Empty:
                self.settle(ModelTimeout("the model did not answer before the deadline"))
                continue
            if text is None:
                break
            on_text(text)
        if self.outcome is None:
            raise ModelUnavailable("a settled job has no outcome. This is a bug.")
        return self.outcome


class Waiting:
    """The bounded line in front of the worker. Thread-safe."""

    def __init__(self, max_waiting: int, parallel: int) -> None:
        if max_waiting < 1:
            raise ValueError("max_waiting must be at least 1")
        self._max_waiting = max_waiting
        self._parallel = parallel
        self._jobs: deque[Job] = deque()
        self._service_s = FIRST_ESTIMATE_S
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Puts a job at the end; raises `ModelBusy` when the line is full of jobs that somebody still waits for."""
        with self._lock:
            if len(self._jobs) >= self._max_waiting:
                self._jobs = deque(waiting for waiting in self._jobs if not waiting.is_settled)
            if len(self._jobs) >= self._max_waiting:
                raise ModelBusy(retry_after_s=len(self._jobs) * self._service_s / self._parallel)
            self._jobs.append(job)

    def next(self) -> Job | None:
        """Takes the first job that somebody still waits for."""
        with self._lock:
            while self._jobs:
                job = self._jobs.popleft()
                if not job.is_settled and time.monotonic() < job.deadline_s:
                    return job
        return None

    def drain(self) -> list[Job]:
        """Takes all of them."""
        with self._lock:
            jobs, self._jobs = list(self._jobs), deque()
        return jobs

    def __len__(self) -> int:
        return len(self._jobs)

    def measured(self, service_s: float) -> None:
        """Takes the service time of a finished job into the estimate."""
        with self._lock:
            self._service_s += EWMA_WEIGHT * (service_s - self._service_s)
