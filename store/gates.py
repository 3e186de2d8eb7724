"""The gates: what must hold before a candidate becomes a match."""

from collections.abc import Sequence
from dataclasses import dataclass

from store.content import MatchLimits
from store.contradiction import contradicts
from store.matches import Ambiguous, AnyMatch, Candidate, Evidence, Gate, Match, MatchMethod, NoMatch

MAX_CHOICES = 3
"""Approved prompts offered as "did you mean"; more are not read."""
TIE = 1e-5
"""Similarities of the same sentence differ by less than this from one batch to another (float32)."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate and how its nearest phrasing takes part."""

    candidate: Candidate
    is_follow_up: bool


def decide(message: str, scored: Sequence[Scored], limits: MatchLimits) -> AnyMatch:
    """Returns what the candidates, best first, amount to.

    The gates in order: score at the limit, nearer to a phrasing than to any counterexample of the prompt, far enough
    from the next prompt, not its opposite. A failed gate
    asks "did you mean" when a candidate is near enough for that and not nearer to
    one of its own counterexamples.
    """
    shown = tuple(one.candidate for one in scored)
    gate = _gate(message, scored, limits)
    evidence = Evidence(shown, gate)
    if gate is Gate.ACCEPTED:
        method = MatchMethod.FOLLOW_UP if scored[0].is_follow_up else MatchMethod.SIMILAR
        return Match(shown[0].prompt, method, evidence)
    choices = [one.prompt for one in shown if one.score >= limits.suggest and not _is_countered(one)]
    return Ambiguous(tuple(choices[:MAX_CHOICES]), evidence) if choices else NoMatch(evidence)


def _gate(message: str, scored: Sequence[Scored], limits: MatchLimits) -> Gate:
    if not scored:
        return Gate.EMPTY
    best = scored[0].candidate
    if best.score < limits.limit:
        return Gate.BELOW_LIMIT
    if _is_countered(best):
        return Gate.COUNTEREXAMPLE
    runner_up = _runner_up(scored)
    if runner_up is not None and best.score - runner_up.score < limits.margin:
        return Gate.MARGIN
    if contradicts(message, best.phrasing):
        return Gate.CONTRADICTION
    return Gate.ACCEPTED


def _runner_up(scored: Sequence[Scored]) -> Candidate | None:
    best = scored[0]
    for other in scored[1:]:
        # The conversation settles a tie: right after its predecessor, a follow-up is what was meant.
        is_tie = abs(best.candidate.score - other.candidate.score) <= TIE
        is_settled = best.is_follow_up and not other.is_follow_up and is_tie
        if not is_settled:
            return other.candidate
    return None


def _is_countered(candidate: Candidate) -> bool:
    return candidate.counter_score is not None and candidate.counter_score >= candidate.score
