"""The ports of the models package: what a language model and an embedder are to the gateway."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class PartKind(StrEnum):
    """Where a piece of a prompt comes from, which decides how it may be tokenised."""

    APPROVED = "approved"
    """Text of the approved prompt version: instructions, facts, prompt text."""
    SLOT = "slot"
    """A typed slot value; never parsed for control tokens."""
    QUOTED = "quoted"
    """A `quoted_text` value: outside the promise, marked everywhere, never parsed for control tokens."""


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One piece of text and its origin."""

    text: str
    kind: PartKind


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The two turns a model gets: the assistant's instructions and the approved prompt with its slots filled."""

    instructions: tuple[PromptPart, ...]
    question: tuple[PromptPart, ...]

    def __post_init__(self) -> None:
        if not any(part.text.strip() for part in self.question):
            raise ValueError("a rendered prompt needs text in its question. This is a bug.")

    @property
    def has_quoted_text(self) -> bool:
        """Whether a part of it is outside the promise."""
        return any(part.kind is PartKind.QUOTED for part in self.question)


ApprovedPrompt = NewType("ApprovedPrompt", RenderedPrompt)
"""The only type a language model accepts; `gateway/pipeline.py` builds it, in one line."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; values out of range are an error, not clamped."""

    max_tokens: int = 80
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= 512:
            raise ValueError("max_tokens must be between 1 and 512")
        if not 0.0 <= self.temperature <= 2.0:
            raise ValueError("temperature must be between 0 and 2")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError("top_p must be above 0 and at most 1")
        if not 0 <= self.seed < 2**32:
            raise ValueError("seed must be between 0 and 4294967295")
        if len(self.stop) > 4 or any(not 1 <= len(text) <= 64 for text in self.stop):
            raise ValueError("stop takes at most 4 texts of 1 to 64 characters")


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said, and exactly which tokens it was given."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: tuple[int, ...]
    completion_tokens: int
    first_token_ms: float
    """From the start of the work (not of the wait) to the first token."""
    duration_ms: float

    @property
    def prompt_sha256(self) -> str:
        """Hex hash of the tokens that the model was given, each as four bytes, big-endian."""
        return hashlib.sha256(b"".join(token.to_bytes(4, "big") for token in self.prompt_tokens)).hexdigest()


@dataclass(slots=True)
class Cancellation:
    """A flag that the caller raises when nobody waits for the answer any more."""

    event: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Asks the model to stop; takes effect within one token or one prefill batch."""
        self.event.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the caller went away."""
        return self.event.is_set()


class LanguageModel(Protocol):
    """Words an answer for an approved prompt. Synchronous: call it in a thread."""

    @property
    def name(self) -> str:
        """The name shown to operators, such as `smollm2-135m-instruct`."""

    @property
    def sha256(self) -> str:
        """Hash of the weights that answer, hex; recorded with every decision."""

    def complete(
        self, prompt: ApprovedPrompt, sampling: Sampling, *, deadline_s: float, cancellation: Cancellation
    ) -> Completion:
        """Returns the whole answer.

        `deadline_s` is a point on `time.monotonic()`'s clock. Raises `ModelBusy` at once when too many wait,
        `ModelUnavailable`, `ModelTimeout`, `ModelRefused` or `RequestCancelled`.
        """


class Embedder(Protocol):
    """Turns texts into vectors. Synchronous: call it in a thread."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors; an index built with another one is rebuilt."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Word pieces it reads, special ones included; a longer text is refused, never cut."""

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO codes of the languages that it serves; None when nobody said, and then nothing is refused."""

    def count_tokens(self, text: str) -> int:
        """Returns the number of word pieces of `text`, special ones included."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Returns an array (len(texts), dimension), float32, each row of length 1.

        Raises `ModelRefused` for a text longer than `max_tokens`.
        """
