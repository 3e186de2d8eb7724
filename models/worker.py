"""The worker's loop: takes jobs from one pipe, works them off one after another, answers on another pipe."""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Protocol

from models.answer import AnswerText
from models.errors import ModelRefused
from models.formats import Segment
from models.messages import (
    Beat,
    Cancel,
    Done,
    Failed,
    FailureKind,
    FromWorker,
    Generate,
    Load,
    Ready,
    Refused,
    ToWorker,
    encode_frame,
    read_to_worker,
)
from models.ports import Completion, FinishReason, Sampling

BEAT_S = 1.0


class Halted(Exception):
    """The job was given up because `is_halted` said so."""


class Backend(Protocol):
    """A loaded model, tokens in and bytes out; used from one thread."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    @property
    def can_offload_to_gpu(self) -> bool:
        """Whether it could use a GPU if there were one."""

    def prompt_tokens(self, segments: Sequence[Segment]) -> list[int]:
        """Returns the tokens of a prompt; raises `ModelRefused` when text would become a control token."""

    def pieces(self, tokens: list[int], sampling: Sampling, is_halted: Callable[[], bool]) -> Iterator[bytes]:
        """Yields the bytes of one token after another until the model ends its turn; raises `Halted`."""


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
    """Jobs in the order of arrival, and the cancellations that overtake them."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Generate, float]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()

    def take(self, message: ToWorker) -> None:
        if isinstance(message, Generate):
            self._jobs.put((message, time.monotonic() + message.timeout_s))
        elif isinstance(message, Cancel):
            with self._lock:
                self._cancelled.add(message.job_id)
        else:
            raise ModelRefused("a worker loads one model once")

    def next_job(self) -> tuple[Generate, float]:
        return self._jobs.get()

    def is_cancelled(self, job_id: int) -> bool:
        with self._lock:
            return job_id in self._cancelled

    def forget(self, job_id: int) -> None:
        """Drops what can no longer matter: job numbers grow, so cancellations up to this one are spent."""
        with self._lock:
            self._cancelled = {number for number in self._cancelled if number > job_id}


def serve(load: Callable[[Load], Backend], source: BinaryIO, sink: BinaryIO) -> None:
    """Loads the model that the first message names, then works until `source` ends, which ends the process."""
    outbox = _Outbox(sink)
    first = read_to_worker(source)
    if not isinstance(first, Load):
        return
    threading.Thread(target=_beat, args=(outbox,), name="beat", daemon=True).start()
    inbox = _Inbox()
    threading.Thread(target=_listen, args=(source, inbox), name="inbox", daemon=True).start()
    started = time.monotonic()
    try:
        backend = load(first)
    except ModelRefused as error:
        outbox.send(Refused(str(error)))
        return
    outbox.send(Ready(can_offload_to_gpu=backend.can_offload_to_gpu, load_ms=_ms_since(started)))
    while True:
        job, deadline_s = inbox.next_job()
        outbox.send(run_job(backend, job, _failure_check(job, deadline_s, inbox)))
        inbox.forget(job.job_id)


def run_job(backend: Backend, job: Generate, failure: Callable[[], FailureKind | None]) -> Done | Failed:
    """Returns the whole answer of one job, or why there is none; `failure` is asked before every token."""
    started = time.monotonic()
    try:
        tokens = backend.prompt_tokens(job.segments)
        _require_room(len(tokens), job.sampling.max_tokens, backend.context_tokens)
        completion = _complete(backend, job, tokens, lambda: failure() is not None, started)
    except ModelRefused as error:
        return Failed(job.job_id, FailureKind.REFUSED, str(error))
    except Halted:
        completion = None
    kind = failure()
    if kind is not None or completion is None:
        return Failed(job.job_id, kind or FailureKind.CANCELLED, "the job was given up")
    return Done(job.job_id, completion)


def _complete(
    backend: Backend, job: Generate, tokens: list[int], is_halted: Callable[[], bool], started: float
) -> Completion:
    answer = AnswerText(job.stop)
    count = 0
    first_token_ms = 0.0
    finish = FinishReason.STOP
    if is_halted():
        raise Halted
    for piece in backend.pieces(tokens, job.sampling, is_halted):
        count += 1
        if count == 1:
            first_token_ms = _ms_since(started)
        if answer.add(piece):
            break
        if count == job.sampling.max_tokens:
            finish = FinishReason.LENGTH
            break
    duration_ms = _ms_since(started)
    return Completion(
        text=answer.text,
        finish_reason=finish,
        prompt_tokens=tuple(tokens),
        completion_tokens=count,
        first_token_ms=first_token_ms if count else duration_ms,
        duration_ms=duration_ms,
    )


def _require_room(prompt: int, answer: int, context: int) -> None:
    if prompt + answer > context:
        raise ModelRefused(
            f"the prompt has {prompt} tokens and the answer may have {answer}; the context holds {context}. "
            "Shorten the prompt's facts or lower max_tokens."
        )


def _failure_check(job: Generate, deadline_s: float, inbox: _Inbox) -> Callable[[], FailureKind | None]:
    def failure() -> FailureKind | None:
        if inbox.is_cancelled(job.job_id):
            return FailureKind.CANCELLED
        # "not <" instead of ">=": a deadline that is not a number has passed.
        return None if time.monotonic() < deadline_s else FailureKind.TIMEOUT

    return failure


def _listen(source: BinaryIO, inbox: _Inbox) -> None:
    """Ends the process, whatever it is doing, when the gateway closes the pipe, dies or sends nonsense."""
    try:
        while (message := read_to_worker(source)) is not None:
            inbox.take(message)
    finally:
        os._exit(0)


def _beat(outbox: _Outbox) -> None:
    while True:
        try:
            outbox.send(Beat())
        except OSError:
            # Nobody reads any more; the thread that listens ends the process.
            return
        time.sleep(BEAT_S)


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
