"""Which sentences of an index belong together: those of a prompt, of an area, those that follow, those that refuse."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from store.phrases import Row, RowKind
from store.vectors import Numbers

NONE: Numbers = np.empty(0, dtype=np.int64)

_MOST_AREA_SETS = 256
"""Sets of areas whose keys are remembered; assistants have far fewer."""
_K = TypeVar("_K")
_V = TypeVar("_V")


class RowGroups:
    """Row numbers by what they are asked for. Immutable to its callers; safe to read from many threads."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.spans = _spans(rows)
        """First and one past the last row number of each prompt, by its key."""
        self._keys = _group((rows[start].prompt.content.area, key) for key, (start, _) in self.spans.items())
        self._keys_of_sets: dict[frozenset[str], frozenset[str]] = {}
        self._phrasings = {area: len(numbers) for area, numbers in phrasings_by_area(rows).items()}
        self._counterexamples = _arrays(
            (row.prompt.key, number) for number, row in enumerate(rows) if row.kind is RowKind.COUNTEREXAMPLE
        )
        self._follow_ups = _arrays(
            ((row.prompt.content.area, key), number)
            for number, row in enumerate(rows)
            if row.kind is RowKind.FOLLOW_UP
            for key in row.prompt.content.follows
        )

    def keys_of(self, areas: Collection[str]) -> frozenset[str]:
        """Returns the keys of the areas' prompts: made once for each set of areas, since there may be very many."""
        among = frozenset(areas)
        found = self._keys_of_sets.get(among)
        if found is None:
            found = frozenset[str]().union(*(self._keys.get(area, ()) for area in among))
            if len(self._keys_of_sets) < _MOST_AREA_SETS:
                self._keys_of_sets[among] = found
        return found

    def phrasings_in(self, areas: Collection[str]) -> int:
        """Returns how many phrasings the areas have."""
        return sum(self._phrasings.get(area, 0) for area in frozenset(areas))

    def following(self, areas: Collection[str], after: str | None) -> Numbers:
        """Returns the follow-ups of the areas that may come after that prompt."""
        if after is None:
            return NONE
        found = [self._follow_ups[area, after] for area in frozenset(areas) if (area, after) in self._follow_ups]
        return np.concatenate([NONE, *found])

    def counterexamples_of(self, keys: Iterable[str]) -> Numbers:
        """Returns the counterexamples of the prompts."""
        found = [self._counterexamples[key] for key in keys if key in self._counterexamples]
        return np.concatenate([NONE, *found])


def phrasings_by_area(rows: Sequence[Row]) -> Mapping[str, Numbers]:
    """Returns the numbers of the phrasings of each area."""
    numbered = enumerate(rows)
    return _arrays((row.prompt.content.area, number) for number, row in numbered if row.kind is RowKind.PHRASING)


def _spans(rows: Sequence[Row]) -> Mapping[str, tuple[int, int]]:
    spans: dict[str, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        start, _ = spans.get(row.prompt.key, (number, number))
        spans[row.prompt.key] = (start, number + 1)
    return spans


def _group(pairs: Iterable[tuple[_K, _V]]) -> Mapping[_K, Sequence[_V]]:
    groups: dict[_K, list[_V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _arrays(pairs: Iterable[tuple[_K, int]]) -> Mapping[_K, Numbers]:
    return {key: np.array(numbers, dtype=np.int64) for key, numbers in _group(pairs).items()}
