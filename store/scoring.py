"""What ranks the prompts that a message may mean, and which score is enough."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from store.index import Hit
from store.vectors import Vectors

MAX_RANKED = 5
"""Prompts kept as evidence: the choices, and what they were chosen from."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A prompt that a message may mean."""

    key: str
    score: float
    """What the limits are about: a probability for a learned scorer, a similarity for the nearest phrasing."""
    similarity: float
    """Cosine of its nearest phrasing, -1 to 1."""
    row: int
    """Number of that phrasing among what the scorer knows."""
    phrasing: str
    """That phrasing as its author wrote it."""


class Scorer(Protocol):
    """Ranks prompts. Immutable and thread-safe; the same code ranks held-out sentences and live messages."""

    def rank(self, message: str, vector: Vectors, hits: Sequence[Hit], refused: Collection[str]) -> tuple[Ranked, ...]:
        """Returns at most five prompts, best first, without those whose keys are `refused`.

        `vector` is the message's, (1, dimension); `hits` are the scope's nearest phrasings, best first.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """Which scores are enough. No defaults: a limit that nobody chose or measured is not a limit."""

    answer: float
    """At least this score to be answered."""
    suggest: float
    """At least this score to be offered as "did you mean"."""
    margin: float
    """At least this much more score than the next prompt."""
    floor: float
    """At least this similar to some phrasing, whatever the score."""
    follow_up: float
    """Similarity to a follow-up phrasing that is enough right after its predecessor."""

    @property
    def is_word_for_word(self) -> bool:
        """Whether no score is enough: only phrasings word for word are answered."""
        return self.answer > 1.0

    @property
    def answers_from(self) -> str:
        """What it takes to be answered, in words."""
        return "word for word only" if self.is_word_for_word else f"from {self.answer:.3g}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one assistant matches with: its areas, what ranks their prompts, and which score is enough."""

    areas: frozenset[str]
    scorer: Scorer
    limits: Limits


class NearestScorer:
    """Scores a prompt by the similarity of its nearest phrasing: the baseline, and what small tests use."""

    def rank(self, message: str, vector: Vectors, hits: Sequence[Hit], refused: Collection[str]) -> tuple[Ranked, ...]:
        best: dict[str, Ranked] = {}
        for number, hit in enumerate(hits):
            key = hit.row.prompt.key
            if key not in refused and key not in best:
                best[key] = Ranked(key, hit.score, hit.score, number, hit.row.text)
        return tuple(best.values())[:MAX_RANKED]
