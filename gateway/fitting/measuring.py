"""Measures a matcher with labelled messages, through the same path as a live message."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from gateway.canonicalize import CanonicalMessage, canonicalize
from gateway.errors import InvalidRequest
from gateway.fitting.labelled import Kind, LabelledQuery
from models.errors import ModelRefused
from store.gates import ALSO_OFFERED, MAX_CHOICES, decide
from store.learning.metrics import (
    NONE,
    Numbers,
    Outcomes,
    Scores,
    accuracy,
    answered_outside,
    auroc,
    coverage_at_false_match,
    coverage_with_clarify,
    outcomes_by_kind,
)
from store.matcher import Matcher
from store.matches import Ambiguous, AnyMatch, Candidate, Evidence, Gate, Match, NoMatch
from store.scoring import Limits

RATES = (0.01, 0.02, 0.05)
KEPT = (0.95, 0.80)
"""Shares of in-scope messages answered, for which the share of others answered is reported."""
_OPEN = Limits(answer=-np.inf, suggest=-np.inf, margin=-np.inf, floor=-np.inf, follow_up=np.inf)
"""Every score is enough: what the other gates let through, to be ranked."""
_WARM_UP = 5

Step = Callable[[int, int], None]
"""Is told how many messages of how many are done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A message and what the matcher found, before and after limits."""

    query: LabelledQuery
    text: str
    found: AnyMatch
    ms: float
    is_scored: bool
    """Whether scores decided, and not a phrasing word for word, a language or a refusal before matching."""

    def decided(self, limits: Limits) -> AnyMatch:
        """Returns what other limits would have made of it."""
        return decide(self.text, self.found.evidence.candidates, limits) if self.is_scored else self.found


class AtLimits(msgspec.Struct, frozen=True):
    """What the matcher's own limits for a stated rate do to the queries."""

    limits: Limits
    false_match: float
    """Of all queries: answered with a wrong prompt."""
    times_stated: float
    coverage: float | None
    """Of in-scope queries: answered with the right prompt; None when there are none."""
    share_of_reachable: float | None
    """That, of the coverage which the ranking allows at the stated rate; None when that is 0 or there is none."""
    in_scope: Outcomes | None
    near_miss: Outcomes | None
    stranger: Outcomes | None


class Measured(msgspec.Struct, frozen=True):
    """The figures of one run; shares of 1, keys of the mappings are rates."""

    queries: dict[str, int]
    accuracy: float | None
    auroc: float | None
    auroc_near_miss: float | None
    coverage_at_false_match: dict[str, float | None]
    """Of in-scope queries; None when there are none."""
    coverage_at_false_match_with_clarify: dict[str, float | None]
    others_answered_at_kept: dict[str, dict[str, float | None]]
    """Of near misses and strangers: answered, at the limit that answers this share of in-scope queries."""
    at_own_limits: dict[str, AtLimits]
    refused_for_language: int
    p50_ms: float | None
    """Per message with embedding and every gate; phrasings word for word left out. None when nothing else was asked."""
    p95_ms: float | None

    @property
    def unknown(self) -> tuple[str, ...]:
        """What the queries could not tell, in words."""
        if self.queries[Kind.IN_SCOPE]:
            return ()
        return ("Coverage: no query is in scope, its intent a prompt of the store.",)


def ask_all(matcher: Matcher, assistant: str, queries: Sequence[LabelledQuery], step: Step) -> tuple[Asked, ...]:
    """Takes every message through canonicalisation and the matcher, one at a time, and times it."""
    for query in queries[:_WARM_UP]:
        _ask(matcher, assistant, query)
    asked = []
    for number, query in enumerate(queries):
        step(number, len(queries))
        asked.append(_ask(matcher, assistant, query))
    return tuple(asked)


def _ask(matcher: Matcher, assistant: str, query: LabelledQuery) -> Asked:
    nothing = NoMatch(Evidence((), Gate.EMPTY))
    try:
        message = canonicalize(query.text)
        if not isinstance(message, CanonicalMessage):
            return Asked(query, query.text, nothing, 0.0, is_scored=False)
        started = time.perf_counter()
        found = matcher.match(message.text, assistant)
        ms = (time.perf_counter() - started) * 1000
    except (InvalidRequest, ModelRefused):
        return Asked(query, query.text, nothing, 0.0, is_scored=False)  # refused before matching, as a live one is
    is_exact = any(one.score >= 1.0 and one.similarity >= 1.0 for one in found.evidence.candidates)
    is_scored = bool(found.evidence.candidates) and not is_exact
    return Asked(query, message.text, found, ms, is_scored)


@dataclass(frozen=True, slots=True)
class Columns:
    """The asked messages as arrays; prompts are numbers."""

    kinds: tuple[Kind, ...]
    truths: Numbers
    first: Numbers
    """The prompt ranked first, whatever its score and the gates."""
    answerable: Numbers
    """The same where every gate but the limits lets it through."""
    confidences: Scores
    """Of answering; -1 where nothing can be answered."""
    offered: Numbers
    offer_confidences: Scores

    def of_kinds(self, *kinds: Kind) -> "Columns":
        """Returns the rows of these kinds."""
        rows = np.flatnonzero([kind in kinds for kind in self.kinds])
        return Columns(
            kinds=tuple(self.kinds[row] for row in rows.tolist()),
            truths=self.truths[rows],
            first=self.first[rows],
            answerable=self.answerable[rows],
            confidences=self.confidences[rows],
            offered=self.offered[rows],
            offer_confidences=self.offer_confidences[rows],
        )


def columns_of(asked: Sequence[Asked], keys: Mapping[str, int]) -> Columns:
    """Returns the ranking alone, with every limit open."""
    opened = [one.decided(_OPEN) for one in asked]
    answers = [_answer(found, keys) for found in opened]
    firsts = [one.found.evidence.candidates for one in asked]
    return Columns(
        kinds=tuple(one.query.kind for one in asked),
        truths=_numbers([keys.get(one.query.intent, NONE) for one in asked]),
        first=_numbers([keys[found[0].prompt.key] if found else NONE for found in firsts]),
        answerable=_numbers(answers),
        confidences=np.array(
            [_score(found) if answer != NONE else -1.0 for found, answer in zip(opened, answers, strict=True)]
        ),
        offered=np.array([_offers(one.found.evidence.candidates, keys) for one in asked], dtype=np.int64).reshape(
            -1, 3
        ),
        offer_confidences=np.array([_score(found) for found in opened], dtype=np.float64),
    )


def measure(asked: Sequence[Asked], keys: Mapping[str, int], limits: Mapping[float, Limits]) -> Measured:
    """Returns the figures; `keys` numbers the store's prompts, `limits` are the matcher's own by stated rate."""
    columns = columns_of(asked, keys)
    c = columns
    counts = {kind.value: sum(one is kind for one in c.kinds) for kind in Kind}
    times = [one.ms for one in asked if one.is_scored]
    near = c.of_kinds(Kind.IN_SCOPE, Kind.NEAR_MISS)
    return Measured(
        queries=counts,
        accuracy=accuracy(c.first, c.truths),
        auroc=auroc(c.confidences, c.truths),
        auroc_near_miss=auroc(near.confidences, near.truths),
        coverage_at_false_match={
            f"{rate:g}": coverage_at_false_match(c.confidences, c.answerable, c.truths, rate) for rate in RATES
        },
        coverage_at_false_match_with_clarify={
            f"{rate:g}": coverage_with_clarify(c.offer_confidences, c.offered, c.truths, rate) for rate in RATES
        },
        others_answered_at_kept={
            f"{kept:g}": {
                kind.value: _others(c.of_kinds(Kind.IN_SCOPE, kind), kept) for kind in (Kind.NEAR_MISS, Kind.STRANGER)
            }
            for kept in KEPT
        },
        at_own_limits={f"{rate:g}": _at_limits(asked, columns, keys, rate, one) for rate, one in limits.items()},
        refused_for_language=sum(one.found.evidence.gate is Gate.LANGUAGE for one in asked),
        p50_ms=float(np.percentile(times, 50)) if times else None,
        p95_ms=float(np.percentile(times, 95)) if times else None,
    )


def _others(columns: Columns, kept: float) -> float | None:
    found = answered_outside(columns.confidences, columns.answerable, columns.truths, kept)
    return found[1] if found else None


def _at_limits(
    asked: Sequence[Asked], columns: Columns, keys: Mapping[str, int], rate: float, limits: Limits
) -> AtLimits:
    decided = [one.decided(limits) for one in asked]
    answered = _numbers([_answer(found, keys) for found in decided])
    offered = np.array([_choices(found, keys) for found in decided], dtype=np.int64).reshape(-1, MAX_CHOICES)
    kinds = outcomes_by_kind([kind.value for kind in columns.kinds], answered, offered, columns.truths)
    in_scope = columns.truths != NONE
    right = (answered == columns.truths) & in_scope
    false_match = float(((answered != NONE) & ~right).mean()) if len(answered) else 0.0
    coverage = float(right[in_scope].mean()) if in_scope.any() else None
    reachable = coverage_at_false_match(columns.confidences, columns.answerable, columns.truths, rate)
    return AtLimits(
        limits=limits,
        false_match=false_match,
        times_stated=false_match / rate,
        coverage=coverage,
        share_of_reachable=coverage / reachable if coverage is not None and reachable else None,
        in_scope=kinds.get(Kind.IN_SCOPE),
        near_miss=kinds.get(Kind.NEAR_MISS),
        stranger=kinds.get(Kind.STRANGER),
    )


def _answer(found: AnyMatch, keys: Mapping[str, int]) -> int:
    return keys[found.prompt.key] if isinstance(found, Match) else NONE


def _score(found: AnyMatch) -> float:
    return found.evidence.score if found.evidence.score is not None else -1.0


def _choices(found: AnyMatch, keys: Mapping[str, int]) -> list[int]:
    chosen = [keys[prompt.key] for prompt in found.choices] if isinstance(found, Ambiguous) else []
    return chosen + [NONE] * (MAX_CHOICES - len(chosen))


def _offers(candidates: Sequence[Candidate], keys: Mapping[str, int]) -> list[int]:
    able = [one for one in candidates if not one.is_excluded]
    chosen = [keys[one.prompt.key] for one in able if one.score >= ALSO_OFFERED * able[0].score][:MAX_CHOICES]
    return chosen + [NONE] * (MAX_CHOICES - len(chosen))


def _numbers(values: Sequence[int]) -> Numbers:
    return np.array(values, dtype=np.int64)
