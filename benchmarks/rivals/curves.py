"""What a ranking of prompts is good for: at a limit, at the best there is, and at the one that phrasings choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.learning.metrics import NONE, Flags, Numbers, Scores, accuracy, by_falling_score, coverage_at_false_match

RATES = (0.01, 0.05)
"""Of all messages: answered with a wrong prompt."""
FOLDS = 4
STRANGERS = 0.4
"""For each held-out phrasing: the share of messages from elsewhere that the gateway's own limits assume."""
DRAWS = 300


@dataclass(frozen=True, slots=True)
class Ranked:
    """Messages with the prompt ranked first, its score, and the right one; prompts are numbers."""

    first: Numbers
    """`NONE` where nothing can be answered, whatever the limit."""
    scores: Scores
    truths: Numbers
    """`NONE` for a message that no prompt answers."""

    def drawn(self, rows: Numbers) -> "Ranked":
        """Returns some of the messages, some of them more than once."""
        return Ranked(self.first[rows], self.scores[rows], self.truths[rows])


def ranked_of(found: Sequence[tuple[str | None, float]], truths: Sequence[str | None]) -> Ranked:
    """Returns the arrays of what a child found, and of the keys that would have been right."""
    names = {key for key, _ in found if key is not None} | {key for key in truths if key is not None}
    numbers: Mapping[str | None, int] = {None: NONE} | {key: number for number, key in enumerate(sorted(names))}
    return Ranked(
        np.array([numbers[key] for key, _ in found], dtype=np.int64),
        np.array([score for _, score in found], dtype=np.float64),
        np.array([numbers[key] for key in truths], dtype=np.int64),
    )


def operating_curve(ranked: Ranked, *, seed: int = 0) -> dict[str, Any]:
    """Returns what the best limit reaches, chosen with the answers known: the same kindness for everyone.

    `reachable` has for each rate the share answered rightly, of the messages that have a prompt, while wrong answers
    stay within the rate; with an interval of 95 % over draws of the messages.
    """
    dice = np.random.default_rng(seed)
    draws = [ranked.drawn(dice.integers(0, len(ranked.scores), len(ranked.scores))) for _ in range(DRAWS)]
    return {
        "best_right": accuracy(ranked.first, ranked.truths),
        "reachable": {
            f"{rate:g}": [_coverage(ranked, rate), *_quantiles([_coverage(draw, rate) for draw in draws])]
            for rate in RATES
        },
    }


def at_limit(ranked: Ranked, limit: float) -> dict[str, float]:
    """Returns the rates when a score of `limit` is enough."""
    return outcome(np.where(ranked.scores >= limit, ranked.first, NONE), ranked.truths)


def outcome(answered: Numbers, truths: Numbers) -> dict[str, float]:
    """Returns `right`, of the messages that have a prompt, and `wrong`, of all; see `shares` for the rest."""
    in_scope = truths != NONE
    right = (answered == truths) & in_scope
    is_answered = answered != NONE
    return {
        "right": _share(right[in_scope]),
        "wrong": _share(is_answered & ~right),
        "refused": _share(~is_answered[in_scope]),
        "outside_answered": _share(is_answered[~in_scope]),
    }


def limit_for(ranked: Ranked, rate: float) -> float:
    """Returns the lowest score at which wrong answers stay within `rate` of all; above every score if there is none."""
    order, ends = by_falling_score(ranked.scores)
    wrong: Flags = (ranked.first != NONE) & ((ranked.first != ranked.truths) | (ranked.truths == NONE))
    wrongs = np.cumsum(wrong[order])[ends]
    kept = np.flatnonzero(wrongs <= rate * len(ranked.scores) + 1e-9)
    return (
        float(ranked.scores[order][ends[kept[-1]]]) if len(kept) else float(np.nextafter(ranked.scores.max(), np.inf))
    )


def held_out(sentences: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Returns the sentences that a trial store knows, and each fourth of a prompt that it is asked with.

    A prompt with a single sentence keeps it: a store that lacks a prompt would be another one.
    """
    known: list[tuple[str, str]] = []
    asked: list[tuple[str, str]] = []
    seen: dict[str, int] = {}
    counts: dict[str, int] = {}
    for _, key in sentences:
        counts[key] = counts.get(key, 0) + 1
    for text, key in sentences:
        place = seen[key] = seen.get(key, -1) + 1
        (asked if place % FOLDS == 0 and counts[key] > 1 else known).append((text, key))
    return known, asked


def some_strangers(strangers: Sequence[str], held: int) -> list[str]:
    """Returns as many strangers as the expected mix of messages has beside the held-out phrasings."""
    wanted = min(len(strangers), max(1, round(STRANGERS * held)))
    places = np.linspace(0, len(strangers) - 1, wanted).astype(np.int64)
    return [strangers[place] for place in places.tolist()]


def _coverage(ranked: Ranked, rate: float) -> float:
    return coverage_at_false_match(ranked.scores, ranked.first, ranked.truths, rate) or 0.0


def _quantiles(values: Sequence[float]) -> list[float]:
    return [float(one) for one in np.quantile(values, (0.025, 0.975))]


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0
