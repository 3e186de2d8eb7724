"""Says in one line what differs between two values of a policy: the part that does, never two beginnings alike."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

import msgspec

_MOST = 6
"""Differences that one line tells; the number of the others is told."""
_WIDTH = 80
"""Characters of a value, about what fits a line of a terminal."""
_AROUND = 16
"""Characters before the first difference, to find it by."""


def differences_in_words(name: str, before: Any, after: Any) -> str:
    """Returns what changes in the value called `name`, both as in the document; None is what is not there."""
    told = list(_differences(name, before, after))
    more = len(told) - _MOST
    return "; ".join([*told[:_MOST], *([f"and {more} more"] if more > 0 else [])])


def shortened(value: Any) -> str:
    """Returns a value as it is written, cut where it is long."""
    return _cut(_written(value))


def _differences(name: str, before: Any, after: Any) -> Iterator[str]:
    match before, after:
        case Mapping(), Mapping():
            for key in dict.fromkeys([*before, *after]):
                inner = f"{name}.{key}"
                if key not in after:
                    yield f"{inner} is taken out: {shortened(before[key])}"
                elif key not in before:
                    yield f"{inner} is added: {shortened(after[key])}"
                elif before[key] != after[key]:
                    yield from _differences(inner, before[key], after[key])
            if before == after:  # names in another order
                yield f"the order of {name} becomes {', '.join(map(str, after))}"
        case ((list() | tuple()), (list() | tuple())):
            yield from _of_lists(name, before, after)
        case _:
            old, new = _where_they_part(_written(before), _written(after))
            yield f"{name} changes from {old} to {new}"


def _of_lists(name: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """Tells entries, counted from 1 as people do, that go, come or change."""
    old, new = [_written(one) for one in before], [_written(one) for one in after]
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        is_changed = end - start == new_end - new_start and isinstance(before[start], Mapping)
        if is_changed:
            for position, other in zip(range(start, end), range(new_start, new_end), strict=True):
                yield from _differences(f"{name}[{position + 1}]", before[position], after[other])
            continue
        yield from (f"{name}[{position + 1}] is taken out: {_cut(old[position])}" for position in range(start, end))
        yield from (f"{name}[{position + 1}] is added: {_cut(new[position])}" for position in range(new_start, new_end))


def _where_they_part(before: str, after: str) -> tuple[str, str]:
    """Returns both, cut so that the first difference is in sight."""
    if max(len(before), len(after)) <= _WIDTH:
        return before, after
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, same - _AROUND)
    return _cut(before, start), _cut(after, start)


def _cut(text: str, start: int = 0) -> str:
    lead = "..." if start else ""
    rest = text[start:]
    room = _WIDTH - len(lead)
    return f"{lead}{rest}" if len(rest) <= room else f"{lead}{rest[: room - 3]}..."


def _written(value: Any) -> str:
    return msgspec.json.encode(value).decode()
