"""What other limits for answering would do to the held-out sentences: the curve that the chosen limit lies on."""

from dataclasses import dataclass

import numpy as np

from store.calibration import Calibration, answerable, asking_score, mix, offerable
from store.learning.fit import HeldOut, HeldOutKind
from store.learning.limits import NEVER
from store.learning.metrics import NONE, Scores, by_falling_score, is_offered, is_right
from store.learning.report import wrongly


@dataclass(frozen=True, slots=True)
class TradeOff:
    """One row a limit, the strictest first; the first answers nothing. Every other gate is as it was chosen."""

    limits: Scores
    false_match: Scores
    """Of all messages in the assumed mix: answered with a wrong prompt."""
    coverage: Scores
    """Of messages that have a prompt: answered with it."""
    with_clarify: Scores
    """The same, or asked back with the right prompt among those offered."""


def trade_off(held: HeldOut, calibration: Calibration) -> TradeOff:
    """Counts as `store.calibration.apply_limits` decides, for every limit that tells two sentences apart."""
    limits = calibration.limits
    first, scores = held.candidates[:, 0], held.scores[:, 0]
    able = answerable(held, calibration.stopped, limits)
    order, ends = by_falling_score(scores[able])
    weights = mix(held, calibration.report.near_misses)
    in_scope = held.kinds == HeldOutKind.IN_SCOPE
    right = is_right(first, held.truths) & in_scope
    offers = np.where(offerable(held), held.candidates, NONE)
    helped = is_offered(offers, held.truths) & in_scope & (asking_score(held) >= limits.suggest)

    def answered(values: Scores) -> Scores:
        return np.concatenate([[0.0], np.cumsum(values[able][order])[ends]])

    count = max(int(in_scope.sum()), 1)
    coverage = answered(right / count)
    asked = float(helped.sum()) / count - answered(helped / count)  # whoever is answered is not asked back
    return TradeOff(
        limits=np.concatenate([[NEVER], scores[able][order][ends]]),
        false_match=answered(weights * wrongly(held, first)),
        coverage=coverage,
        with_clarify=coverage + asked,
    )
