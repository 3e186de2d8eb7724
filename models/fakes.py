"""Stand-ins for the model and the embedder, with the same contract and no weights."""

import asyncio
import hashlib
import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.ports import ApprovedPrompt, Cancellation, Completion, FinishReason, OnText, Sampling, Vectors

WORD = re.compile(r"\w+|[^\w\s]")
POLL_S = 0.005


def prompt_text(prompt: ApprovedPrompt) -> str:
    """Returns what a prompt says, without its markup."""
    return "".join(part.text for part in (*prompt.instructions, *prompt.question))


@dataclass(slots=True)
class FakeModel:
    """A `LanguageModel` that answers what it is told to and keeps every prompt it got."""

    answer: str | Callable[[ApprovedPrompt], str] = "This is the approved answer."
    delay_s: float = 0.0
    """How long an answer takes; a deadline or a cancellation cuts it short, as in the real one."""
    stretch_chars: int | None = None
    """A listener is told the answer in stretches of so many characters; None tells all of it at once."""
    stretch_s: float = 0.0
    """How long each of them takes."""
    is_busy: bool = False
    is_unavailable: bool = False
    context_tokens: int = 2048
    name: str = "fake"
    sha256: str = "f" * 64
    adapters: Mapping[str, str] = field(default_factory=dict)
    prompts: list[ApprovedPrompt] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def adapter(self, assistant: str) -> str:
        return self.adapters.get(assistant, "")

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        _require_no_event_loop()
        with self._lock:
            self.prompts.append(prompt)
        tokens = tuple(_word_id(word) for word in WORD.findall(prompt_text(prompt)))
        self._refuse_early(len(tokens), sampling, deadline_s, cancellation)
        started = time.monotonic()
        self._work(started + self.delay_s, deadline_s, cancellation)
        answer = self.answer if isinstance(self.answer, str) else self.answer(prompt)
        text, count, finish = _limited(answer, sampling)
        if on_text is not None:
            for start in range(0, len(text), self.stretch_chars or len(text) or 1):
                on_text(text[start : start + (self.stretch_chars or len(text))])
                self._work(time.monotonic() + self.stretch_s, deadline_s, cancellation)
        took_ms = (time.monotonic() - started) * 1000
        return Completion(text, finish, tokens, count, first_token_ms=took_ms, duration_ms=took_ms)

    def _refuse_early(self, tokens: int, sampling: Sampling, deadline_s: float, cancellation: Cancellation) -> None:
        if cancellation.is_cancelled:
            raise RequestCancelled("the request was cancelled before it started")
        if not time.monotonic() < deadline_s:
            raise ModelTimeout("the deadline had passed before the request started")
        if self.is_unavailable:
            raise ModelUnavailable("the fake was told to be unavailable")
        if self.is_busy:
            raise ModelBusy(retry_after_s=1.0)
        if tokens + sampling.max_tokens > self.context_tokens:
            raise ModelRefused("the prompt does not fit the context")

    def _work(self, until_s: float, deadline_s: float, cancellation: Cancellation) -> None:
        while (now_s := time.monotonic()) < until_s:
            if cancellation.is_cancelled:
                raise RequestCancelled("the request was cancelled")
            if now_s >= deadline_s:
                raise ModelTimeout("the model did not answer before the deadline")
            time.sleep(min(POLL_S, until_s - now_s))


@dataclass(frozen=True, slots=True)
class FakeEmbedder:
    """An `Embedder` that counts hashed words and pairs of letters, so that similar wordings are near each other."""

    fingerprint: str = "fake-embedder-1"
    dimension: int = 64
    max_tokens: int = 256
    languages: frozenset[str] | None = None

    def count_tokens(self, text: str) -> int:
        return len(WORD.findall(text)) + 2

    def embed(self, texts: Sequence[str]) -> Vectors:
        _require_no_event_loop()
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            tokens = self.count_tokens(text)
            if tokens > self.max_tokens:
                raise ModelRefused(f"the text has {tokens} word pieces; the embedder reads at most {self.max_tokens}")
            for word in WORD.findall(text.lower()):
                # A sign taken from the hash keeps unrelated texts near zero instead of near each other.
                number = _word_id(word)
                row[number % self.dimension] += 1.0 if number >> 20 & 1 else -1.0
            length = math.sqrt(float(row @ row))
            if length == 0.0:
                row[0] = length = 1.0
            np.divide(row, length, out=row)
        return vectors


def _limited(answer: str, sampling: Sampling) -> tuple[str, int, FinishReason]:
    ends = [at for stop in sampling.stop if (at := answer.find(stop)) >= 0]
    answer = answer[: min(ends)] if ends else answer
    words = list(WORD.finditer(answer))
    if len(words) <= sampling.max_tokens:
        return answer, len(words), FinishReason.STOP
    return answer[: words[sampling.max_tokens - 1].end()], sampling.max_tokens, FinishReason.LENGTH


def _word_id(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


def _require_no_event_loop() -> None:
    """Raises `AssertionError` on an event loop's thread, where a blocking call stops every other request."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise AssertionError(
        "a synchronous port was called on the event loop; use anyio.to_thread.run_sync. This is a bug."
    )
