"""Calibration: which score is enough for the rate of wrong answers that the operator tolerates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from store.content import Tolerance
from store.gates import ALSO_OFFERED
from store.learning.corpus import Corpus
from store.learning.fit import HeldOut, HeldOutKind
from store.learning.limits import NEVER, loosest_limit, sentences_needed
from store.learning.metrics import NONE, Flags, Numbers, Scores, is_right
from store.learning.report import (
    AssumedShare,
    Report,
    collisions,
    nearer_elsewhere,
    prompt_rates,
    store_rates,
    unknown,
    wrongly,
)
from store.scoring import Limits

STRANGERS = 0.4
"""Messages from elsewhere to expect, for each message that has a prompt (docs/adr/0008)."""
EMPTY_CLARIFY = 0.10
"""Share of all messages that may be asked "did you mean" without the right prompt among the choices.

Being asked in vain costs a person one look; not being asked costs the answer. One message in ten keeps the question
worth reading.
"""
ASSUMED = (0.1, 0.3, 1.0)
"""Near misses for each message that has a prompt, for which the report shows what the limits would be."""
_FLOOR_QUANTILE = 0.005
"""Share of right answers that the floor may cost: it is there for what resembles nothing, whatever its score."""

CAUTIOUS = Limits(answer=NEVER, suggest=0.2, margin=0.0, floor=-1.0, follow_up=NEVER)
"""Where the phrasings are too few or too alike for any score to be enough: asking is all there is.

In 16 stores of 8 to 270 phrasings, drawn from BANKING77, 0.2 was reached by 89 to 100 % of the messages that have a
prompt, by at most 7 % of strangers, and by 12 to 81 % of the bank's other questions: being asked in vain is the price.
"""

Contradicts = Callable[[str, str, Sequence[str]], bool]
"""Whether a message says the opposite of a phrasing, and so on; the last are the phrasings of the same prompt."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Limits, and what they mean."""

    limits: Limits
    report: Report
    stopped: Flags = field(compare=False)
    """Held-out rows whose best candidate contradicts them; they follow from the sentences alone."""


def calibrate(held_out: HeldOut, corpus: Corpus, tolerance: Tolerance, *, contradicts: Contradicts) -> Calibration:
    """Chooses the limits from held-out sentences alone and reports what they do.

    The limits describe the whole decision: what the contradiction gate stops is no answer, right or wrong. The
    counterexample gate takes no part, since a held-out sentence has no counterexample of its own; it only ever stops
    answers, so the rates are not too good. The margin is 0: the score has learned from the distances to the runner-up.
    Follow-ups are not among the sentences: `store.follow_ups` finds their limit.
    """
    near_misses = expected_near_misses(tolerance, len(corpus.keys))
    stopped = stopped_by_contradiction(held_out, corpus, contradicts)
    weights = mix(held_out, near_misses)
    wanted = more_phrasings(held_out, corpus, weights, tolerance.false_match_rate)
    limits = _limits(held_out, corpus, stopped, weights, tolerance.false_match_rate)
    answered, offered = apply_limits(held_out, stopped, limits)
    report = Report(
        stated_rate=tolerance.false_match_rate,
        near_misses=near_misses,
        limits=limits,
        more_phrasings=wanted,
        store=store_rates(held_out, answered, offered, weights),
        prompts=prompt_rates(held_out, corpus, answered, offered),
        collisions=collisions(held_out, corpus, answered),
        nearer_elsewhere=nearer_elsewhere(held_out, corpus),
        assumed=tuple(_assumed(held_out, corpus, stopped, share, tolerance.false_match_rate) for share in ASSUMED),
        unknown=unknown(held_out, corpus, near_misses=near_misses, more_phrasings=wanted),
    )
    return Calibration(limits, report, stopped)


def expected_near_misses(tolerance: Tolerance, prompts: int) -> float:
    """Returns how many near misses to expect for each message that has a prompt, stated or by default."""
    return min(1.2, 10 / max(prompts, 1)) if tolerance.near_misses is None else tolerance.near_misses


def mix(held: HeldOut, near_misses: float) -> Scores:
    """Returns a weight for each held-out row so that together they are the messages that are expected.

    Near misses are held-out prompts and counterexamples. Where there are none, their share goes to the strangers: too
    kind a guess, which the report says.
    """
    kinds = held.kinds
    is_near = (kinds == HeldOutKind.NEAR_MISS) | (kinds == HeldOutKind.COUNTEREXAMPLE)
    strangers = STRANGERS if is_near.any() else STRANGERS + near_misses
    groups = (
        (kinds == HeldOutKind.IN_SCOPE, 1.0),
        (is_near, near_misses),
        (kinds == HeldOutKind.STRANGER, strangers),
    )
    weights = np.zeros(len(kinds), dtype=np.float64)
    for rows, share in groups:
        weights[rows] = share / max(int(rows.sum()), 1)
    total = float(weights.sum())
    return weights / total if total > 0 else weights


def more_phrasings(held: HeldOut, corpus: Corpus, weights: Scores, rate: float) -> int:
    """Returns how many phrasings are missing before the rate can be measured; 0 when there are enough.

    Phrasings stand for all messages but strangers, whose 1,000 sentences do for rates from 0.2 % on. Sentences made
    from one phrasing, and a phrasing as question and as near miss, depend on each other: they count once.
    Counterexamples count for nothing, since they are no questions.
    """
    groups = dict(zip(corpus.texts, corpus.groups.tolist(), strict=True))
    is_phrasing = np.isin(held.kinds, (HeldOutKind.IN_SCOPE, HeldOutKind.NEAR_MISS))
    known = {groups.get(held.texts[row], held.texts[row]) for row in np.flatnonzero(is_phrasing).tolist()}
    share = float(weights[held.kinds != HeldOutKind.STRANGER].sum())
    return max(0, sentences_needed(share, rate) - len(known))


def stopped_by_contradiction(held: HeldOut, corpus: Corpus, contradicts: Contradicts) -> Flags:
    """Returns the rows whose best candidate says something else than the sentence, whatever its score."""
    edges = np.searchsorted(corpus.labels, np.arange(len(corpus.keys) + 1)).tolist()

    groups = dict(zip(corpus.texts, corpus.groups.tolist(), strict=True))

    def is_stopped(text: str, row: int) -> bool:
        label = int(corpus.labels[row])
        own = range(edges[label], edges[label + 1])
        # The phrasing that a held-out sentence is made from is not known to the prompt and excuses nothing.
        group = groups.get(text)
        siblings = [corpus.phrasings[other] for other in own if corpus.groups[other] != group]
        return contradicts(text, corpus.phrasings[row], siblings)

    firsts = zip(held.texts, held.nearest[:, 0].tolist(), strict=True)
    return np.array([row != NONE and is_stopped(text, row) for text, row in firsts], dtype=np.bool_)


def apply_limits(held: HeldOut, stopped: Flags, limits: Limits) -> tuple[Numbers, Numbers]:
    """Returns for each row the prompt answered, or `NONE`, and (n, 3) the prompts offered instead.

    The same decision as `store.gates.decide`, for all rows at once.
    """
    first, score = held.candidates[:, 0], held.scores[:, 0]
    passes = answerable(held, stopped, limits) & (score >= limits.answer)
    is_asked = (first != NONE) & (score >= limits.suggest) & ~passes
    return np.where(passes, first, NONE), np.where(is_asked[:, None] & offerable(held), held.candidates, NONE)


def answerable(held: HeldOut, stopped: Flags, limits: Limits) -> Flags:
    """Returns the rows that every gate but that of the score lets through."""
    runner_up = np.where(held.candidates[:, 1] != NONE, held.scores[:, 1], -np.inf)
    flags: Flags = (
        (held.candidates[:, 0] != NONE)
        & (held.similarities[:, 0] >= limits.floor)
        & (held.scores[:, 0] - runner_up >= limits.margin)
        & ~stopped
    )
    return flags


def offerable(held: HeldOut) -> Flags:
    """Returns (n, 3) which candidates would be offered, were their sentence asked back."""
    flags: Flags = (held.candidates != NONE) & (held.scores >= ALSO_OFFERED * held.scores[:, :1])
    return flags


def _limits(held: HeldOut, corpus: Corpus, stopped: Flags, weights: Scores, rate: float) -> Limits:
    is_measurable = not more_phrasings(held, corpus, weights, rate)
    answer = _answer_limit(held, stopped, weights, rate) if is_measurable else NEVER
    answered = (held.candidates[:, 0] != NONE) & (held.scores[:, 0] >= answer) & ~stopped
    right = answered & is_right(held.candidates[:, 0], held.truths)
    if not right.any():
        return CAUTIOUS
    floor = float(np.quantile(held.similarities[right, 0], _FLOOR_QUANTILE))
    answered &= held.similarities[:, 0] >= floor
    # Near misses and counterexamples of a lone prompt, half of all messages, would use up what may be asked in vain.
    most = CAUTIOUS.suggest if len(corpus.keys) == 1 else answer
    suggest = min(_suggest_limit(held, answered, weights), most, answer)
    return Limits(answer=answer, suggest=suggest, margin=0.0, floor=floor, follow_up=NEVER)


def _answer_limit(held: HeldOut, stopped: Flags, weights: Scores, rate: float) -> float:
    """What is stopped counts in the total, and can be wrong no more."""
    able = (held.candidates[:, 0] != NONE) & ~stopped
    wrong = wrongly(held, held.candidates[:, 0])[able]
    share = float(weights[able].sum())
    return loosest_limit(held.scores[able, 0], wrong, weights[able], rate / share) if share > 0 else NEVER


def _suggest_limit(held: HeldOut, answered: Flags, weights: Scores) -> float:
    """Returns the loosest score of a first choice at which questions back without the right prompt stay rare enough."""
    is_right_choice = (held.candidates == held.truths[:, None]) & (held.truths != NONE)[:, None] & offerable(held)
    vain_rows = ~answered & (held.candidates[:, 0] != NONE) & ~is_right_choice.any(axis=1)
    limits = np.unique(held.scores[~answered & (held.candidates[:, 0] != NONE), 0])[::-1]
    in_vain = _reaching(held.scores[vain_rows, 0], weights[vain_rows], limits)
    over = np.flatnonzero(in_vain > EMPTY_CLARIFY)
    # The first excess ends it: a looser limit that is within the share again would be luck.
    allowed = limits[: over[0]] if len(over) else limits
    return float(allowed[-1]) if len(allowed) else NEVER


def _reaching(values: Scores, shares: Scores, limits: Scores) -> Scores:
    """Returns the share of rows that reach each limit."""
    order = np.argsort(values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(shares[order])])
    reached: Scores = below[-1] - below[np.searchsorted(values[order], limits, side="left")]
    return reached


def _assumed(held: HeldOut, corpus: Corpus, stopped: Flags, near_misses: float, rate: float) -> AssumedShare:
    weights = mix(held, near_misses)
    limits = _limits(held, corpus, stopped, weights, rate)
    answered, offered = apply_limits(held, stopped, limits)
    rates = store_rates(held, answered, offered, weights)
    return AssumedShare(near_misses, limits.answer, rates.coverage.value, rates.false_match.value)
