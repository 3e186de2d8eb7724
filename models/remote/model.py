"""A language model in other processes as a `LanguageModel`: the gateway's side."""

import asyncio
import hashlib
import itertools
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from models.errors import ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.flights import Flights
from models.last_look import LastLook
from models.ports import ApprovedPrompt, Cancellation, Completion, OnText, PartKind, RenderedPrompt, Sampling
from models.remote.messages import Ask, Done, Text, encode, read_model_answer
from models.worker.limits import ModelState

LOOK_S = 2.0
"""Between two looks at the replicas."""

_LOG = logging.getLogger(__name__)


class ModelCalls(Protocol):
    """What carries requests to the replicas. Called on one event loop."""

    def ask(self, message: bytes, *, affinity: str) -> AsyncGenerator[bytes, None]:
        """Yields what a replica answers; closing it stops the work there.

        Requests of the same affinity go to the same replica as long as that one takes them. Raises `ModelBusy`, and
        `ModelUnavailable` for a replica that died.
        """

    async def fault(self) -> str | None:
        """Returns in words why no replica can answer now; None when one can."""


@dataclass(frozen=True, slots=True)
class RemoteWeights:
    """What the replicas answer with."""

    name: str
    sha256: str
    adapters: Mapping[str, str]
    """Hash and scale, by assistant."""


class RemoteModel:
    """A `LanguageModel` in other processes. Thread-safe.

    Callers block on their own threads; one thread of this object talks to the replicas. A request whose replica dies
    fails, as one whose worker dies; nothing is asked twice.
    """

    def __init__(self, weights: RemoteWeights, calls: ModelCalls, *, parallel: int, waiting: int) -> None:
        """`parallel` requests are worked on at once by all replicas together, and `waiting` more may wait."""
        self.name = weights.name
        self.sha256 = weights.sha256
        self.parallel = parallel
        self.places = parallel + waiting
        self._adapters = weights.adapters
        self._calls = calls
        self._flights = Flights(self.places, self._watch)
        self._look = LastLook("the model's replicas", _LOG)

    def adapter(self, assistant: str) -> str:
        """Names the adapter of an assistant's answers by its hash; empty for none."""
        return self._adapters.get(assistant, "")

    @property
    def fault(self) -> str | None:
        """Why no replica could answer when they were last looked at, in words for the operator."""
        return self._look.fault

    @property
    def state(self) -> ModelState:
        """What can be expected of it now."""
        if not self._flights.is_running:
            return ModelState.DOWN
        if not self._look.was:
            return ModelState.STARTING
        return ModelState.READY if self.fault is None else ModelState.DOWN

    def start(self, wait_s: float = 0.0) -> None:
        """Starts to watch the replicas and to take requests; waits for the first look as long as `wait_s`."""
        self._flights.start()
        self._look.wait(wait_s)

    def close(self) -> None:
        """Fails whoever still waits; the model cannot be started again."""
        self._flights.close()

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        if cancellation.is_cancelled:
            raise RequestCancelled("the request was cancelled before it started")
        if not time.monotonic() < deadline_s:
            raise ModelTimeout("the deadline had passed before the request started")
        if self.fault is not None:
            raise ModelUnavailable(self.fault)
        return self._flights.run(
            lambda: self._answer(prompt, sampling, on_text, deadline_s),
            deadline_s=deadline_s,
            cancellation=cancellation,
        )

    async def _answer(
        self, prompt: ApprovedPrompt, sampling: Sampling, on_text: OnText | None, deadline_s: float
    ) -> Completion:
        ask = Ask(
            prompt,
            sampling,
            max(0.0, deadline_s - time.monotonic()),
            self.sha256,
            self.adapter(prompt.assistant),
            is_streamed=on_text is not None,
        )
        try:
            message, affinity = encode(ask), affinity_of(prompt)
        except UnicodeEncodeError as error:
            raise ModelRefused("the prompt is not valid Unicode") from error
        async with aclosing(self._calls.ask(message, affinity=affinity)) as answers:
            async for answer in answers:
                match read_model_answer(answer):
                    case Text(text=text) if on_text is not None:
                        on_text(text)
                    case Text():
                        raise ModelUnavailable("a replica of the model streamed what nobody listens to")
                    case Done(completion=completion):
                        return completion
                    case failed:
                        raise failed.error()
        raise ModelUnavailable("a replica of the model ended without an answer")

    async def _watch(self) -> None:
        while True:
            self._look.note(await self._calls.fault())
            await asyncio.sleep(LOOK_S)


def affinity_of(prompt: RenderedPrompt) -> str:
    """Returns the hash of what a prompt has in common with others: assistant, instructions, and all before a slot."""
    opening = itertools.takewhile(lambda part: part.kind is PartKind.APPROVED, prompt.question)
    texts = (prompt.assistant, *(part.text for part in (*prompt.instructions, *opening)))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
