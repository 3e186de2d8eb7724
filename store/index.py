"""The index of what people may ask: an immutable snapshot of every approved sentence and its vector."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from store.catalog import Catalog
from store.content import PromptVersion
from store.errors import IndexUnusable, StoreUnavailable
from store.nearest import cosines
from store.phrases import ExactHit, Normalize, PhraseTable, Row, RowKind, fill_sample, fold, rows_of
from store.row_groups import NONE, RowGroups
from store.shelves import Shelves
from store.snapshot import Digests, Snapshot, SnapshotFolder
from store.vectors import Embed, Numbers, Vectors, check_vectors, digests_of, embed_into, take_kept

_LOG = logging.getLogger(__name__)
_ALWAYS_WRITTEN_TO = 20_000
_UNWRITTEN_SHARE = 200
"""Beyond 20,000 sentences a file that lacks fewer than one in 200 stands: embedding those again is cheaper."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that came near to a message, and how near."""

    row: Row
    score: float
    """Cosine similarity, -1 to 1."""
    number: int
    """The row's number in the index."""


class PromptIndex:
    """Finds approved sentences by their exact text or by nearness. Immutable; safe to read from many threads.

    Up to 50,000 phrasings of an area a search is exact; beyond, the nearest is found in 99 of 100 cases or more (by
    cells, or on the GPU where FAISS has one). Every score is the exact cosine.
    """

    def __init__(self, rows: Sequence[Row], shelves: Shelves, *, made: "_Made", normalize: Normalize) -> None:
        self._rows = tuple(rows)
        self._shelves = shelves
        self._made = made
        self._normalize = normalize
        self._table = PhraseTable(self._rows, normalize)
        self._groups = RowGroups(self._rows)
        self.revision = made.revision
        self.dimension = made.dimension

    @classmethod
    def build(cls, catalog: Catalog, embed: Embed, *, dimension: int, normalize: Normalize = fold) -> "PromptIndex":
        """Builds the index in memory, embedding every sentence."""
        rows = rows_of(catalog.prompts.values())
        vectors = np.empty((len(rows), dimension), dtype=np.float32)
        embed_into(vectors, range(len(rows)), [fill_sample(row) for row in rows], embed)
        made = _Made(None, dimension, catalog.revision, catalog.content_hash)
        return cls(rows, Shelves.of(rows, vectors), made=made, normalize=normalize)

    @classmethod
    def open(
        cls,
        catalog: Catalog,
        embed: Embed,
        *,
        fingerprint: str,
        dimension: int,
        folder: Path,
        previous: "PromptIndex | None" = None,
        normalize: Normalize = fold,
        is_kept: bool = True,
    ) -> "PromptIndex":
        """Builds the index for `catalog`, embedding only sentences that neither `previous` nor `folder` holds.

        `previous`, the index served so far, is used when it is of the same embedder; a large one is shared, not
        copied. Vectors in the folder are kept per text and embedder; a file that is damaged, or of another embedder,
        counts as absent. When the folder cannot be written, the index still serves and a warning is logged
        (`index_snapshot_not_written`): the next start embeds again. One that is not to be kept writes nothing.
        """
        made = _Made(fingerprint, dimension, catalog.revision, catalog.content_hash)
        files = SnapshotFolder(folder)
        if previous is not None and previous.is_of(fingerprint, dimension, normalize):
            return previous._changed(catalog, embed, made, files if is_kept else None)  # noqa: SLF001 - another of its own class
        rows = rows_of(catalog.prompts.values())
        texts = [fill_sample(row) for row in rows]
        digests = digests_of(texts)
        kept = files.newest(fingerprint=fingerprint, dimension=dimension)
        places = np.full(len(rows), -1, dtype=np.int64) if kept is None else kept.find(digests)
        missing = np.flatnonzero(places < 0)
        vectors, cells = take_kept(kept, places, dimension)
        embed_into(vectors, missing.tolist(), [texts[number] for number in missing], embed)
        is_new = kept is None or kept.content_hash != catalog.content_hash
        is_due = is_kept and (kept is None or (is_new and _is_worth_writing(len(rows), len(missing))))
        made = replace(made, unwritten=0 if is_due else len(missing))
        index = cls(rows, Shelves.of(rows, vectors, cells), made=made, normalize=normalize)
        if is_due:
            index._write(files, digests)
        return index

    def __len__(self) -> int:
        return len(self._rows)

    def prompt(self, key: str) -> PromptVersion:
        """Returns the live prompt of that key. Raises `KeyError` when there is none."""
        return self._rows[self._groups.spans[key][0]].prompt

    def row(self, number: int) -> Row:
        """Returns a row by its number."""
        return self._rows[number]

    def phrasings_of(self, key: str) -> tuple[int, ...]:
        """Returns the numbers of a prompt's phrasings; none for a prompt that is not live."""
        start, end = self._groups.spans.get(key, (0, 0))
        return tuple(number for number in range(start, end) if self._rows[number].kind is RowKind.PHRASING)

    def vectors_of(self, numbers: Collection[int] | Numbers) -> Vectors:
        """Returns the vectors of rows by their numbers, (rows, dimension)."""
        return self._shelves.vectors_of(np.fromiter(numbers, dtype=np.int64, count=len(numbers)))

    def exact(self, message: str, areas: Collection[str], *, after: str | None = None) -> tuple[ExactHit, ...]:
        """Returns the phrasings that `message` is word for word, the most literal first.

        Follow-ups count only when their prompt can follow `after`.
        """
        found = self._table.find(message, self._groups.keys_of(areas))
        return tuple(hit for hit in found if _takes_part(hit.row, after))

    def refused_by(self, message: str) -> frozenset[str]:
        """Returns the keys of the prompts that have `message` as a counterexample, word for word."""
        return self._table.refused_by(message)

    def capture(self, prompt: PromptVersion, message: str) -> Mapping[str, str]:
        """Returns what the blanks of the prompt stand for in `message`, if one of its templates fits."""
        return self._table.capture(prompt, message)

    def search(self, vector: Vectors, k: int, areas: Collection[str], *, after: str | None = None) -> tuple[Hit, ...]:
        """Returns the `k` nearest phrasings of `areas`, best first; follow-ups count only after their predecessor.

        Equal ones stand in the order of their numbers. Raises `IndexUnusable` for a vector that is not a finite one
        of length 1 and of the index's dimension.
        """
        (checked,) = check_vectors(vector, 1, self.dimension)
        if k < 1:
            return ()
        following = self._groups.following(areas, after)
        numbers, scores = self._shelves.nearest(checked, k, frozenset(areas), following)
        return self._hits(numbers, scores)

    def nearest_counterexamples(self, vector: Vectors, keys: Iterable[str]) -> dict[str, Hit]:
        """Returns the nearest counterexample of each of the prompts that has one."""
        numbers = self._groups.counterexamples_of(keys)
        if not len(numbers):
            return {}
        (checked,) = check_vectors(vector, 1, self.dimension)
        scores = cosines(self._shelves.vectors_of(numbers), checked)
        order = np.lexsort((numbers, -scores))
        best: dict[str, Hit] = {}
        for hit in self._hits(numbers[order], scores[order]):
            best.setdefault(hit.row.prompt.key, hit)
        return best

    def size_of(self, areas: Collection[str], *, after: str | None = None) -> int:
        """Returns how many sentences of the areas take part in a search."""
        return self._groups.phrasings_in(areas) + len(self._groups.following(areas, after))

    def _hits(self, numbers: Numbers, scores: Vectors) -> tuple[Hit, ...]:
        pairs = zip(numbers.tolist(), np.clip(scores, -1.0, 1.0).tolist(), strict=True)
        return tuple(Hit(self._rows[number], score, number) for number, score in pairs)

    def is_same(self, text: str, other: str) -> bool:
        """Whether two texts are word for word the same, as far as approved phrases are."""
        return self._normalize(text) == self._normalize(other)

    def is_of(self, fingerprint: str, dimension: int, normalize: Normalize) -> bool:
        """Whether its vectors and its texts can serve an index made like that."""
        mine = (self._made.fingerprint, self.dimension, self._normalize)
        return mine == (fingerprint, dimension, normalize)

    def _changed(self, catalog: Catalog, embed: Embed, made: "_Made", files: SnapshotFolder | None) -> "PromptIndex":
        rows: list[Row] = []
        origins: list[Numbers] = []
        for key in sorted(catalog.prompts):
            prompt, (start, end) = catalog.prompts[key], self._groups.spans.get(key, (0, 0))
            before = self._rows[start:end]
            if before and _is_same(before[0].prompt, prompt):
                rows += before
                origins.append(np.arange(start, end, dtype=np.int64))
            else:
                own = rows_of([prompt])
                rows += own
                origins.append(_origin_of(own, before, start))
        origin = np.concatenate([NONE, *origins])
        missing = np.flatnonzero(origin < 0)
        added = np.empty((len(missing), self.dimension), dtype=np.float32)
        embed_into(added, range(len(missing)), [fill_sample(rows[number]) for number in missing], embed)
        shelves = self._shelves.changed(rows, origin, added)
        unwritten = self._made.unwritten + len(missing)
        is_due = made.content_hash != self._made.content_hash and _is_worth_writing(len(rows), unwritten)
        made = replace(made, unwritten=0 if is_due and files is not None else unwritten)
        index = PromptIndex(rows, shelves, made=made, normalize=self._normalize)
        if is_due and files is not None:
            index._write(files, digests_of(map(fill_sample, rows)))
        return index

    def _write(self, files: SnapshotFolder, digests: Digests) -> None:
        if self._made.fingerprint is None:
            raise IndexUnusable("an index of no known embedder cannot be kept. This is a bug.")
        vectors, assigned, centres = self._shelves.to_snapshot()
        fresh = Snapshot(
            fingerprint=self._made.fingerprint,
            dimension=self.dimension,
            revision=self.revision,
            content_hash=self._made.content_hash,
            digests=digests,
            vectors=vectors,
            assigned=assigned,
            centres=centres,
        )
        try:
            files.write(fresh)
        except StoreUnavailable as error:
            _LOG.warning("index_snapshot_not_written: %s", error)


@dataclass(frozen=True, slots=True)
class _Made:
    """What an index was made of."""

    fingerprint: str | None
    """Of the embedder; None for one that is never kept."""
    dimension: int
    revision: int
    content_hash: str
    unwritten: int = 0
    """Sentences whose vectors no file holds."""


def _takes_part(row: Row, after: str | None) -> bool:
    return row.kind is RowKind.PHRASING or (row.kind is RowKind.FOLLOW_UP and after in row.prompt.content.follows)


def _is_same(one: PromptVersion, other: PromptVersion) -> bool:
    return (one.number, one.sha256) == (other.number, other.sha256)


def _origin_of(rows: Sequence[Row], before: Sequence[Row], start: int) -> Numbers:
    """Of each row of a changed prompt: the row that was the same before, each used once; -1 for a new one."""
    known: dict[tuple[str, RowKind, str], list[int]] = {}
    for number, row in enumerate(before, start):
        known.setdefault((row.prompt.content.area, row.kind, fill_sample(row)), []).append(number)
    found = (known.get((row.prompt.content.area, row.kind, fill_sample(row))) for row in rows)
    return np.array([numbers.pop() if numbers else -1 for numbers in found], dtype=np.int64)


def _is_worth_writing(count: int, unwritten: int) -> bool:
    return count <= _ALWAYS_WRITTEN_TO or unwritten > count // _UNWRITTEN_SHARE
