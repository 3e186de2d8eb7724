"""How well a ranking of prompts separates right answers from wrong ones, counted honestly."""

from collections.abc import Mapping, Sequence
from math import sqrt

import msgspec
import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NONE = -1
"""Number of no prompt: nothing was predicted, or nothing would have been right."""
_Z = 1.959963984540054
"""Normal quantile of a two-sided interval of 95 %."""


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of 1 with its interval of 95 %."""

    value: float
    low: float
    high: float


def coverage_at_false_match(confidences: Scores, predicted: Numbers, truths: Numbers, rate: float) -> float | None:
    """Returns the share of in-scope messages answered rightly while wrong answers, over all messages, stay at `rate`.

    In scope is what has a truth; None when nothing is. Messages are taken by falling confidence; equal ones are taken
    together or not at all, since no limit can tell them apart. A message without a prediction is never answered.
    """
    return _coverage(confidences, is_right(predicted, truths), predicted != NONE, truths != NONE, rate)


def coverage_with_clarify(confidences: Scores, offered: Numbers, truths: Numbers, rate: float) -> float | None:
    """Returns the same where up to three prompts are offered: right when one of them is, wrong when none is.

    `offered` is (n, at most 3), best first, `NONE` where nothing is offered.
    """
    return _coverage(confidences, is_offered(offered, truths), (offered != NONE).any(axis=1), truths != NONE, rate)


def _coverage(confidences: Scores, right: Flags, answerable: Flags, in_scope: Flags, rate: float) -> float | None:
    if not in_scope.any():
        return None
    order, ends = by_falling_score(confidences[answerable])
    hits = right[answerable][order]
    rights, wrongs = np.cumsum(hits)[ends], np.cumsum(~hits)[ends]
    return float(rights[wrongs <= rate * len(in_scope) + 1e-9].max(initial=0) / in_scope.sum())


def by_falling_score(scores: Scores) -> tuple[Numbers, Numbers]:
    """Returns the rows by falling score, and the places among them where a limit can lie: equal scores go together."""
    order = np.argsort(-scores, kind="stable")
    return order, np.flatnonzero(np.diff(scores[order], append=-np.inf))


def is_right(predicted: Numbers, truths: Numbers) -> Flags:
    """Returns which predictions are the right prompt."""
    right: Flags = (predicted == truths) & (truths != NONE)
    return right


def is_offered(offered: Numbers, truths: Numbers) -> Flags:
    """Returns for which messages the right prompt is among those offered."""
    hits: Flags = ((offered == truths[:, None]) & (truths != NONE)[:, None]).any(axis=1)
    return hits


def accuracy(predicted: Numbers, truths: Numbers) -> float | None:
    """Returns the share of in-scope messages whose best prompt is right, whatever its score; None without any."""
    in_scope = truths != NONE
    return float(is_right(predicted, truths)[in_scope].mean()) if in_scope.any() else None


def auroc(confidences: Scores, truths: Numbers) -> float | None:
    """Returns how often an in-scope message outranks one without a right prompt; a tie is half. None without both."""
    inside, outside = np.sort(confidences[truths != NONE]), np.sort(confidences[truths == NONE])
    if not len(inside) or not len(outside):
        return None
    below = np.searchsorted(outside, inside, side="left")
    not_above = np.searchsorted(outside, inside, side="right")
    return float((below + not_above).sum() / (2 * len(inside) * len(outside)))


def answered_outside(
    confidences: Scores, predicted: Numbers, truths: Numbers, kept: float
) -> tuple[float, float] | None:
    """Returns the shares of in-scope and of other messages answered at the limit that answers `kept` of the first.

    Answered means with any prompt, right or wrong. None when there are not both kinds, or `kept` is out of reach.
    """
    inside, outside = truths != NONE, truths == NONE
    able = np.where(predicted != NONE, confidences, -np.inf)
    if not inside.any() or not outside.any():
        return None
    limit = np.sort(able[inside])[::-1][int(np.ceil(kept * inside.sum())) - 1]
    if not np.isfinite(limit):
        return None
    return float((able[inside] >= limit).mean()), float((able[outside] >= limit).mean())


def wilson(hits: float, count: float) -> Estimate:
    """Returns a share with Wilson's score interval, which holds for small counts and for none at all.

    Counts may be effective ones. E. B. Wilson (1927), JASA 22:209-212.
    """
    if count <= 0:
        return Estimate(0.0, 0.0, 1.0)
    share, squared = hits / count, _Z * _Z
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    half = _Z * sqrt(share * (1 - share) / count + squared / (4 * count * count)) / (1 + squared / count)
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def weighted_share(flags: Flags, weights: Scores, clusters: Numbers) -> Estimate:
    """Returns a weighted share with Wilson's interval at the count of independent messages that its variance equals.

    Sentences of one prompt stand or fall together: the variance is that between `clusters` (linearised), and never
    below that of Kish's count for the weights. E. L. Korn and B. I. Graubard (1998), Survey Methodology 24:193-201.
    """
    total = float(weights.sum())
    if total <= 0:
        return wilson(0, 0)
    share = float((weights * flags).sum() / total)
    kish = total * total / float((weights * weights).sum())
    residuals = np.bincount(clusters, weights * (flags - share)) / total
    variance, own = float((residuals * residuals).sum()), share * (1 - share)
    count = min(kish, own / variance) if variance > 0 and own > 0 else kish
    return wilson(share * count, count)


class Outcomes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of messages of one kind: right, wrong, clarify and refused add up to 1."""

    messages: int
    right: float
    wrong: float
    clarify: float
    refused: float
    clarify_with_right: float
    """Part of `clarify` in which the right prompt was among those offered."""


def outcomes_by_kind(
    kinds: Sequence[str], answered: Numbers, offered: Numbers, truths: Numbers
) -> Mapping[str, Outcomes]:
    """Returns the rates at limits already applied, by kind in order of appearance.

    `answered` is the prompt that was answered or `NONE`; `offered` (n, 3) what was offered instead.
    """
    named = np.array(kinds, dtype=object)
    return {
        kind: _outcomes(answered[rows], offered[rows], truths[rows])
        for kind in dict.fromkeys(kinds)
        for rows in [named == kind]
    }


def _outcomes(answered: Numbers, offered: Numbers, truths: Numbers) -> Outcomes:
    right = is_right(answered, truths)
    clarified = (answered == NONE) & (offered != NONE).any(axis=1)
    return Outcomes(
        messages=len(answered),
        right=float(right.mean()),
        wrong=float(((answered != NONE) & ~right).mean()),
        clarify=float(clarified.mean()),
        refused=float(((answered == NONE) & ~clarified).mean()),
        clarify_with_right=float((clarified & is_offered(offered, truths)).mean()),
    )
