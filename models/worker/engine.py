"""A llama.cpp model in a worker process: its line of requests, its deadlines, its death and its return."""

import itertools
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from models.catalog import KnownModel, located
from models.device import DevicePlan
from models.errors import ModelError, ModelRefused, ModelTimeout, RequestCancelled
from models.files.unpacking import Weights
from models.formats import shared_places
from models.ports import ApprovedPrompt, Cancellation, Completion, OnText, PartKind, RenderedPrompt, Sampling
from models.worker.jobs import Job, Waiting
from models.worker.limits import EngineLimits, ModelState
from models.worker.messages import Adapter, Generate, Load, Prompt, Warm
from models.worker.process import WorkerProgram
from models.worker.reuse import ReuseCounter, Reused
from models.worker.supervisor import Supervisor

MAX_BYTES_PER_TOKEN = 16
"""A text of more bytes than this times the context cannot fit; word pieces of English have about 4."""
_LOOK_S = 0.05
"""How soon a refusal ends the wait for a start."""
_LOG = logging.getLogger(__name__)


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
        unpacked: Weights | None = None,
        adapters: tuple[Adapter, ...] = (),
        prefix_folder: Path | None = None,
    ) -> None:
        if not 1 <= limits.context_tokens <= model.context_tokens:
            raise ModelRefused(f"{model.name} has a context of {model.context_tokens} tokens, not more")
        self._format = model.prompt_format
        weights = unpacked or Weights(located(model, path), model.sha256)
        load = Load(
            path=str(weights.path.resolve()),
            sha256=weights.sha256,
            source_path=str(located(model, path).resolve()) if unpacked else "",
            source_sha256=model.sha256 if unpacked else "",
            context_tokens=limits.context_tokens,
            threads=device.threads,
            gpu_layers=device.gpu_layers,
            begin_of_sequence=self._format.begin_of_sequence,
            control_markers=self._format.control_markers,
            end_tokens=self._format.end_tokens,
            parallel=limits.parallel,
            cells=limits.cells,
            prefix_cells=limits.prefix_cells,
            prefix_folder=str(prefix_folder.resolve()) if prefix_folder else "",
            adapters=adapters,
        )
        self.name = model.name
        self.sha256 = model.sha256
        self._adapters = {one.assistant: one.name for one in adapters}
        self._limits = limits
        self._waiting = Waiting(limits.max_waiting, limits.parallel)
        self._job_ids = itertools.count(1)
        self._supervisor = Supervisor(load, limits, program, self._waiting)
        self._reuse = ReuseCounter()

    def adapter(self, assistant: str) -> str:
        """Names the adapter of an assistant's answers by its hash; empty for none."""
        return self._adapters.get(assistant, "")

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
        """Returns whether the model is ready now or became so within `timeout_s`; one that is refused never does."""
        until = time.monotonic() + timeout_s
        while not self._supervisor.ready.wait(min(_LOOK_S, max(0.0, until - time.monotonic()))):
            if self._supervisor.is_refused or time.monotonic() >= until:
                return False
        return True

    def close(self) -> None:
        """Ends the worker and fails whoever still waits; the model cannot be started again."""
        self._supervisor.close()

    @property
    def parallel(self) -> int:
        """How many requests the worker works on at once."""
        return self._limits.parallel

    @property
    def places(self) -> int:
        """How many requests it takes at once, those that wait included."""
        return self._limits.parallel + self._limits.max_waiting

    @property
    def waiting(self) -> int:
        """How many requests wait in line, those included that nobody waits for any more."""
        return len(self._waiting)

    @property
    def was_ready(self) -> bool:
        """Whether a worker was ready once, so that one that loads is a later one."""
        return self._supervisor.was_ready

    @property
    def starts(self) -> int:
        """How often a worker was started."""
        return self._supervisor.starts

    @property
    def kept_prefixes(self) -> int:
        """How many beginnings of prompts the worker has ready."""
        return self._supervisor.kept_prefixes

    @property
    def reused(self) -> Reused:
        """How much of the prompts the worker had ready."""
        return self._reuse.counted

    def warm(self, openings: Sequence[RenderedPrompt]) -> None:
        """Has these beginnings of prompts ready, the most used first, now and after every start of the worker.

        They are never answered. One that cannot fit is left out: whoever asks with it is told. Raises `ValueError` for
        one with a slot's value: it would be kept for others.
        """
        parts = [part for opening in openings for part in (*opening.instructions, *opening.question)]
        if any(part.text for part in parts if part.kind is not PartKind.APPROVED):
            raise ValueError("what is kept for everybody has no slot values. This is a bug.")
        warmings = []
        for opening in openings:
            try:
                warmings.append(Warm(self._laid_out(opening)))
            except ModelRefused as error:
                _LOG.warning("prompt_not_warmed, of assistant %s: %s", opening.assistant, error)
        self._supervisor.warm(warmings)

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        laid_out = self._laid_out(prompt)
        stop = (*self._format.stop, *sampling.stop)
        # The worker's own deadline is set when the job is sent.
        request = Generate(next(self._job_ids), laid_out, sampling, stop, 0.0, is_streamed=on_text is not None)
        job = Job(request, deadline_s)
        if cancellation.is_cancelled:
            raise RequestCancelled("the request was cancelled before it started")
        if not time.monotonic() < deadline_s:
            raise ModelTimeout("the deadline had passed before the request started")
        self._supervisor.require_open_door()
        self._waiting.add(job)
        # Asked again: the door may have closed between the question and the place in line.
        self._supervisor.require_open_door()
        self._supervisor.wake()
        cancellation.then(lambda: job.settle(RequestCancelled("the request was cancelled")))
        try:
            outcome = job.wait(on_text or _unheard)
        finally:
            # A wait that ends early, also by an error of `on_text`, leaves the worker to be stopped.
            job.settle(RequestCancelled("nobody waits for the answer any more"))
            self._supervisor.wake()
        if isinstance(outcome, ModelError):
            raise outcome
        self._reuse.count(outcome)
        return outcome

    def _laid_out(self, prompt: RenderedPrompt) -> Prompt:
        segments = tuple(self._format.layout(prompt))
        texts = [prompt.assistant, *(segment.text for segment in segments)]
        _require_encodable(texts, self._limits.context_tokens * MAX_BYTES_PER_TOKEN)
        return Prompt(segments, shared_places(self._format, prompt), prompt.assistant)


def _require_encodable(texts: Sequence[str], max_bytes: int) -> None:
    try:
        size = sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError as error:
        raise ModelRefused("the prompt is not valid Unicode") from error
    if size > max_bytes:
        raise ModelRefused(f"the prompt has {size} bytes; the model's context cannot hold more than {max_bytes}")


def _unheard(_: str) -> None:
    """Is told nothing: the request is not streamed."""
