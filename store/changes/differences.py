"""What differs between two documents, field by field, and word by word inside texts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

_WORDS = re.compile(r"\s+|[^\s\w]|\w+")
_LINES = re.compile(r"\n[^\n]*|[^\n]+")
_MOST_WORDS = 4_000
"""Beyond, a text is told line by line, and one of more lines as a whole: comparing takes the square of them."""


class Part(StrEnum):
    """What became of a stretch of text."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some words, and what became of them."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field that is not the same on both sides."""

    field: str
    """Such as `reply.facts` or `phrasings`; empty for a document that is new or gone as a whole."""
    before: Any
    """None for what was not there."""
    after: Any
    words: tuple[Stretch, ...] = ()
    """Of two texts: everything in its order. Of two lists of texts: one text after the other."""


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[FieldDifference, ...]:
    """Returns what differs, in the order of the newer document; of a new or removed one, every field."""
    return tuple(_in_fields("", before or {}, after or {}))


def word_differences(before: str, after: str) -> tuple[Stretch, ...]:
    """Returns both texts as one sequence of stretches; what is kept and removed makes `before`, the rest `after`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        old, new = _LINES.findall(before), _LINES.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return _joined([Stretch(Part.REMOVED, before), Stretch(Part.ADDED, after)])
    stretches: list[Stretch] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            stretches.append(Stretch(Part.SAME, "".join(old[a:b])))
        else:
            stretches += [Stretch(Part.REMOVED, "".join(old[a:b])), Stretch(Part.ADDED, "".join(new[c:d]))]
    return _joined(stretches)


def _joined(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    return tuple(one for one in stretches if one.text)


def _in_fields(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldDifference]:
    for name in (*after, *(one for one in before if one not in after)):
        yield from _in_value(f"{path}{name}", before.get(name), after.get(name))


def _in_value(field: str, before: Any, after: Any) -> Iterator[FieldDifference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _in_fields(f"{field}.", before, after)
    elif isinstance(before, str) and isinstance(after, str):
        yield FieldDifference(field, before, after, word_differences(before, after))
    elif _is_texts(before) and _is_texts(after) and (before or after):
        yield FieldDifference(field, before, after, tuple(_in_texts(before or [], after or [])))
    else:
        yield FieldDifference(field, before, after)


def _is_texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _in_texts(before: list[str], after: list[str]) -> Iterator[Stretch]:
    """Gives whole texts as stretches: a phrasing was added, taken out, or is the same."""
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (Stretch(Part.SAME, text) for text in before[a:b])
        else:
            yield from (Stretch(Part.REMOVED, text) for text in before[a:b])
            yield from (Stretch(Part.ADDED, text) for text in after[c:d])
