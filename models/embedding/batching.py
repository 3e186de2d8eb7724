"""Lets messages that arrive at the same moment share one run of the embedder."""

import contextlib
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.errors import ModelBusy, ModelError
from models.ports import Embedder, Vectors

RUN_S = 0.005
"""About how long a run takes, for the estimate that a caller gets when too many wait."""


@dataclass(slots=True, eq=False)
class _Waiting:
    texts: tuple[str, ...]
    changed: threading.Condition
    vectors: Vectors | None = None
    is_done: bool = False
    """Set with no vectors, its caller embeds alone: the shared run failed, and whose text did it nobody knows."""


@dataclass(slots=True)
class BatchingEmbedder:
    """An `Embedder` before another one: whoever comes while a run is going shares the next one, in order.

    There is no waiting window and no thread of its own: a caller that finds nobody running runs at once, for itself and
    for those that wait, and then leaves it to the next of them. One run keeps one core busy. Thread-safe.
    """

    inner: Embedder
    max_batch: int = 16
    max_waiting: int = 256
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _is_running: bool = False

    def __post_init__(self) -> None:
        if min(self.max_batch, self.max_waiting) < 1:
            raise ValueError("max_batch and max_waiting are at least 1. This is a bug.")

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    @property
    def max_tokens(self) -> int:
        return self.inner.max_tokens

    @property
    def languages(self) -> frozenset[str] | None:
        return self.inner.languages

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Embedder.embed`; raises `ModelBusy` when too many wait."""
        if len(texts) > self.max_batch:  # an index being built, not a message: it would keep messages waiting
            return self.inner.embed(texts)
        mine = _Waiting(tuple(texts), threading.Condition(self._lock))
        with self._lock:
            shared = self._wait(mine)
        if shared:
            self._run(shared)
        if mine.vectors is not None:
            return mine.vectors
        return self.inner.embed(mine.texts)

    def _wait(self, mine: _Waiting) -> list[_Waiting]:
        """Waits for its turn or for somebody else's run; returns what to run, nothing when that was done."""
        if len(self._waiting) >= self.max_waiting:
            raise ModelBusy(retry_after_s=max(1.0, self.max_waiting / self.max_batch * RUN_S))
        self._waiting.append(mine)
        try:
            while not mine.is_done and (self._is_running or self._waiting[0] is not mine):
                mine.changed.wait()
            return [] if mine.is_done else self._take()
        finally:
            if mine in self._waiting:  # its wait was interrupted, and nobody else would ever take it away
                self._waiting.remove(mine)
                self._wake_next()

    def _take(self) -> list[_Waiting]:
        self._is_running = True
        taken = [self._waiting.popleft()]
        size = len(taken[0].texts)
        while self._waiting and size + len(self._waiting[0].texts) <= self.max_batch:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].texts)
        return taken

    def _run(self, shared: list[_Waiting]) -> None:
        # Whatever a run raises, everybody in it is woken and the next one starts. What a shared run raises may be the
        # fault of another caller's text: then each embeds its own again, alone, and meets only its own error.
        try:
            if len(shared) == 1:
                shared[0].vectors = self.inner.embed(shared[0].texts)
                return
            with contextlib.suppress(ModelError):
                vectors = self.inner.embed([text for waiting in shared for text in waiting.texts])
                ends = np.cumsum([len(waiting.texts) for waiting in shared])[:-1]
                for waiting, own in zip(shared, np.split(vectors, ends), strict=True):
                    waiting.vectors = own
        finally:
            with self._lock:
                self._is_running = False
                for waiting in shared:
                    waiting.is_done = True
                    waiting.changed.notify()
                self._wake_next()

    def _wake_next(self) -> None:
        if self._waiting:
            self._waiting[0].changed.notify()
