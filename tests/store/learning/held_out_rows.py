"""A held-out table made by hand or by lot, without a matcher behind it."""

import numpy as np

from store.learning.corpus import Corpus
from store.learning.fit import HeldOut, HeldOutKind

NONE = -1


def corpus(prompts=4, sentences=5):
    texts = tuple(f"sentence {number} of prompt {label}" for label in range(prompts) for number in range(sentences))
    labels = np.repeat(np.arange(prompts), sentences)
    return Corpus(
        tuple(f"it.p{label}" for label in range(prompts)),
        texts,
        texts,
        labels,
        np.arange(len(texts)),
        (),
        np.empty(0, np.int64),
    )


def held_out(rows):
    """Rows are (kind, label, [(candidate, score, similarity, row[, countered]), ...]); in scope, label is truth."""
    padded = [([(*one, -1.0)[:5] for one in row[2]] + [(NONE, 0.0, -1.0, NONE, -1.0)] * 5)[:5] for row in rows]
    kinds = np.array([one[0] for one in rows], dtype=np.int8)
    labels = np.array([one[1] for one in rows], dtype=np.int64)

    def column(place, dtype):
        return np.array([[one[place] for one in row] for row in padded], dtype=dtype).reshape(-1, 5)

    return HeldOut(
        texts=tuple(f"held out {number}" for number in range(len(rows))),
        kinds=kinds,
        truths=np.where(kinds == HeldOutKind.IN_SCOPE, labels, NONE),
        labels=labels,
        candidates=column(0, np.int64),
        scores=column(1, np.float64),
        similarities=column(2, np.float64),
        nearest=column(3, np.int64),
        countered=column(4, np.float64),
    )


def drawn(prompts=20, sentences=20, others=200, *, seed=0, shift=0.0):
    """Draws a table in which right candidates score higher; near misses have prompts, strangers have none."""
    random = np.random.default_rng(seed)
    known = corpus(prompts, sentences)
    rows = []

    def candidates(label, mean):
        first = (
            label if mean > 0 and random.random() < 0.85 else (label + 1 + int(random.integers(prompts - 1))) % prompts
        )
        level = mean if first == label else -1.5
        scores = np.sort(1 / (1 + np.exp(-random.normal(level + shift, 1.5, 3))))[::-1]
        order = [first, *[one for one in range(3) if one != first]][:3]
        return [(one, float(s), 0.4 + 0.6 * float(s), one * sentences) for one, s in zip(order, scores, strict=True)]

    for label in range(prompts):
        for _ in range(sentences):
            rows.append((HeldOutKind.IN_SCOPE, label, candidates(label, 2.5)))
            rows.append((HeldOutKind.NEAR_MISS, label, candidates(label, -1.0)))
    rows += [(HeldOutKind.STRANGER, NONE, candidates(int(random.integers(prompts)), -3.0)) for _ in range(others)]
    return held_out(rows), known
