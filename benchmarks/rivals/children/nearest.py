"""What most people write first: sentence-transformers, FAISS, the nearest sentence above a fixed limit."""

from collections.abc import Sequence

import faiss
import lines
import numpy as np
import torch
from sentence_transformers import SentenceTransformer


class Nearest:
    """Flat inner product over normalised vectors, exact."""

    def __init__(self) -> None:
        self._model: SentenceTransformer | None = None
        self._index: faiss.IndexFlatIP | None = None
        self._keys: list[str] = []
        self._limit = -1.0

    def open(self, model: str, sentences: Sequence[Sequence[str]], threads: int, vectors: str = "") -> lines.Said:
        """Loads the model once, and embeds the sentences unless a file of their vectors is named."""
        torch.set_num_threads(threads)
        faiss.omp_set_num_threads(threads)
        self._model = self._model or SentenceTransformer(model, device="cpu", local_files_only=True)
        self._keys = [key for _, key in sentences]
        kept = np.load(vectors) if vectors else self._embed([text for text, _ in sentences])
        self._index = faiss.IndexFlatIP(kept.shape[1])
        self._index.add(kept)
        return {"sentences": len(self._keys)}

    def keep(self, path: str, texts: Sequence[str]) -> lines.Said:
        """Writes the vectors of texts to a file, for other children of the same model."""
        np.save(path, self._embed(texts))
        return {"texts": len(texts)}

    def limit(self, value: float) -> lines.Said:
        """Sets the cosine that is enough."""
        self._limit = value
        return {}

    def rank(self, messages: Sequence[str]) -> lines.Said:
        """Returns the nearest prompt of each message and its cosine, whatever the limit."""
        scores, places = self._index.search(self._embed(messages), 1)
        return {"found": [[self._keys[p], float(s)] for (p,), (s,) in zip(places, scores, strict=True)]}

    def answer(self, messages: Sequence[str]) -> lines.Said:
        """Returns the prompt of each message, null where nothing is near enough; one message at a time."""
        return {"keys": [self._answer(message) for message in messages]}

    def time(self, messages: Sequence[str], *, warm_up: bool = False) -> lines.Said:
        """Returns the milliseconds of each answer."""
        return {"ms": lines.timed(self._answer, messages, warm_up=warm_up)}

    def _answer(self, message: str) -> str | None:
        vector = self._model.encode([message], normalize_embeddings=True, show_progress_bar=False)
        scores, places = self._index.search(vector, 1)
        return self._keys[places[0][0]] if scores[0][0] >= self._limit else None

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=32)
        return np.ascontiguousarray(vectors, dtype=np.float32)


if __name__ == "__main__":
    nearest = Nearest()
    lines.serve(
        {
            "open": nearest.open,
            "keep": nearest.keep,
            "limit": nearest.limit,
            "rank": nearest.rank,
            "answer": nearest.answer,
            "time": nearest.time,
            "memory": lines.memory,
        }
    )
