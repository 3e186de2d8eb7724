"""Figures of decisions that can be added up: counts, and histograms from which percentiles and limits are read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from store.matches import Gate, MatchMethod
from store.repositories.decision_figures import CountedDecision
from store.types import Outcome

STAGES = ("input_rails", "match", "generate", "output_rails", "total")
"""Stations of a message that are timed, and the whole way."""
STEPS = 100
"""Of a score from 0 to 1."""
_MARGINS = 51
"""Steps of a hundredth; the last is for whatever is further, and for what has no next prompt."""
_LOWEST_MS, _WIDTH, _BINS = 0.1, 1.05, 360
"""Times fall into bins that are 5 % wide: a percentile is within 2.5 % of the exact one."""
_FREE = frozenset({Gate.ACCEPTED, Gate.BELOW_LIMIT, Gate.MARGIN})
_HELD = frozenset({Gate.FLOOR, Gate.COUNTEREXAMPLE, Gate.CONTRADICTION})
"""Gates that no other limit opens."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What messages that were matched by a score would come to with some limit."""

    limit: float
    answered: int
    offered: int
    unmatched: int


def _zeros(*shape: int) -> Counts:
    return np.zeros(shape, dtype=np.int64)


@dataclass(slots=True)
class Figures:
    """Of one assistant or of several, of any span of time. As large for a million decisions as for a hundred."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    prompts: Counter[str] = field(default_factory=Counter)
    """Answers by prompt, in the model's words or as an approved text."""
    stopped: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    """By the rail, and whether it stopped the question or the answer."""
    times: Counts = field(default_factory=lambda: _zeros(len(STAGES), _BINS))
    scores: Counts = field(default_factory=lambda: _zeros(3, STEPS))
    """Messages by score that were answered, offered a choice, or neither."""
    free: Counts = field(default_factory=lambda: _zeros(STEPS, _MARGINS))
    """Messages by score and margin that nothing but limits decided."""
    held: Counts = field(default_factory=lambda: _zeros(STEPS))
    """Messages by score that something else kept from being answered."""

    @property
    def total(self) -> int:
        """How many decisions there are."""
        return self.outcomes.total()

    @property
    def matched(self) -> int:
        """How many messages a score decided about."""
        return int(self.scores.sum())

    def add(self, other: "Figures") -> None:
        """Adds the figures of another span or assistant."""
        self.outcomes.update(other.outcomes)
        self.prompts.update(other.prompts)
        self.stopped.update(other.stopped)
        self.times += other.times
        self.scores += other.scores
        self.free += other.free
        self.held += other.held

    def percentile_ms(self, stage: str, share: float) -> float | None:
        """Returns the time within which that share of the messages passed the stage; None when none did."""
        row = self.times[STAGES.index(stage)]
        count = int(row.sum())
        if not count:
            return None
        place = int(np.searchsorted(np.cumsum(row), share * count))
        return float(_LOWEST_MS * _WIDTH ** (min(place, _BINS - 1) + 0.5))

    def timed(self, stage: str) -> int:
        """Returns how many messages passed a stage."""
        return int(self.times[STAGES.index(stage)].sum())

    def what_if(self, step: int, *, suggest: float, margin: float) -> WhatIf:
        """Returns what would come of a limit of `step` hundredths.

        What a lower limit lets through may still be kept back by its meaning, which was not looked at: `answered` is
        then the most that can be. Margins count in hundredths.
        """
        least_margin = min(_margin_step(margin), _MARGINS - 1)
        answered = int(self.free[step:, least_margin:].sum())
        scored = self.free.sum(axis=1) + self.held
        from_suggest = int(scored[_score_step(suggest) :].sum())
        below = int(self.free[step : _score_step(suggest), least_margin:].sum()) if step < suggest * STEPS else 0
        offered = from_suggest - (answered - below)
        return WhatIf(step / STEPS, answered, offered, int(scored.sum()) - answered - offered)


def figures_of(rows: Iterable[CountedDecision]) -> dict[str, Figures]:
    """Counts decisions by their assistants."""
    found: dict[str, list[CountedDecision]] = {}
    for row in rows:
        found.setdefault(row.assistant, []).append(row)
    return {assistant: _figures(some) for assistant, some in found.items()}


def _figures(rows: Sequence[CountedDecision]) -> Figures:
    made = Figures()
    made.outcomes.update(row.outcome for row in rows)
    worded = (Outcome.ANSWERED, Outcome.DEGRADED)
    made.prompts.update(row.prompt_key for row in rows if row.prompt_key and row.outcome in worded)
    blocked = (Outcome.BLOCKED_INPUT, Outcome.BLOCKED_OUTPUT)
    made.stopped.update((row.stopped_by, row.outcome) for row in rows if row.stopped_by and row.outcome in blocked)
    for number, stage in enumerate(STAGES):
        spent = np.array([row.timings_ms[stage] for row in rows if stage in row.timings_ms], dtype=np.float64)
        places = np.log(np.maximum(spent, _LOWEST_MS) / _LOWEST_MS) / np.log(_WIDTH)
        made.times[number] = np.bincount(np.minimum(places.astype(np.int64), _BINS - 1), minlength=_BINS)
    for row in rows:
        if row.score is not None and row.method in (None, MatchMethod.SIMILAR):
            _add_score(made, row, _score_step(row.score))
    return made


def _add_score(made: Figures, row: CountedDecision, step: int) -> None:
    if row.gate in _FREE:
        made.free[step, _MARGINS - 1 if row.margin is None else min(_margin_step(row.margin), _MARGINS - 1)] += 1
    elif row.gate in _HELD:
        made.held[step] += 1
    else:
        return
    came_to = 0 if row.gate == Gate.ACCEPTED else 1 if row.outcome is Outcome.CLARIFY else 2
    made.scores[came_to, step] += 1


def _score_step(score: float) -> int:
    return max(0, min(STEPS - 1, int(score * STEPS + 1e-9)))


def _margin_step(margin: float) -> int:
    return max(0, int(margin * 100 + 1e-9))
