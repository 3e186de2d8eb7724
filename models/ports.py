"""The ports of the models package: what a language model and an embedder are to the gateway."""

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

MAX_GRAMMAR = 4096
"""Characters; more is a program and not the form of an answer."""


TINIEST = 1e-9
"""The lowest temperature above 0: divided by less, the numbers of a model are beyond what 32 bits hold."""

_SURROGATE = re.compile("[\ud800-\udfff]")


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
    assistant: str = ""
    """Whose prompt it is: what a model keeps of a prompt's beginning serves no other assistant."""

    def __post_init__(self) -> None:
        if not any(part.text.strip() for part in (*self.instructions, *self.question)):
            raise ValueError("a rendered prompt needs text. This is a bug.")

    @property
    def has_quoted_text(self) -> bool:
        """Whether a part of it is outside the promise."""
        return any(part.kind is PartKind.QUOTED for part in self.question)


ApprovedPrompt = NewType("ApprovedPrompt", RenderedPrompt)
"""The only type a language model accepts; `gateway/pipeline.py` builds it in one line, and `gateway/checking_model.py`
for the questions of the rail `self_check`, which no policy has unless it names the model."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; values out of range are an error, not clamped."""

    max_tokens: int = 80
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    grammar: str = ""
    """A GBNF grammar without recursion that the answer must follow, written by the prompt's author; empty for none."""

    def __post_init__(self) -> None:
        # Types too: another process reads this, and takes what it does not expect for a broken gateway.
        if type(self.max_tokens) is not int or not 1 <= self.max_tokens <= 512:
            raise ValueError("max_tokens must be a whole number between 1 and 512")
        if not _is_number(self.temperature) or not (self.temperature == 0.0 or TINIEST <= self.temperature <= 2.0):
            raise ValueError(f"temperature must be 0, or between {TINIEST:g} and 2")
        if not _is_number(self.top_p) or not 0.0 < self.top_p <= 1.0:
            raise ValueError("top_p must be above 0 and at most 1")
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ValueError("seed must be a whole number between 0 and 4294967295")
        if type(self.stop) is not tuple or len(self.stop) > 4 or not all(_is_text(one, 1, 64) for one in self.stop):
            raise ValueError("stop takes at most 4 texts of 1 to 64 characters")
        if not _is_text(self.grammar, 0, MAX_GRAMMAR) or "\0" in self.grammar:
            raise ValueError(f"a grammar is a text of at most {MAX_GRAMMAR} characters, none of them NUL")


def _is_number(value: object) -> bool:
    return type(value) in (int, float)  # a truth value is an int to isinstance


def _is_text(value: object, least: int, most: int) -> bool:
    """Whether it is a text of such a length that can be written as UTF-8."""
    return isinstance(value, str) and least <= len(value) <= most and not _SURROGATE.search(value)


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What an upstream was sent that makes the tokens itself and keeps them to itself."""

    sha256: str
    """Hex hash of the request's body: prompt, model name and sampling."""
    prompt_token_count: int
    """As the server counted them."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said, and exactly what it was given: the tokens, or the request to an upstream that hides them."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: tuple[int, ...]
    """Empty when an upstream hides them; then `sent_request` says what is known."""
    completion_tokens: int
    first_token_ms: float
    """From the start of the work (not of the wait) to the first token."""
    duration_ms: float
    reused_tokens: int = 0
    """Prompt tokens that the model had ready from earlier requests of the same assistant."""
    sent_request: SentRequest | None = None

    def __post_init__(self) -> None:
        if bool(self.prompt_tokens) == (self.sent_request is not None):
            raise ValueError("a completion has its prompt's tokens or the request that was sent. This is a bug.")

    @property
    def prompt_token_count(self) -> int:
        """How many tokens the model was given."""
        return len(self.prompt_tokens) if self.sent_request is None else self.sent_request.prompt_token_count

    @property
    def prompt_sha256(self) -> str:
        """Hex hash of the tokens that the model was given, each as four bytes, big-endian; or of the sent request."""
        if self.sent_request is not None:
            return self.sent_request.sha256
        return hashlib.sha256(b"".join(token.to_bytes(4, "big") for token in self.prompt_tokens)).hexdigest()


class Cancellation:
    """Is raised by the caller when nobody waits for the answer any more. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Callable[[], object]] = []
        self.event = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        """Whether the caller went away."""
        return self.event.is_set()

    def cancel(self) -> None:
        """Asks the model to stop; takes effect within one token or one prefill batch."""
        with self._lock:
            self.event.set()
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def then(self, call: Callable[[], object]) -> None:
        """Calls it when the request is cancelled, at once when it is already; it must be quick."""
        with self._lock:
            if not self.event.is_set():
                self._calls.append(call)
                return
        call()


OnText = Callable[[str], None]
"""Gets whole characters, in order, none of a stop text; it must return at once."""


class LanguageModel(Protocol):
    """Words an answer for an approved prompt. Synchronous: call it in a thread."""

    @property
    def name(self) -> str:
        """The name shown to operators, such as `smollm2-135m-instruct`."""

    @property
    def sha256(self) -> str:
        """Hash of the weights that answer, hex; recorded with every decision."""

    def adapter(self, assistant: str) -> str:
        """Returns the hash of what is added to them for an assistant, with `*` and its scale where that is not 1.

        Empty for nothing. Recorded too: an answer made with another adapter is another answer.
        """

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        """Returns the whole answer; `on_text` is told each stretch of it as it comes, unchecked, from another thread.

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
