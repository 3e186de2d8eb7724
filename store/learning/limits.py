"""The loosest score at which wrong answers stay rare enough, estimated from few wrong answers."""

from math import ceil

import numpy as np

from store.learning.metrics import Flags, Scores

NEVER = 2.0
"""A limit above every score: nothing but an approved phrasing word for word is answered."""
_EDGE = 1e-9
"""Scores are probabilities or cosines; their logits are taken this far from 0 and 1."""
_TAIL = 3.0
"""How many times the stated rate of wrong answers the exponential tail is fitted to."""
_MIN_TAIL = 3
"""Wrong answers below which a tail has no shape."""
_CONVERGED = 1e-8
_RIDGE = 1e-4
"""Keeps the curve finite when right and wrong answers do not overlap at all."""
_UNSEEN = 3.0
"""Where none of n sentences is answered wrongly, up to 3 / n of such messages still may be (-ln 0.05: 95 %)."""


def sentences_needed(share: float, rate: float) -> int:
    """Returns how many held-out sentences, standing for `share` of all messages, could show a rate at all.

    With fewer, not even sentences that are all answered rightly would show that wrong answers stay at `rate`.
    """
    return ceil(_UNSEEN * share / rate - 1e-9)


def loosest_limit(scores: Scores, wrong: Flags, weights: Scores, rate: float) -> float:
    """Returns the loosest score at which the weighted share of wrong answers is expected to stay at `rate`.

    The k-th worst wrong answer of a few hundred sentences is a poor estimate at 1 %: chosen on one half of three
    stores, it missed twice the rate or 0.8 of the reachable coverage on the other half in 10 to 33 % of 120 trials
    each. The mean of two smoothed limits missed in 5 to 13 %: a logistic curve of being wrong against the score, which
    all answers shape, and an exponential tail through the highest wrong ones, both on logits. (It was chosen among
    some twenty on other halves of the same stores.) At 5 % both hold. `NEVER` when no score is enough.
    """
    total = float(weights.sum())
    if not len(scores) or total <= 0:
        return NEVER
    logits, shares = to_logit(scores), weights / total
    if float(shares[wrong].sum()) <= rate:
        return float(scores.min())  # even answering everything is within the rate
    found = [_logistic_limit(logits, wrong, shares, rate), _tail_limit(logits, wrong, shares, rate)]
    known = [limit for limit in found if limit is not None]
    if not known:
        return NEVER
    limit = float(_from_logit(np.asarray(np.mean(known))))
    return limit if (scores >= limit).any() else NEVER


def to_logit(scores: Scores) -> Scores:
    """Returns the logits, with what lies outside 0 and 1 at the edge."""
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    logits: Scores = np.log(inside) - np.log1p(-inside)
    return logits


def _from_logit(logits: Scores) -> Scores:
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float64)


def _logistic_limit(logits: Scores, wrong: Flags, shares: Scores, rate: float) -> float | None:
    """Accepts the best answers for as long as their expected wrong share stays at the rate."""
    middle, spread = float(logits.mean()), float(logits.std()) or 1.0
    expected = _chance_of_wrong((logits - middle) / spread, wrong, shares)
    if expected is None:
        return None
    order = np.argsort(-logits, kind="stable")
    spent = np.cumsum((shares * expected)[order])
    accepted = int(np.searchsorted(spent, rate, side="right"))
    return float(logits[order[accepted - 1]]) if accepted else None


def _chance_of_wrong(scaled: Scores, wrong: Flags, shares: Scores) -> Scores | None:
    """Fits two numbers by Newton's method; the chance must fall as the score rises, or the score says nothing."""
    design = np.stack([np.ones_like(scaled), scaled], axis=1)
    beta = np.zeros(2)
    ridge = np.diag([_RIDGE, _RIDGE])
    for _ in range(50):
        chance = _from_logit(np.clip(design @ beta, -30, 30))
        gradient = design.T @ (shares * (chance - wrong)) + ridge @ beta
        curvature = (design * (shares * chance * (1 - chance))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, gradient)
        beta -= step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < _CONVERGED:
            break
    return _from_logit(np.clip(design @ beta, -30, 30)) if beta[1] < 0 else None


def _tail_limit(logits: Scores, wrong: Flags, shares: Scores, rate: float) -> float | None:
    """Continues the highest wrong answers by the exponential law that their mean excess gives."""
    order = np.argsort(-logits[wrong], kind="stable")
    scores, spent = logits[wrong][order], np.cumsum(shares[wrong][order])
    start = int(np.searchsorted(spent, min(_TAIL * rate, float(spent[-1]) * 0.999)))
    if start < _MIN_TAIL:
        return None
    excess = scores[:start] - scores[start]
    weights = shares[wrong][order][:start]
    mean = float((weights * excess).sum() / weights.sum())
    return float(scores[start] + mean * np.log(float(spent[start]) / rate))
