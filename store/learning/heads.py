"""Heads: linear classifiers over vectors, with a class for what no prompt answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.learning.corpus import Numbers
from store.vectors import Vectors

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_STRENGTH = 100.0
"""Inverse of the regularisation, as in scikit-learn's C (ADR 0008)."""
_STEPS = 200
"""Of L-BFGS; some 40 are used."""
_TOLERANCE = 1e-4
"""Largest slope left; a smaller one changes no ranking."""
MOST_LEARNED = 20_000_000
"""Sentences x prompts that a logistic regression is fitted for: 20 s a fit and 100 MB at 10 million. Beyond, a prompt's
row is the direction of its mean, which costs nothing and ranks a little worse."""
_SHARPNESS = 20.0
"""Length of the rows of such a head: how fast its odds fall with a cosine."""


@dataclass(frozen=True, slots=True)
class Head:
    """A linear classifier: logits are weights @ vector + bias. The last row is "none of these" when it has K + 1."""

    weights: Floats
    bias: Floats


def is_regressed(sentences: int, background: int, prompts: int) -> bool:
    """Whether so many are few enough for a regression; the folds of a fit go by all of it, to rehearse what serves."""
    return (sentences + background) * (prompts + 1) <= MOST_LEARNED


def fit_head(
    vectors: Vectors, labels: Numbers, background: Vectors, start: Head | None, *, by_regression: bool | None = None
) -> Head:
    """Fits the head to (N, d) vectors with labels 0..K-1; the background is one more class.

    Without `by_regression` the size decides. `start` is the head of a similar fit, if there is one: half of the steps
    are saved.
    """
    count = int(labels.max()) + 1
    known = np.concatenate([vectors, background])
    classes = np.concatenate([labels, np.full(len(background), count)])
    if not (is_regressed(len(vectors), len(background), count - 1) if by_regression is None else by_regression):
        return _means(known, classes)
    return _regression(known, classes, start)


def _means(vectors: Vectors, labels: Numbers) -> Head:
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, labels, vectors)
    sums *= _SHARPNESS / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return Head(sums, np.zeros(len(sums), dtype=np.float32))


def _regression(vectors: Vectors, labels: Numbers, start: Head | None) -> Head:
    from scipy.optimize import minimize  # noqa: PLC0415 - the serving process imports this module, never SciPy

    count, size = int(labels.max()) + 1, vectors.shape[1] + 1
    known = np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])
    places = np.arange(len(labels))
    shrink = np.full(size, 1 / (_STRENGTH * len(labels)))
    shrink[-1] = 0

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(count, size)
        odds = known @ weights.astype(np.float32).T
        odds -= odds.max(axis=1, keepdims=True)
        right = odds[places, labels].astype(np.float64)
        np.exp(odds, out=odds)
        total = odds.sum(axis=1)
        odds /= total[:, None]
        odds[places, labels] -= 1
        gradient = (odds.T @ known).astype(np.float64) / len(labels) + shrink * weights
        value = (np.log(total.astype(np.float64)) - right).mean() + 0.5 * (shrink * weights * weights).sum()
        return float(value), gradient.ravel()

    origin = np.zeros((count, size)) if start is None else np.hstack([start.weights, start.bias[:, None]])
    options = {"maxiter": _STEPS, "gtol": _TOLERANCE}
    found = minimize(loss, origin.ravel().astype(np.float64), jac=True, method="L-BFGS-B", options=options).x
    weights = found.reshape(count, size).astype(np.float32)
    return Head(np.ascontiguousarray(weights[:, :-1]), np.ascontiguousarray(weights[:, -1]))
