"""Requests on their way to the worker: each waits for its own answer, and only so many wait at once."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from models.errors import ModelBusy, ModelError
from models.messages import Generate
from models.ports import Completion

FIRST_ESTIMATE_S = 2.0
"""Service time assumed until a job was measured: 80 tokens of the packaged model on one or two busy cores."""

EWMA_WEIGHT = 0.2


@dataclass(slots=True, eq=False)
class Job:
    """One request. It is settled once, by the worker or by its caller's deadline, whichever comes first."""

    request: Generate
    deadline_s: float
    settled: threading.Event = field(default_factory=threading.Event)
    outcome: Completion | ModelError | None = None
    sent_s: float = 0.0
    stop_asked_s: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, outcome: Completion | ModelError) -> bool:
        """Sets the outcome; returns False when there was one already, which stays."""
        with self._lock:
            if self.outcome is not None:
                return False
            self.outcome = outcome
        self.settled.set()
        return True


class Waiting:
    """The bounded line in front of the worker. Thread-safe."""

    def __init__(self, max_waiting: int) -> None:
        if max_waiting < 1:
            raise ValueError("max_waiting must be at least 1")
        self._max_waiting = max_waiting
        self._jobs: deque[Job] = deque()
        self._service_s = FIRST_ESTIMATE_S
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Puts a job at the end; raises `ModelBusy` when the line is full of jobs that somebody still waits for."""
        with self._lock:
            if len(self._jobs) >= self._max_waiting:
                self._jobs = deque(waiting for waiting in self._jobs if not waiting.settled.is_set())
            if len(self._jobs) >= self._max_waiting:
                raise ModelBusy(retry_after_s=len(self._jobs) * self._service_s)
            self._jobs.append(job)

    def next(self) -> Job | None:
        """Takes the first job that somebody still waits for."""
        with self._lock:
            while self._jobs:
                job = self._jobs.popleft()
                if not job.settled.is_set() and time.monotonic() < job.deadline_s:
                    return job
        return None

    def drain(self) -> list[Job]:
        """Takes all of them."""
        with self._lock:
            jobs, self._jobs = list(self._jobs), deque()
        return jobs

    def measured(self, service_s: float) -> None:
        """Takes the service time of a finished job into the estimate."""
        with self._lock:
            self._service_s += EWMA_WEIGHT * (service_s - self._service_s)
