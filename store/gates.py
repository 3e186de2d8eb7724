"""The gates: what must hold before a candidate becomes a match."""

from collections.abc import Sequence

from store.contradiction import explain
from store.matches import Ambiguous, AnyMatch, Candidate, Evidence, Gate, Match, MatchMethod, NoMatch
from store.scoring import Limits

MAX_CHOICES = 3
"""Approved prompts offered as "did you mean"; more are not read."""

ALSO_OFFERED = 0.05
"""Beside a choice that is worth asking about, others of at least this share of its score are offered."""


def decide(message: str, candidates: Sequence[Candidate], limits: Limits) -> AnyMatch:
    """Returns what the candidates, best first, amount to.

    The gates in order: near enough to some phrasing, score at the limit, no counterexample of the prompt clearly
    nearer than its phrasings, far enough from the next prompt, not its opposite. A failed gate asks "did you mean" when
    the likeliest candidate is likely enough for that; one whose counterexample the message nearly is does not count.
    """
    gate = _gate(candidates, limits)
    difference = _difference(message, candidates[0]) if gate is Gate.ACCEPTED else None
    evidence = Evidence(tuple(candidates), Gate.CONTRADICTION if difference else gate, difference)
    if evidence.gate is Gate.ACCEPTED:
        return Match(candidates[0].prompt, MatchMethod.SIMILAR, evidence)
    choices = [one for one in candidates if not one.is_excluded]
    if not choices or choices[0].score < limits.suggest:
        return NoMatch(evidence)
    # Whoever is asked anyway reads two more lines easily.
    offered = [one.prompt for one in choices if one.score >= ALSO_OFFERED * choices[0].score]
    return Ambiguous(tuple(offered[:MAX_CHOICES]), evidence)


def _gate(candidates: Sequence[Candidate], limits: Limits) -> Gate:
    if not candidates:
        return Gate.EMPTY
    best = candidates[0]
    if best.similarity < limits.floor:
        return Gate.FLOOR
    if best.score < limits.answer:
        return Gate.BELOW_LIMIT
    if best.is_countered:
        return Gate.COUNTEREXAMPLE
    if len(candidates) > 1 and best.score - candidates[1].score < limits.margin:
        return Gate.MARGIN
    return Gate.ACCEPTED


def _difference(message: str, best: Candidate) -> str | None:
    return explain(message, best.phrasing, best.prompt.content.phrasings)
