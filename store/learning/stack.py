"""The stack: how much each feature counts, as a non-negative logistic regression held near a prior."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.learning.corpus import Numbers
from store.learning.features import NAMES
from store.learning.heads import Doubles, Floats

_PRIOR = 0.2
"""Weight of each standardised feature where nothing is known: equal weights already rank well (ADR 0008)."""
_PRIOR_SENTENCES = 40.0
"""How many held-out sentences the prior is worth: a store with fewer keeps near it, one with many leaves it."""
_RUNNER_UP = 0.3
"""Weight of the candidates that are not first, against the one that is."""
_SPREAD = 1e-6
"""A feature that varies less than this says nothing, and counts for nothing."""
_STEPS = 500
_FREE = np.array([name == "length" for name in NAMES])
"""Features that may count against a candidate: that a message is long is neither good nor bad in itself."""
_MOST_LOGIT = 36.0
"""Beyond, a probability is 1 to the last bit of a double."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Weights of the features; the score is the probability that a candidate is right."""

    mean: Doubles
    scale: Doubles
    weights: Doubles
    bias: float

    def score(self, values: Floats) -> Doubles:
        """Returns the probability for each row of features."""
        logits = ((values - self.mean) / self.scale) @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_MOST_LOGIT, _MOST_LOGIT))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Examples:
    """Candidates of held-out sentences; the candidates of a sentence stand together."""

    values: Floats
    """(n, features)."""
    is_right: NDArray[np.bool_]
    sentences: Numbers
    """(n,) which sentence each is a candidate of; never decreasing."""
    weights: Doubles
    """(n,) how much the sentence of each counts."""
    in_scope: int
    """Sentences that have a right prompt: what the evidence is worth against the prior."""


def fit_stack(examples: Examples) -> Stack:
    """Fits the weights by L-BFGS; the same examples give the same bytes."""
    from scipy.optimize import minimize  # noqa: PLC0415 - the serving process imports this module, never SciPy

    is_first = _is_first(examples)
    firsts = examples.values[is_first].astype(np.float64)
    mean, spread = firsts.mean(axis=0), firsts.std(axis=0)
    speaks = spread > _SPREAD
    scale = np.where(speaks, spread, 1.0)
    rows = (examples.values - mean) / scale * speaks
    weights = examples.weights * np.where(is_first, 1.0, _RUNNER_UP)
    weights /= weights.sum()
    signs = np.where(examples.is_right, 1.0, -1.0)
    prior = np.where(_FREE | ~speaks, 0.0, _PRIOR)
    hold = _PRIOR_SENTENCES / max(examples.in_scope, 1)

    def loss(point: Doubles) -> tuple[float, Doubles]:
        margins = (rows @ point[:-1] + point[-1]) * signs
        pull = -weights * signs / (1 + np.exp(np.clip(margins, -_MOST_LOGIT, _MOST_LOGIT)))
        away = point[:-1] - prior
        value = float(weights @ np.logaddexp(0, -margins) + 0.5 * hold * away @ away)
        return value, np.append(rows.T @ pull + hold * away, pull.sum())

    bounds = [(None, None) if free else (0.0, None) for free in _FREE] + [(-_MOST_LOGIT, _MOST_LOGIT)]
    start = np.append(prior, 0.0)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}).x
    return Stack(mean, scale, found[:-1] * speaks, float(found[-1]))


def _is_first(examples: Examples) -> NDArray[np.bool_]:
    """Whether a candidate would be ranked first of its sentence by equal weights."""
    spread = examples.values.std(axis=0, dtype=np.float64)
    scores = (examples.values / np.where(spread > _SPREAD, spread, np.inf))[:, ~_FREE].sum(axis=1)
    starts = np.flatnonzero(np.diff(examples.sentences, prepend=-1))
    best = np.maximum.reduceat(scores, starts)
    return np.asarray(scores == np.repeat(best, np.diff(starts, append=len(scores))), dtype=np.bool_)
