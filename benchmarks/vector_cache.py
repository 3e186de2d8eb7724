"""Vectors of the sentences that benchmarks embed, kept in pieces so that a stopped run goes on where it was."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from models.ports import Embedder

_PIECE = 10_000


class SentenceVectors:
    """Embeds sentences once for each embedder."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._folder = folder / f"vectors-{embedder.fingerprint[:16]}"
        self._embedder = embedder

    def of(self, texts: Sequence[str], say: Callable[[str], None]) -> np.ndarray:
        """Returns the vectors, (texts, dimension)."""
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = np.empty((len(texts), self._embedder.dimension), dtype=np.float32)
        for start in range(0, len(texts), _PIECE):
            piece = texts[start : start + _PIECE]
            whole[start : start + len(piece)] = self._piece(piece)
            say(f"{start + len(piece)} of {len(texts)} vectors")
        return whole

    def _piece(self, texts: Sequence[str]) -> np.ndarray:
        name = sha256("\0".join(texts).encode()).hexdigest()[:16]
        path = self._folder / f"{name}.npy"
        if path.exists():
            kept: np.ndarray = np.load(path)
            return kept
        vectors = self._embedder.embed(texts)
        unfinished = path.with_suffix(".tmp.npy")
        np.save(unfinished, vectors)
        unfinished.replace(path)
        return vectors
