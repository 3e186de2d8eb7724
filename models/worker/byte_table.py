"""Turns a grammar into a table of states and bytes, so that following it never costs more than a look-up."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelRefused
from models.worker.gbnf import Characters, Choice, Node, Reference, Repeat, Sequence, read_grammar

MAX_PARTS = 20_000
"""Bounds what rules and repetitions grow to when they are written out."""
MAX_STATES = 4096
MAX_WORK = 1_000_000
"""Look-ups while the table is made: half a second at most, once for each grammar."""
MAX_DEPTH = 200
"""Of parts within parts, also by way of rules."""
DEAD = -1

Edge = tuple[int, int, int]
"""The lowest and highest byte, and where it leads."""

TOO_LARGE = (
    "the grammar is too large or too ambiguous when its rules and repetitions are written out. Use smaller counts, and "
    "do not put repetitions of the same characters side by side or inside each other."
)


class ByteTable:
    """States, and where each byte leads from them; state 0 is the beginning. Every state can still be completed."""

    def __init__(self, grammar: str) -> None:
        """Raises `ModelRefused` for what is no grammar, refers to itself, or grows too large."""
        steps = _Steps(read_grammar(grammar))
        rows, ends = _determined(steps)
        table = np.array(rows, dtype=np.int16)
        living = _completable(rows, ends)
        if not living[0]:
            raise ModelRefused("the grammar allows no answer at all")
        self.next: NDArray[np.int16] = np.where((table >= 0) & living[table], table, DEAD)
        self.is_end: NDArray[np.bool_] = ends


class _Steps:
    """The grammar as steps of one byte or none (Thompson, "Regular expression search algorithm", 1968)."""

    def __init__(self, rules: dict[str, Node]) -> None:
        self._rules = rules
        self._inside: list[str] = []
        self._parts = self._depth = 0
        self.free: list[list[int]] = [[]]
        self.edges: list[list[Edge]] = [[]]
        self.end = self._add(Reference("root"), 0)

    def _new(self) -> int:
        self.free.append([])
        self.edges.append([])
        return len(self.free) - 1

    def _add(self, node: Node, start: int) -> int:
        """Adds the steps of a part that begins at a place; returns where it ends."""
        self._count()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ModelRefused(f"the grammar's rules and brackets stand in each other more than {MAX_DEPTH} deep")
        end = self._add_node(node, start)
        self._depth -= 1
        return end

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ModelRefused(TOO_LARGE)

    def _add_node(self, node: Node, start: int) -> int:
        match node:
            case Characters(ranges):
                return self._add_characters(ranges, start)
            case Sequence(parts):
                for part in parts:
                    start = self._add(part, start)
                return start
            case Choice(options):
                ends = [self._add(option, self._after(start)) for option in options]
                return self._joined(ends)
            case Repeat(part, low, high):
                return self._add_repeat(part, low, high, start)
            case Reference(name):
                return self._add_rule(name, start)

    def _add_rule(self, name: str, start: int) -> int:
        if name not in self._rules:
            raise ModelRefused(f"the grammar is not GBNF: there is no rule {name[:32]}")
        if name in self._inside:
            raise ModelRefused(f"the grammar's rule {name[:32]} refers to itself; write a repetition with * or a count")
        self._inside.append(name)
        end = self._add(self._rules[name], start)
        self._inside.pop()
        return end

    def _add_repeat(self, part: Node, low: int, high: int | None, start: int) -> int:
        for _ in range(low):
            start = self._add(part, start)
        if high is None:
            turn = self._after(start)
            self.free[self._add(part, turn)].append(turn)
            return self._after(turn)
        ends = [start]
        for _ in range(high - low):
            ends.append(self._add(part, self._after(ends[-1])))
        return self._joined(ends)

    def _add_characters(self, ranges: tuple[tuple[int, int], ...], start: int) -> int:
        end = self._new()
        # Runs that end alike share their last steps.
        places: dict[tuple[tuple[int, int], ...], int] = {(): end}
        for run in (run for first, last in ranges for run in _byte_runs(first, last)):
            self._count()
            for at in range(len(run) - 1, -1, -1):
                rest, (low, high) = run[at + 1 :], run[at]
                if run[at:] not in places:
                    places[run[at:]] = start if at == 0 else self._new()
                    self.edges[places[run[at:]]].append((low, high, places[rest]))
        return end

    def _after(self, place: int) -> int:
        new = self._new()
        self.free[place].append(new)
        return new

    def _joined(self, ends: list[int]) -> int:
        new = self._new()
        for end in ends:
            self.free[end].append(new)
        return new


def _byte_runs(first: int, last: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yields what characters are as UTF-8: runs of byte ranges, all of whose combinations are meant."""
    for low, high in ((0, 0x7F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)):
        if max(first, low) <= min(last, high):
            yield from _aligned_runs(max(first, low), min(last, high))


def _aligned_runs(first: int, last: int) -> Iterator[tuple[tuple[int, int], ...]]:
    size = len(chr(first).encode())
    for place in range(1, size):
        mask = (1 << (6 * place)) - 1
        if first & ~mask == last & ~mask:
            continue
        # Some leading byte differs: what follows it must be complete on both sides.
        if first & mask:
            yield from _aligned_runs(first, first | mask)
            yield from _aligned_runs((first | mask) + 1, last)
            return
        if last & mask != mask:
            yield from _aligned_runs(first, (last & ~mask) - 1)
            yield from _aligned_runs(last & ~mask, last)
            return
    yield tuple(zip(chr(first).encode(), chr(last).encode(), strict=True))


def _determined(steps: _Steps) -> tuple[list[list[int]], NDArray[np.bool_]]:
    """Returns for each set of places that can be reached together where each byte leads, and which sets may end."""
    work = [0]
    numbers: dict[frozenset[int], int] = {}
    todo: list[frozenset[int]] = []

    def number(places: frozenset[int]) -> int:
        if places not in numbers:
            numbers[places] = len(numbers)
            todo.append(places)
        return numbers[places]

    number(_closed(steps, {0}, work))
    rows: list[list[int]] = []
    while len(rows) < len(todo):
        if len(todo) > MAX_STATES:
            raise ModelRefused(TOO_LARGE)
        edges = [edge for place in todo[len(rows)] for edge in steps.edges[place]]
        row = [DEAD] * 256
        cuts = sorted({cut for low, high, _ in edges for cut in (low, high + 1)})
        for low, end in pairwise(cuts):
            work[0] += len(edges)
            targets = {target for first, last, target in edges if first <= low <= last}
            if targets:
                row[low:end] = [number(_closed(steps, targets, work))] * (end - low)
        rows.append(row)
    return rows, np.array([steps.end in places for places in todo])


def _closed(steps: _Steps, places: set[int], work: list[int]) -> frozenset[int]:
    """Returns the places and all that can be reached from them without a byte."""
    found, todo = set(places), list(places)
    while todo:
        work[0] += 1
        for place in steps.free[todo.pop()]:
            if place not in found:
                found.add(place)
                todo.append(place)
    if work[0] > MAX_WORK:
        raise ModelRefused(TOO_LARGE)
    return frozenset(found)


def _completable(rows: list[list[int]], ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which states can still become a whole answer."""
    before: list[set[int]] = [set() for _ in rows]
    for state, row in enumerate(rows):
        for target in set(row) - {DEAD}:
            before[target].add(state)
    living = ends.copy()
    todo = [int(state) for state in np.flatnonzero(ends)]
    while todo:
        for state in before[todo.pop()]:
            if not living[state]:
                living[state] = True
                todo.append(state)
    return living
