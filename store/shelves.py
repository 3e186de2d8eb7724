"""Where an index keeps its vectors: a base that revisions share, and beside it what is new since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from store.nearest import Block, Cells, cosines, find_cells, needs_cells
from store.phrases import Row
from store.row_groups import phrasings_by_area
from store.vectors import Assigned, Numbers, Vectors

_SHARED_FROM = 20_000
"""Rows from which a base is shared: a smaller one is arranged anew in 0.1 s."""
_MOST_GONE = 500
_MOST_FRESH = 10_000
"""What a shared base may lack or hold too much of; each costs time in every search, 0.2 ms at most."""

_COMPARED_WHOLE = 4_096
"""Rows up to which one product compares all: 100 µs for 1,300, where FAISS took 350 with an area after the other."""
_ROUNDING = 1e-3
"""How far a product of float32 may be from `cosines`: more than the 4e-4 that 4,096 dimensions come to at worst."""

_NO_CENTRES: Vectors = np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """Vectors, and the phrasings among them arranged for searching by area. Immutable; knows no row numbers."""

    vectors: Vectors
    places: Mapping[str, Numbers]
    """Of the phrasings, by area."""
    blocks: Mapping[str, Block]
    """By area; none where `is_small`."""
    assigned: Assigned
    """The cell of each vector; -1 where the base has no cells."""
    cells: Cells | None
    is_small: bool = False
    """Whether all its vectors are compared at once. Such a base is never shared."""

    @classmethod
    def whole(
        cls, rows: Sequence[Row], vectors: Vectors, *, assigned: Assigned | None = None, cells: Cells | None = None
    ) -> "Base":
        """Arranges all rows of a revision, so that few of them need no arranging."""
        places = phrasings_by_area(rows)
        is_small = len(vectors) <= _COMPARED_WHOLE and len(vectors) < _SHARED_FROM
        if not is_small or any(needs_cells(len(found)) for found in places.values()):
            return cls.arrange(rows, vectors, assigned=assigned, cells=cells)
        vectors.flags.writeable = False
        return cls(vectors, places, {}, np.full(len(rows), -1, dtype=np.int32), None, is_small=True)

    @classmethod
    def arrange(
        cls, rows: Sequence[Row], vectors: Vectors, *, assigned: Assigned | None = None, cells: Cells | None = None
    ) -> "Base":
        """Arranges the rows' vectors; cells that still fit are kept, and so is every assignment to them but -1."""
        vectors.flags.writeable = False
        places = phrasings_by_area(rows)
        large = [found for found in places.values() if needs_cells(len(found))]
        if not large:
            blocks = {area: Block(vectors, found) for area, found in places.items()}
            return cls(vectors, places, blocks, np.full(len(rows), -1, dtype=np.int32), None)
        every = np.concatenate(large)
        if cells is None or assigned is None or not cells.fits(len(every)):
            cells, assigned = find_cells(vectors, every), None
        assigned = np.full(len(rows), -1, dtype=np.int32) if assigned is None else assigned.copy()
        new = every[assigned[every] < 0]
        assigned[new] = cells.assign(vectors, new)
        blocks = {
            area: Block(vectors, found, cells, assigned[found]) if needs_cells(len(found)) else Block(vectors, found)
            for area, found in places.items()
        }
        return cls(vectors, places, blocks, assigned, cells)


class Shelves:
    """The vectors of one revision, by the number of their row. Immutable; safe to read from many threads."""

    def __init__(self, base: Base, fresh: Base, places: Numbers) -> None:
        self._base = base
        self._fresh = fresh
        self._places = places
        """Of each row: its place in the base, or in what is fresh when counted on from the end of the base."""
        size = len(base.vectors)
        numbers = np.full(size + len(fresh.vectors), -1, dtype=np.int64)
        numbers[places] = np.arange(len(places), dtype=np.int64)
        gone = size - int(np.count_nonzero(numbers[:size] >= 0))
        self._halves = ((base.blocks, numbers[:size], gone), (fresh.blocks, numbers[size:], 0))

    @classmethod
    def of(cls, rows: Sequence[Row], vectors: Vectors, snapshot: tuple[Assigned, Vectors] | None = None) -> "Shelves":
        """Arranges every row anew, with the cells and the assignments of a snapshot where there are some."""
        assigned, centres = snapshot or (None, _NO_CENTRES)
        base = Base.whole(rows, vectors, assigned=assigned, cells=Cells(centres) if len(centres) else None)
        nothing = Base.arrange((), np.empty((0, vectors.shape[1]), dtype=np.float32))
        return cls(base, nothing, np.arange(len(rows), dtype=np.int64))

    def changed(self, rows: Sequence[Row], origin: Numbers, added: Vectors) -> "Shelves":
        """Returns the shelves of other rows: `origin` names the same row here, -1 for those whose vectors are `added`.

        The base is shared when it is large and little changed: 0.1 s for a million rows, no second copy. Otherwise all
        is arranged anew, without looking for cells again unless they no longer fit.
        """
        size = len(self._base.vectors)
        places = np.where(origin >= 0, self._places[origin] if len(self._places) else -1, -1)
        based = (places >= 0) & (places < size)
        gone, fresh = size - int(np.count_nonzero(based)), np.flatnonzero(~based)
        if size >= _SHARED_FROM and gone <= _MOST_GONE and len(fresh) <= min(_MOST_FRESH, size // 20):
            own = Base.arrange([rows[number] for number in fresh.tolist()], self._gather(origin[fresh], added))
            places[fresh] = size + np.arange(len(fresh), dtype=np.int64)
            return Shelves(self._base, own, places)
        assigned = np.full(len(rows), -1, dtype=np.int32)
        assigned[based] = self._base.assigned[places[based]]
        whole = Base.whole(rows, self._gather(origin, added), assigned=assigned, cells=self._base.cells)
        return Shelves(whole, Base.arrange((), added[:0]), np.arange(len(rows), dtype=np.int64))

    def vectors_of(self, numbers: Numbers) -> Vectors:
        """Returns the vectors of rows, (rows, dimension)."""
        places, size = self._places[numbers], len(self._base.vectors)
        if not len(self._fresh.vectors):
            return self._base.vectors.take(places, axis=0)
        vectors = np.empty((len(places), self._base.vectors.shape[1]), dtype=np.float32)
        based = places < size
        vectors[based] = self._base.vectors[places[based]]
        vectors[~based] = self._fresh.vectors[places[~based] - size]
        return vectors

    def nearest(self, vector: Vectors, k: int, areas: Iterable[str], also: Numbers) -> tuple[Numbers, Vectors]:
        """Returns the `k` phrasings of the areas, and rows of `also`, that are nearest to `vector` (dimension,).

        Best first; equal ones in the order of their numbers.
        """
        if self._base.is_small:
            return self._compared(vector, k, areas, also)
        numbers, scores = [also], [cosines(self.vectors_of(also), vector)]
        for area in areas:
            for blocks, rows, gone in self._halves:
                if area in blocks:
                    places, near = blocks[area].nearest(vector, k + gone)
                    live = rows[places] >= 0
                    numbers.append(rows[places[live]])
                    scores.append(near[live])
        found, cosine = np.concatenate(numbers), np.concatenate(scores)
        order = np.lexsort((found, -cosine))[:k]
        return found[order], cosine[order]

    def _compared(self, vector: Vectors, k: int, areas: Iterable[str], also: Numbers) -> tuple[Numbers, Vectors]:
        """Does the same by one product over all vectors; the nearest by it are compared again, as everywhere."""
        # Such a base is not shared: the places in it are the numbers of the rows, and nothing is fresh.
        found = np.concatenate([also, *(self._base.places[area] for area in areas if area in self._base.places)])
        if len(found) > k:
            # Not `@`: from some 1,200 rows on BLAS shares it out, and its threads then spin for 5 ms of another core.
            about = np.einsum("ij,j->i", self._base.vectors, vector)[found]
            found = found[about >= np.partition(about, -k)[-k] - _ROUNDING]
        cosine = cosines(self._base.vectors.take(found, axis=0), vector)
        order = np.lexsort((found, -cosine))[:k]
        return found[order], cosine[order]

    def to_snapshot(self) -> tuple[Vectors, Assigned, Vectors]:
        """Returns each row's vector and its cell, -1 for none, and the cells' centres; no copy of what is as it was."""
        every = np.arange(len(self._places), dtype=np.int64)
        vectors = self._base.vectors if np.array_equal(self._places, every) else self.vectors_of(every)
        assigned = np.concatenate([self._base.assigned, self._fresh.assigned])[self._places]
        nothing = np.empty((0, vectors.shape[1]), dtype=np.float32)
        return vectors, assigned, nothing if self._base.cells is None else self._base.cells.centres

    def _gather(self, origin: Numbers, added: Vectors) -> Vectors:
        vectors = np.empty((len(origin), added.shape[1]), dtype=np.float32)
        vectors[origin < 0] = added
        vectors[origin >= 0] = self.vectors_of(origin[origin >= 0])
        return vectors
