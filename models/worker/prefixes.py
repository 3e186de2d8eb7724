"""Beginnings of approved prompts that stay in the KV cache: which, how many cells they take, which goes first."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

PrefixKey = tuple[str, tuple[int, ...]]
"""Whose prefix it is, and its tokens."""


@dataclass(slots=True, eq=False)
class Prefix:
    """One kept beginning: its cells belong to a sequence of its own, from which others are copied."""

    key: PrefixKey
    sequence: int
    parent: "Prefix | None"
    last_use: int
    holders: int = 0
    """Requests and longer prefixes that rely on its cells; while there are any, it stays."""

    @property
    def length(self) -> int:
        """How many tokens it has."""
        return len(self.key[1])

    @property
    def cells(self) -> int:
        """Cells that are its own; those of its parent are counted there."""
        return self.length - (self.parent.length if self.parent else 0)

    @property
    def line(self) -> Iterator["Prefix"]:
        """Yields it and the shorter ones that it goes on from."""
        prefix: Prefix | None = self
        while prefix is not None:
            yield prefix
            prefix = prefix.parent


class Prefixes:
    """The kept prefixes of a worker; the least recently used goes first. Used from one thread.

    Those that a request relies on stay: their cells are that request's own. Those that nobody uses now are kept within
    `most_idle_cells`, because every step passes over them.
    """

    def __init__(self, sequences: Iterable[int], most_idle_cells: int, forget: Callable[[int], None]) -> None:
        self._free = list(sequences)
        self._most_idle_cells = most_idle_cells
        self._forget = forget
        self._kept: dict[PrefixKey, Prefix] = {}
        self._clock = itertools.count()
        self.cells = 0
        """Cells that all of them take."""

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: PrefixKey) -> bool:
        return key in self._kept

    def has_room(self, cells: int) -> bool:
        """Whether one more is kept without dropping another."""
        return bool(self._free) and self._idle_cells + cells <= self._most_idle_cells

    @property
    def _idle_cells(self) -> int:
        return sum(prefix.cells for prefix in self._kept.values() if not prefix.holders)

    def longest(self, keys: Iterable[PrefixKey]) -> Prefix | None:
        """Returns the longest kept one of these and notes its use."""
        found = max((self._kept[key] for key in keys if key in self._kept), key=lambda one: one.length, default=None)
        if found is not None:
            found.last_use = next(self._clock)
        return found

    def keep(self, key: PrefixKey, parent: Prefix | None) -> Prefix | None:
        """Returns a new prefix, whose sequence is still empty; None when there is no room for it."""
        prefix = Prefix(key, -1, parent, next(self._clock))
        self.hold(parent)  # it may not make room for its own child
        if not self._free and not self.drop_one():
            self.release(parent)
            return None
        prefix.sequence = self._free.pop()
        self._kept[key] = prefix
        self.cells += prefix.cells
        return prefix

    def drop_one(self) -> bool:
        """Drops the least recently used one that nothing relies on; returns False when there is none."""
        unused = (prefix for prefix in self._kept.values() if not prefix.holders)
        oldest = min(unused, key=lambda prefix: prefix.last_use, default=None)
        if oldest is None:
            return False
        self.drop(oldest)
        return True

    def drop(self, prefix: Prefix) -> None:
        """Drops one that nothing relies on."""
        del self._kept[prefix.key]
        self.cells -= prefix.cells
        self._free.append(prefix.sequence)
        self._forget(prefix.sequence)
        self.release(prefix.parent)

    def hold(self, prefix: Prefix | None) -> None:
        """Notes one more that relies on it."""
        if prefix is not None:
            prefix.holders += 1

    def release(self, prefix: Prefix | None) -> None:
        """Notes one less; when there is none left, the longest unused ones make room."""
        if prefix is None:
            return
        prefix.holders -= 1
        while self._idle_cells > self._most_idle_cells and self.drop_one():
            pass
