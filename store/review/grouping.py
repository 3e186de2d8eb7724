"""Groups vectors by meaning: into groups that are there, and the rest into new ones; no randomness, bounded work.

Leader clustering with two corrections, since one pass depends on the order: what is nearer to another centre moves,
and centres that came near each other join. Work is at most vectors times centres, in blocks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.vectors import Numbers, Vectors

_BLOCK = 1024
"""Vectors compared at once: bounds the memory, not the result."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Nearness:
    """Cosines from which things belong together."""

    join: float
    """Of a vector to a group's centre."""
    merge: float
    """Of two new groups' centres."""

    def __post_init__(self) -> None:
        if not 0.0 < self.join <= self.merge <= 1.0:
            raise ValueError("0 < join <= merge <= 1 must hold. This is a bug.")


def place(vectors: Vectors, centres: Vectors, nearness: Nearness) -> Numbers:
    """Returns for each vector the row of the nearest centre, or -1 when none is near enough."""
    found = np.full(len(vectors), -1, dtype=np.int64)
    if not len(centres):
        return found
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ centres.T
        best = cosines.argmax(axis=1)
        near = cosines[np.arange(len(best)), best] >= nearness.join
        found[start : start + _BLOCK] = np.where(near, best, -1)
    return found


def group(vectors: Vectors, weights: NDArray[np.int64], nearness: Nearness) -> Numbers:
    """Returns the number of the group that each vector is in, from 0 on without gaps.

    The weightiest lead: what is asked most often is the middle of its group.
    """
    if not len(vectors):
        return np.empty(0, dtype=np.int64)
    order = np.lexsort((np.arange(len(vectors)), -weights))
    centres = _lead(vectors[order], nearness.join)
    found = place(vectors, centres, nearness)
    for _ in range(_ROUNDS):
        found = _joined(vectors, found, nearness.merge)
        centres = centres_of(vectors, found)
        again = place(vectors, centres, nearness)
        again = np.where(again < 0, found, again)
        if np.array_equal(again, found):
            break
        found = again
    return _numbered(found)


def centres_of(vectors: Vectors, groups: Numbers) -> Vectors:
    """Returns the mean of each group's vectors, of length 1; a group number without vectors has a row of zeros."""
    sums = np.zeros((int(groups.max()) + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, groups, vectors)
    return unit(sums)


def unit(vectors: Vectors) -> Vectors:
    """Returns the rows with length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return result


def most_central(vectors: Vectors, weights: NDArray[np.int64], centre: Vectors) -> int:
    """Returns the row that is nearest to the centre; of equally near ones the weightiest, then the first."""
    cosines = np.round(vectors @ centre, 4)
    return int(np.lexsort((np.arange(len(vectors)), -weights, -cosines))[0])


def _lead(vectors: Vectors, join: float) -> Vectors:
    """Returns leaders such that every vector is near one, and no leader near another."""
    leaders = np.empty_like(vectors)
    count = 0
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        known = (block @ leaders[:count].T).max(axis=1) >= join if count else np.zeros(len(block), dtype=bool)
        first = count
        for row in block[~known]:
            if count > first and float((leaders[first:count] @ row).max()) >= join:
                continue
            leaders[count] = row
            count += 1
    return leaders[:count]


def _joined(vectors: Vectors, groups: Numbers, merge: float) -> Numbers:
    """Puts groups together whose centres are near: each smaller one into the nearest that is larger."""
    groups = _numbered(groups)
    centres = centres_of(vectors, groups)
    sizes = np.bincount(groups)
    order = np.lexsort((np.arange(len(sizes)), -sizes))
    into = np.arange(len(sizes))
    ranked = centres[order]
    for start in range(0, len(order), _BLOCK):
        cosines = ranked[start : start + _BLOCK] @ ranked[: start + _BLOCK].T
        for offset, row in enumerate(cosines):
            place_in_order = start + offset
            if place_in_order and float(row[:place_in_order].max()) >= merge:
                into[order[place_in_order]] = into[order[int(row[:place_in_order].argmax())]]
    result: Numbers = into[groups]
    return result


def _numbered(groups: Numbers) -> Numbers:
    """Returns the same groups numbered from 0 on, in the order in which they first occur."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    result: Numbers = rank[inverse.reshape(-1)]
    return result
