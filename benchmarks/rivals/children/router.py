"""semantic-router's `IndexedRouter` with its Hugging Face encoder, as its guides set it up."""

from collections.abc import Sequence
from typing import Any

import lines
import numpy as np
import torch
from pydantic import PrivateAttr
from semantic_router import IndexedRouter, Route
from semantic_router.calibration import Calibrator
from semantic_router.encoders import HuggingFaceEncoder, TfidfEncoder
from semantic_router.routers.base import run


class Known(HuggingFaceEncoder):
    """The encoder, which does not embed again what came embedded: a store of thousands takes minutes."""

    _known: dict[str, list[float]] = PrivateAttr(default_factory=dict)

    def keep(self, known: dict[str, list[float]]) -> None:
        """Takes vectors of texts."""
        self._known = known

    def __call__(self, docs: list[str], **options: Any) -> list[list[float]]:
        if docs and all(doc in self._known for doc in docs):
            return [self._known[doc] for doc in docs]
        return super().__call__(docs, **options)


class Router:
    """One router; what `fit` learns stays when the router is opened again with more sentences."""

    def __init__(self) -> None:
        self._encoder: Known | None = None
        self._router: IndexedRouter | None = None
        self._calibrator: Calibrator | None = None

    def open(
        self,
        model: str,
        sentences: Sequence[Sequence[str]],
        threads: int,
        *,
        vectors: str = "",
        hybrid: bool = False,
        aggregation: str = "mean",
    ) -> lines.Said:
        """Builds the router, a route for each prompt. `vectors` names a file of the sentences' vectors."""
        torch.set_num_threads(threads)
        self._encoder = self._encoder or Known(name=model, device="cpu")
        if vectors:
            texts = [text for text, _ in sentences]
            self._encoder.keep(dict(zip(texts, np.load(vectors).tolist(), strict=True)))
        said: dict[str, list[str]] = {}
        for text, key in sentences:
            said.setdefault(key, []).append(text)
        self._router = IndexedRouter(
            encoder=self._encoder,
            routes=[Route(name=key, utterances=texts) for key, texts in said.items()],
            sparse_encoder=TfidfEncoder() if hybrid else None,
            aggregation=aggregation,
            calibrator=self._calibrator,
        )
        return {"sentences": len(sentences), "calibrated": self._router.calibrated}

    def fit(self, messages: Sequence[str], keys: Sequence[str | None]) -> lines.Said:
        """Calibrates on messages that the router does not have, as its guide tells."""
        report = self._router.fit(list(messages), list(keys))
        self._calibrator = self._router.calibrator
        return {"accuracy": report.accuracy, "ece": report.ece, "n": report.n}

    def limit(self, confidence: float | None) -> lines.Said:
        """Sets the router's `confidence_threshold`."""
        self._router.confidence_threshold = confidence
        return {}

    def rank(self, messages: Sequence[str]) -> lines.Said:
        """Returns the best route of each message with its raw score, whatever the threshold."""
        scored = run(self._router._scores_many(list(messages)))  # noqa: SLF001 - raw scores, many at once
        return {"found": [max(one.items(), key=lambda item: item[1]) for one in scored]}

    def answer(self, messages: Sequence[str]) -> lines.Said:
        """Returns the route of each message, null where none is confident enough; one message at a time."""
        return {"keys": [self._router(message).name for message in messages]}

    def time(self, messages: Sequence[str], *, warm_up: bool = False) -> lines.Said:
        """Returns the milliseconds of each choice."""
        return {"ms": lines.timed(self._router, messages, warm_up=warm_up)}


if __name__ == "__main__":
    router = Router()
    lines.serve(
        {
            "open": router.open,
            "fit": router.fit,
            "limit": router.limit,
            "rank": router.rank,
            "answer": router.answer,
            "time": router.time,
            "memory": lines.memory,
        }
    )
