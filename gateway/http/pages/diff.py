"""Differences between two texts or documents, made ready to be shown: field by field, with marked words inside."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from store.changes.differences import FieldDifference, Part, Stretch, differences, word_differences
from store.formats.documents import write_yaml

_MOST_SAME_LINES, _NEAR_LINES = 8, 3
"""Lines of code beside a difference that are shown in full, and those that are left of more."""


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A field that is not the same on both sides; `admin/diff.html` draws it."""

    field: str
    """Such as `reply.facts`; its name for people is the text `document.reply_facts`, where there is one."""
    way: Part
    """ADDED for a field that was not there, REMOVED for one that is gone, SAME for one that has other words."""
    words: tuple[Stretch, ...] = ()
    """One text, in its order."""
    lines: tuple[Stretch, ...] = ()
    """Whole texts of a list, those that are on one side alone."""
    kept_lines: int = 0
    """How many texts of the list are on both sides."""
    is_code: bool = False
    """Whether the text is written for a machine, and its blanks count."""


def shown(found: Iterable[FieldDifference]) -> tuple[ShownDifference, ...]:
    """Returns differences as they are shown."""
    return tuple(_shown(one) for one in found)


def document_difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[ShownDifference, ...]:
    """Returns what differs between two documents; None is a document that is not there."""
    return shown(differences(before, after))


def text_difference(field: str, before: str, after: str, *, is_code: bool = False) -> ShownDifference:
    """Returns what differs between two texts, word by word."""
    return ShownDifference(field, _way(before, after), words=readable(word_differences(before, after)), is_code=is_code)


def readable(words: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Returns stretches in which blanks alone do not part what changed: whole phrases go and come, not word by word."""
    found: list[Stretch] = []
    removed, added, blanks = "", "", ""
    for one in words:
        if one.part is Part.SAME and one.text.isspace() and (removed or added):
            blanks += one.text
        elif one.part is Part.SAME:
            found += _both(removed, added)
            found.append(Stretch(Part.SAME, blanks + one.text))
            removed = added = blanks = ""
        else:
            removed, added, blanks = removed + blanks, added + blanks, ""
            removed += one.text if one.part is Part.REMOVED else ""
            added += one.text if one.part is Part.ADDED else ""
    found += _both(removed, added)
    return (*found, Stretch(Part.SAME, blanks)) if blanks else tuple(found)


def _both(removed: str, added: str) -> list[Stretch]:
    pair = ((Part.REMOVED, removed), (Part.ADDED, added))
    return [Stretch(part, text) for part, text in pair if text]


def _shown(one: FieldDifference) -> ShownDifference:
    way = _way(one.before, one.after)
    if _is_list(one.before) or _is_list(one.after):
        if one.words:
            lines = tuple(stretch for stretch in one.words if stretch.part is not Part.SAME)
            return ShownDifference(one.field, way, lines=lines, kept_lines=len(one.words) - len(lines))
        return _code_difference(one)
    if one.words:
        return ShownDifference(one.field, way, words=readable(one.words))
    if isinstance(one.before, Mapping) or isinstance(one.after, Mapping):
        return _code_difference(one)
    return text_difference(one.field, _plain(one.before), _plain(one.after))


def _code_difference(one: FieldDifference) -> ShownDifference:
    found = text_difference(one.field, _plain(one.before), _plain(one.after), is_code=True)
    return replace(found, words=tuple(map(_shortened, found.words)))


def _shortened(one: Stretch) -> Stretch:
    """Returns a stretch without the middle of many lines that are the same on both sides."""
    lines = one.text.split("\n")
    if one.part is not Part.SAME or len(lines) <= _MOST_SAME_LINES:
        return one
    return Stretch(one.part, "\n".join((*lines[:_NEAR_LINES], "⋮", *lines[-_NEAR_LINES:])))


def _way(before: Any, after: Any) -> Part:
    if before in (None, "", [], {}):
        return Part.ADDED
    return Part.REMOVED if after in (None, "", [], {}) else Part.SAME


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _plain(value: Any) -> str:
    """Returns a value as a text that people can compare."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return write_yaml(dict(value)).strip()
    if _is_list(value):
        return write_yaml({"": list(value)}).partition(":")[2].strip("\n")
    return str(value)
