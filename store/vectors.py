"""Vectors of sentences: made by the embedder and checked, or taken from a snapshot."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from store.errors import IndexUnusable
from store.snapshot import Digests, Snapshot

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]
Assigned = NDArray[np.int32]
Embed = Callable[[Sequence[str]], Vectors]
"""Turns texts into an array (len(texts), dimension) of float32 rows of length 1."""

_BATCH = 256
"""Texts embedded at once while building: bounds the memory, not the result."""
_TOLERANCE = 2e-3
"""A row whose squared length is further from 1 than this would make its inner product no similarity."""
_CHECKED_AT_ONCE = 16_384


def check_vectors(vectors: Vectors, count: int, dimension: int) -> Vectors:
    """Returns the array when it is `count` finite rows of length 1. Raises `IndexUnusable`; never repairs."""
    array = np.asarray(vectors)
    if array.dtype != np.float32 or array.shape != (count, dimension):
        raise IndexUnusable(
            f"the embedder returned {array.dtype}{array.shape} where float32{(count, dimension)} was due: the index "
            "belongs to another embedder. Rebuild it."
        )
    for start in range(0, count, _CHECKED_AT_ONCE):
        part = array[start : start + _CHECKED_AT_ONCE]
        # Written so that a NaN fails the comparison that it takes part in.
        if not np.all(np.abs(np.einsum("ij,ij->i", part, part) - 1.0) < _TOLERANCE):
            raise IndexUnusable("the embedder returned a vector that is not finite or not of length 1.")
    return np.ascontiguousarray(array)


def digests_of(texts: Iterable[str]) -> Digests:
    """Returns the hash of each text, (texts, 32)."""
    joined = b"".join(sha256(text.encode()).digest() for text in texts)
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def take_kept(
    kept: Snapshot | None, places: Numbers, dimension: int
) -> tuple[Vectors, tuple[Assigned, Vectors] | None]:
    """Returns room for a vector a place, with those filled in that were kept, and the cells that were kept."""
    if kept is None:
        return np.empty((len(places), dimension), dtype=np.float32), None
    check_vectors(kept.vectors, len(kept.vectors), dimension)
    if np.array_equal(places, np.arange(len(kept.vectors), dtype=np.int64)):
        return kept.vectors, (kept.assigned, kept.centres)
    vectors = np.empty((len(places), dimension), dtype=np.float32)
    known = places >= 0
    vectors[known] = kept.vectors[places[known]]
    assigned = np.where(known, kept.assigned[places] if len(kept.assigned) else -1, -1).astype(np.int32)
    return vectors, (assigned, kept.centres)


def embed_into(vectors: Vectors, numbers: Sequence[int], texts: Sequence[str], embed: Embed) -> None:
    """Writes the vector of each text to its row; a text that occurs often is embedded once."""
    first: dict[str, int] = {}
    for number, text in zip(numbers, texts, strict=True):
        first.setdefault(text, number)
    wanted = list(first.items())
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        made = check_vectors(embed([text for text, _ in batch]), len(batch), vectors.shape[1])
        vectors[[number for _, number in batch]] = made
    for number, text in zip(numbers, texts, strict=True):
        if first[text] != number:
            vectors[number] = vectors[first[text]]
