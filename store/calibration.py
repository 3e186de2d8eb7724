"""Calibration: which score is enough for the rate of wrong answers that the operator tolerates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from store.content import Tolerance
from store.gates import ALSO_OFFERED, MAX_CHOICES
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
from store.matches import COUNTERED_BY, NEARLY_VERBATIM
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

FEWEST_SENTENCES = 30
"""Questions held out below which the highest wrong score among them says nothing about the next one."""

UNPROVEN_SHARE = 0.5
"""Of the stated rate, where the phrasings are too few to prove it: 18 parts of the example store kept it so."""

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

    The limits describe the whole decision: what a counterexample or a contradiction stops is no answer, right or
    wrong. A held-out phrasing meets the counterexamples of its prompt, a held-out counterexample all but itself. The
    margin is 0: the score has learned from the distances to the runner-up.
    Follow-ups are not among the sentences: `store.follow_ups` finds their limit.
    """
    near_misses = expected_near_misses(tolerance, len(corpus.keys))
    known = held_out.contradicted
    stopped = stopped_by_contradiction(held_out, corpus, contradicts) if known is None else known.astype(np.bool_)
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
        unknown=unknown(held_out, corpus, limits, near_misses=near_misses, more_phrasings=wanted),
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
    """Returns how many phrasings are missing before the rate can be proven; 0 when there are enough.

    Phrasings and counterexamples stand for all messages but strangers, whose 1,000 sentences do for rates from 0.2 %
    on: together they must be enough for that share, and the phrasings alone for theirs, so that counterexamples never
    stand in for questions. Sentences made from one phrasing, and a phrasing as question and as near miss, depend on
    each other: they count once.
    """
    is_phrasing = np.isin(held.kinds, (HeldOutKind.IN_SCOPE, HeldOutKind.NEAR_MISS))
    is_counterexample = held.kinds == HeldOutKind.COUNTEREXAMPLE
    phrasings, counterexamples = _distinct(held, corpus, is_phrasing), _distinct(held, corpus, is_counterexample)
    own, near = float(weights[is_phrasing].sum()), float(weights[is_counterexample].sum())
    missing = sentences_needed(own, rate) - phrasings
    return max(0, missing, sentences_needed(own + near, rate) - phrasings - counterexamples)


def _distinct(held: HeldOut, corpus: Corpus, rows: Flags) -> int:
    groups = dict(zip(corpus.texts, corpus.groups.tolist(), strict=True))
    return len({groups.get(held.texts[row], held.texts[row]) for row in np.flatnonzero(rows).tolist()})


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
    """Returns for each row the prompt answered, or `NONE`, and (n, 5) the prompts offered instead.

    The same decision as `store.gates.decide`, for all rows at once.
    """
    first, score = held.candidates[:, 0], held.scores[:, 0]
    passes = answerable(held, stopped, limits) & (score >= limits.answer)
    is_asked = (asking_score(held) >= limits.suggest) & ~passes
    return np.where(passes, first, NONE), np.where(is_asked[:, None] & offerable(held), held.candidates, NONE)


def answerable(held: HeldOut, stopped: Flags, limits: Limits) -> Flags:
    """Returns the rows that every gate but that of the score lets through."""
    runner_up = np.where(held.candidates[:, 1] != NONE, held.scores[:, 1], -np.inf)
    flags: Flags = (
        _unstopped(held, stopped)
        & (held.similarities[:, 0] >= limits.floor)
        & (held.scores[:, 0] - runner_up >= limits.margin)
    )
    return flags


def offerable(held: HeldOut) -> Flags:
    """Returns (n, 5) which candidates would be offered, were their sentence asked back."""
    likely = _choosable(held) & (held.scores >= ALSO_OFFERED * asking_score(held)[:, None])
    flags: Flags = likely & (np.cumsum(likely, axis=1) <= MAX_CHOICES)
    return flags


def asking_score(held: HeldOut) -> Scores:
    """Returns the score of each row's best candidate that may be offered; below every limit where there is none."""
    scores: Scores = np.where(_choosable(held), held.scores, -np.inf).max(axis=1)
    return scores


def _choosable(held: HeldOut) -> Flags:
    """As `store.matches.Candidate.is_excluded`."""
    is_excluded = (held.countered >= NEARLY_VERBATIM) & (held.countered >= held.similarities)
    flags: Flags = (held.candidates != NONE) & ~is_excluded
    return flags


def _unstopped(held: HeldOut, stopped: Flags) -> Flags:
    """The rows whose best candidate is not countered (as `store.matches.Candidate.is_countered`) nor contradicted."""
    is_countered = held.countered[:, 0] - held.similarities[:, 0] >= COUNTERED_BY
    flags: Flags = _choosable(held)[:, 0] & ~is_countered & ~stopped
    return flags


def _limits(held: HeldOut, corpus: Corpus, stopped: Flags, weights: Scores, rate: float) -> Limits:
    is_proven = not more_phrasings(held, corpus, weights, rate)
    if not is_proven and _distinct(held, corpus, held.kinds == HeldOutKind.IN_SCOPE) < FEWEST_SENTENCES:
        return CAUTIOUS
    answer = _answer_limit(held, stopped, weights, rate, is_proven=is_proven)
    able, scores = _unstopped(held, stopped), held.scores[:, 0]
    right = able & is_right(held.candidates[:, 0], held.truths)
    if not (right & (scores >= answer)).any():
        return CAUTIOUS
    floor = float(np.quantile(held.similarities[right & (scores >= answer), 0], _FLOOR_QUANTILE))
    answered = able & (scores >= answer)
    answered &= held.similarities[:, 0] >= floor
    # Near misses and counterexamples of a lone prompt, half of all messages, would use up what may be asked in vain.
    most = CAUTIOUS.suggest if len(corpus.keys) == 1 or not is_proven else answer
    suggest = min(_suggest_limit(held, answered, weights), most, answer)
    return Limits(answer=answer, suggest=suggest, margin=0.0, floor=floor, follow_up=NEVER)


def _answer_limit(held: HeldOut, stopped: Flags, weights: Scores, rate: float, *, is_proven: bool) -> float:
    """What is stopped counts in the total, and can be wrong no more."""
    able = _unstopped(held, stopped)
    wrong = wrongly(held, held.candidates[:, 0])[able]
    share = float(weights[able].sum())
    if share <= 0:
        return NEVER
    aimed_at = rate if is_proven else rate * UNPROVEN_SHARE
    return loosest_limit(held.scores[able, 0], wrong, weights[able], aimed_at / share)


def _suggest_limit(held: HeldOut, answered: Flags, weights: Scores) -> float:
    """Returns the loosest score of a first choice at which questions back without the right prompt stay rare enough."""
    is_right_choice = (held.candidates == held.truths[:, None]) & (held.truths != NONE)[:, None] & offerable(held)
    scores = asking_score(held)
    askable = ~answered & np.isfinite(scores)
    vain_rows = askable & ~is_right_choice.any(axis=1)
    limits = np.unique(scores[askable])[::-1]
    in_vain = _reaching(scores[vain_rows], weights[vain_rows], limits)
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
