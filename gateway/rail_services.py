"""What rails may call of the store and the models, handed across by the composition root."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from gateway.checking_model import CheckingModel
from models.classifier import Scores, open_classifier
from models.errors import ModelRefused
from models.ports import Embedder, LanguageModel, Vectors
from rails.definition import RailServices
from rails.errors import TextTooLong
from store.nearest import Block

REMEMBERED = 64
"""Texts whose vectors are kept: a message passes rails and matcher within some milliseconds."""


class RecentVectors:
    """An `Embedder` that knows the vectors of the last single texts: rails and matcher ask for the same one.

    Thread-safe; two that ask at once may both embed.
    """

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    @property
    def fingerprint(self) -> str:
        return self._inner.fingerprint

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    @property
    def languages(self) -> frozenset[str] | None:
        return self._inner.languages

    def count_tokens(self, text: str) -> int:
        return self._inner.count_tokens(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) != 1:
            return self._inner.embed(texts)
        with self._lock:
            known = self._known.get(texts[0])
            if known is not None:
                self._known.move_to_end(texts[0])
                return known
        vectors = self._inner.embed(texts)
        vectors.flags.writeable = False
        with self._lock:
            self._known[texts[0]] = vectors
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return vectors


@dataclass(frozen=True, slots=True)
class _Exemplars:
    """A FAISS block as rails see it."""

    block: Block

    def nearest(self, vector: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        places, scores = self.block.nearest(vector, count)
        order = np.argsort(-scores, kind="stable")[:count]
        return scores[order], places[order]


def _exemplars(vectors: Vectors) -> _Exemplars:
    return _Exemplars(Block(vectors, np.arange(len(vectors), dtype=np.int64)))


def _embedded(embedder: Callable[[], Embedder], texts: Sequence[str]) -> Vectors:
    opened = embedder()
    try:
        return opened.embed(texts)
    except ModelRefused as error:
        raise TextTooLong(str(error)) from error


def _classifier(folder: str, label: str) -> Scores:
    try:
        return open_classifier(Path(folder).expanduser(), label)
    except ModelRefused as error:
        raise ValueError(str(error)) from error


def rail_services(embedder: Callable[[], Embedder], model: Callable[[], LanguageModel] | None = None) -> RailServices:
    """Returns the services; embedder and model are asked for when the first policy needs them."""
    return RailServices(
        embed=partial(_embedded, embedder),
        neighbours=_exemplars,
        classifier=_classifier,
        ask=CheckingModel(model).ask_of if model is not None else None,
    )
