"""The worker's loop: takes jobs from one pipe, works them off together, answers on another pipe."""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from models.errors import ModelRefused
from models.worker.backend import Backend
from models.worker.messages import (
    Beat,
    Cancel,
    Done,
    Failed,
    FromWorker,
    Generate,
    Load,
    Ready,
    Refused,
    ToWorker,
    Warm,
    encode_frame,
    read_to_worker,
)
from models.worker.prefix_store import PrefixStore
from models.worker.scheduler import Scheduler

BEAT_S = 1.0


class _Outbox:
    """The pipe to the gateway; two threads write to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: FromWorker) -> None:
        frame = encode_frame(message)
        with self._lock:
            self._stream.write(frame)
            self._stream.flush()


class _Inbox:
    """Jobs in the order of arrival, and the cancellations that overtake them; of ended ones nothing is kept."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Generate | Warm, float]] = queue.SimpleQueue()
        self._cancellations: dict[int, threading.Event] = {}
        """Of every job that has not ended."""

    def take(self, message: ToWorker) -> None:
        """Takes a message in; called by the thread that reads the pipe."""
        if isinstance(message, Generate):
            self._cancellations[message.job_id] = threading.Event()
            self._jobs.put((message, time.monotonic() + message.timeout_s))
        elif isinstance(message, Warm):
            self._jobs.put((message, 0.0))
        elif isinstance(message, Cancel):
            if (cancellation := self._cancellations.get(message.job_id)) is not None:
                cancellation.set()
        else:
            raise ModelRefused("a worker loads one model once")

    def jobs(self, *, is_waited_for: bool) -> Iterator[tuple[Generate | Warm, float]]:
        """Yields what has arrived; waits for the first when there is nothing else to do."""
        while is_waited_for or not self._jobs.empty():
            yield self._jobs.get()
            is_waited_for = False

    def is_cancelled(self, job_id: int) -> bool:
        """Whether a job was cancelled."""
        cancellation = self._cancellations.get(job_id)
        return cancellation is not None and cancellation.is_set()

    def forgetting(self, send: Callable[[FromWorker], None]) -> Callable[[FromWorker], None]:
        """Returns what sends a message, and forgets the job that ends with it."""

        def tell(message: FromWorker) -> None:
            send(message)
            if isinstance(message, Done | Failed):
                self._cancellations.pop(message.job_id, None)

        return tell


def serve(load: Callable[[Load], Backend], source: BinaryIO, sink: BinaryIO) -> None:
    """Loads the model that the first message names, then works until `source` ends, which ends the process."""
    outbox = _Outbox(sink)
    first = read_to_worker(source)
    if not isinstance(first, Load):
        return
    status = _Status()
    threading.Thread(target=_beat, args=(outbox, status), name="beat", daemon=True).start()
    inbox = _Inbox()
    threading.Thread(target=_listen, args=(source, inbox), name="inbox", daemon=True).start()
    started = time.monotonic()
    try:
        backend = load(first)
    except ModelRefused as error:
        outbox.send(Refused(str(error)))
        return
    store = PrefixStore(backend.identity, Path(first.prefix_folder) if first.prefix_folder else None)
    tell = inbox.forgetting(outbox.send)
    scheduler = Scheduler(backend, tell, inbox.is_cancelled, prefix_cells=first.prefix_cells, store=store)
    status.scheduler, status.store = scheduler, store
    outbox.send(Ready(can_offload_to_gpu=backend.can_offload_to_gpu, load_ms=_ms_since(started)))
    while True:
        for job, deadline_s in inbox.jobs(is_waited_for=scheduler.is_idle):
            if isinstance(job, Generate):
                scheduler.add(job, deadline_s)
            else:
                scheduler.warm(job)
        scheduler.step()


class _Status:
    """What the thread that reports may read of the thread that works."""

    scheduler: Scheduler | None = None
    store: PrefixStore | None = None

    @property
    def beat(self) -> Beat:
        if self.scheduler is None or self.store is None:
            return Beat()
        return Beat(self.store.count, self.scheduler.prefixes.cells)


def _listen(source: BinaryIO, inbox: _Inbox) -> None:
    """Ends the process, whatever it is doing, when the gateway closes the pipe, dies or sends nonsense."""
    try:
        while (message := read_to_worker(source)) is not None:
            inbox.take(message)
    finally:
        os._exit(0)


def _beat(outbox: _Outbox, status: _Status) -> None:
    while True:
        try:
            outbox.send(status.beat)
        except OSError:
            # Nobody reads any more; the thread that listens ends the process.
            return
        time.sleep(BEAT_S)


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
