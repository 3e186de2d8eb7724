"""An embedder in other processes as an `Embedder`: the gateway's side."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from models.embedding.wordpieces import WordPieces
from models.errors import ModelRefused, ModelUnavailable
from models.ports import Vectors
from models.remote.messages import EmbedderFacts, Failed, Texts, encode, read_embedder_answer

MOST_TEXTS = 64
"""In one request: more, as when an index is built, goes in several, so that messages come in between."""


class EmbedderCalls(Protocol):
    """What carries requests to the replicas. Thread-safe; blocks."""

    def embed(self, message: bytes) -> bytes:
        """Returns what a replica answers. Raises `ModelBusy`, and `ModelUnavailable` also for one that takes too long.

        A text has the same vector wherever it is embedded, so a replica that dies may be replaced by the next.
        """


class RemoteEmbedder:
    """An `Embedder` in other processes, which counts word pieces itself. Thread-safe."""

    def __init__(self, facts: EmbedderFacts, calls: EmbedderCalls) -> None:
        self.fingerprint = facts.fingerprint
        self.dimension = facts.dimension
        self.max_tokens = facts.max_tokens
        self.languages = None if facts.languages is None else frozenset(facts.languages)
        self._pieces = WordPieces(facts.tokenizer, facts.max_tokens)
        self._calls = calls

    def count_tokens(self, text: str) -> int:
        return self._pieces.count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        runs = [texts[start : start + MOST_TEXTS] for start in range(0, len(texts), MOST_TEXTS)]
        return np.concatenate([self._embed(run) for run in runs])

    def _embed(self, texts: Sequence[str]) -> Vectors:
        try:
            message = encode(Texts(tuple(texts)))
        except UnicodeEncodeError as error:
            raise ModelRefused("the text is not valid Unicode") from error
        answer = read_embedder_answer(self._calls.embed(message))
        if isinstance(answer, Failed):
            raise answer.error()
        if answer.rows != len(texts):
            raise ModelUnavailable("the embedder's replica returned another number of vectors")
        return answer.vectors(self.dimension)
