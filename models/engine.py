"""A llama.cpp model in a worker process: its line of requests, its deadlines, its death and its return."""

import itertools
import time
from pathlib import Path

from models.catalog import KnownModel, located
from models.device import DevicePlan
from models.errors import ModelError, ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.formats import Segment
from models.jobs import Job, Waiting
from models.messages import Generate, Load
from models.ports import ApprovedPrompt, Cancellation, Completion, Sampling
from models.process import WorkerProgram
from models.supervisor import EngineLimits, ModelState, Supervisor

TICK_S = 0.02
"""How soon a raised cancellation or a passed deadline is noticed; 50 look-ups a second cost nothing."""

MAX_BYTES_PER_TOKEN = 16
"""A text of more bytes than this times the context cannot fit; word pieces of English have about 4."""


class LlamaModel:
    """A `LanguageModel` whose weights live in another process. Thread-safe.

    One thread supervises: it alone talks to the worker and decides. Callers put a job in line and wait for it.
    """

    def __init__(
        self,
        model: KnownModel,
        device: DevicePlan,
        limits: EngineLimits,
        program: WorkerProgram,
        *,
        path: Path | None = None,
    ) -> None:
        if not 1 <= limits.context_tokens <= model.context_tokens:
            raise ModelRefused(f"{model.name} has a context of {model.context_tokens} tokens, not more")
        self._format = model.prompt_format
        load = Load(
            path=str(located(model, path).resolve()),
            sha256=model.sha256,
            context_tokens=limits.context_tokens,
            threads=device.threads,
            gpu_layers=device.gpu_layers,
            begin_of_sequence=self._format.begin_of_sequence,
            control_markers=self._format.control_markers,
        )
        self.name = model.name
        self.sha256 = model.sha256
        self._limits = limits
        self._waiting = Waiting(limits.max_waiting)
        self._job_ids = itertools.count(1)
        self._supervisor = Supervisor(load, limits, program, self._waiting)

    @property
    def state(self) -> ModelState:
        """What can be expected of it now."""
        return self._supervisor.state

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None while there is none."""
        return self._supervisor.pid

    @property
    def can_offload_to_gpu(self) -> bool | None:
        """Whether the worker's llama.cpp was built for a GPU; None before a worker was ready."""
        return self._supervisor.can_offload_to_gpu

    def start(self, wait_s: float = 0.0) -> None:
        """Starts the worker; waits for readiness as long as `wait_s`, and does not raise when it takes longer."""
        self._supervisor.start()
        self.wait_ready(wait_s)

    def wait_ready(self, timeout_s: float) -> bool:
        """Returns whether the model is ready now or became so within `timeout_s`."""
        return self._supervisor.ready.wait(timeout_s)

    def close(self) -> None:
        """Ends the worker and fails whoever still waits; the model cannot be started again."""
        self._supervisor.close()

    def complete(
        self, prompt: ApprovedPrompt, sampling: Sampling, *, deadline_s: float, cancellation: Cancellation
    ) -> Completion:
        segments = tuple(self._format.layout(prompt))
        _require_encodable(segments, self._limits.context_tokens * MAX_BYTES_PER_TOKEN)
        stop = (*self._format.stop, *sampling.stop)
        # The worker's own deadline is set when the job is sent.
        job = Job(Generate(next(self._job_ids), segments, sampling, stop, timeout_s=0.0), deadline_s)
        if cancellation.is_cancelled:
            raise RequestCancelled("the request was cancelled before it started")
        if not time.monotonic() < deadline_s:
            raise ModelTimeout("the deadline had passed before the request started")
        self._supervisor.require_open_door()
        self._waiting.add(job)
        # Asked again: the door may have closed between the question and the place in line.
        self._supervisor.require_open_door()
        self._supervisor.wake()
        outcome = _wait(job, cancellation)
        # A wait that ends early leaves the worker to be stopped.
        self._supervisor.wake()
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome


def _wait(job: Job, cancellation: Cancellation) -> Completion | ModelError:
    while not job.settled.wait(max(0.0, min(TICK_S, job.deadline_s - time.monotonic()))):
        if cancellation.is_cancelled:
            job.settle(RequestCancelled("the request was cancelled"))
        elif not time.monotonic() < job.deadline_s:
            job.settle(ModelTimeout("the model did not answer before the deadline"))
    if job.outcome is None:
        raise ModelUnavailable("a settled job has no outcome. This is a bug.")
    return job.outcome


def _require_encodable(segments: tuple[Segment, ...], max_bytes: int) -> None:
    try:
        size = sum(len(segment.text.encode()) for segment in segments)
    except UnicodeEncodeError as error:
        raise ModelRefused("the prompt is not valid Unicode") from error
    if size > max_bytes:
        raise ModelRefused(f"the prompt has {size} bytes; the model's context cannot hold more than {max_bytes}")
