"""What adding a sentence to a prompt would do to the others: a dry run on the live index, without fitting anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from store.content import PromptVersion
from store.contradiction import explain
from store.index import Hit
from store.matcher import Matcher
from store.phrases import fold
from store.vectors import Vectors

_NEIGHBOURS = 64
"""Phrasings looked at around the sentence; who is further away is nobody's rival."""
MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Rival:
    """A phrasing of another prompt that the sentence comes near."""

    key: str
    phrasing: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Addition:
    """What would come of adding a sentence to a prompt."""

    same_as: str | None
    """Key of another prompt that has this very phrasing: the publish would be refused."""
    is_counterexample: bool
    """Whether the prompt has it as a counterexample: the publish would be refused."""
    difference: str | None
    """How its meaning differs from the prompt's nearest phrasing, such as `opposite: open/close`."""
    rivals: tuple[Rival, ...]
    """Phrasings of other prompts that would be nearer to it than to the rest of their own, nearest first."""
    rival_count: int
    reaches: int
    """Other questions of the cluster that are nearer to it than to any phrasing that is live."""


class Collisions:
    """Looks at the live index of an assistant. Costs the search for one vector a sentence."""

    def __init__(self, matcher: Matcher, assistant: str) -> None:
        self._matcher = matcher
        self._index = matcher.index
        self._areas = matcher.scopes[assistant].areas

    def of_all(self, text: str, prompts: Sequence[PromptVersion], others: Sequence[str] = ()) -> tuple[Addition, ...]:
        """Returns what adding the text would do to each of the prompts. Raises as `Matcher.match` does."""
        if not prompts:
            return ()
        vector = self._matcher.vector_of(text)
        hits = self._index.search(vector, _NEIGHBOURS, self._areas)
        stolen = [hit for hit in hits if hit.score > self._own_nearest(hit)]
        same = [hit.row.prompt.key for hit in self._index.exact(text, self._areas) if not hit.captured]
        reaches = self._reached(vector, others)
        return tuple(self._of(text, prompt, hits, stolen, same, reaches) for prompt in prompts)

    def nearest_other(self, text: str, key: str) -> tuple[Rival | None, float]:
        """Returns the nearest phrasing of another prompt, and the similarity to the prompt's own nearest one."""
        hits = self._index.search(self._matcher.vector_of(text), _NEIGHBOURS, self._areas)
        own = max((hit.score for hit in hits if hit.row.prompt.key == key), default=-1.0)
        other = next((hit for hit in hits if hit.row.prompt.key != key), None)
        return (_rival(other) if other else None), own

    @staticmethod
    def _of(  # noqa: PLR0917 - all of it was found out once for all prompts
        text: str, prompt: PromptVersion, hits: Sequence[Hit], stolen: Sequence[Hit], same: Sequence[str], reaches: int
    ) -> Addition:
        nearest = next((hit.row.text for hit in hits if hit.row.prompt.key == prompt.key), None)
        siblings = prompt.content.phrasings
        rivals = [_rival(hit) for hit in stolen if hit.row.prompt.key != prompt.key]
        return Addition(
            same_as=next((key for key in same if key != prompt.key), None),
            is_counterexample=fold(text) in map(fold, prompt.content.counterexamples),
            difference=explain(text, nearest, siblings) if nearest else None,
            rivals=tuple(rivals[:MAX_SHOWN]),
            rival_count=len(rivals),
            reaches=reaches,
        )

    def _own_nearest(self, hit: Hit) -> float:
        """Returns how near a phrasing is to the nearest other one of its own prompt; -1 where it is the only one."""
        own = self._index.phrasings_of(hit.row.prompt.key)
        others = [number for number in own if self._index.row(number).text != hit.row.text]
        if not others:
            return hit.score  # nobody is nearer, and yet nothing is taken from it
        mine = self._index.vectors_of([hit.number])[0]
        return float((self._index.vectors_of(others) @ mine).max())

    def _reached(self, vector: Vectors, others: Sequence[str]) -> int:
        if not others:
            return 0
        vectors = self._matcher.vectors_of(others)
        nearest = [self._index.search(one[None], 1, self._areas) for one in vectors]
        best = np.array([hits[0].score if hits else -1.0 for hits in nearest])
        return int((vectors @ vector[0] > best).sum())


def _rival(hit: Hit) -> Rival:
    return Rival(hit.row.prompt.key, hit.row.text, round(hit.score, 4))
