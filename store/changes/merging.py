"""Three-way merge of documents: what only one side changed is taken, what both changed differently is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field that both sides changed, each in its own way."""

    field: str
    """Such as `reply.facts`; empty for the document as a whole, which one side removed."""
    base: Any
    """None for what was not there."""
    live: Any
    draft: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a merge."""

    document: Mapping[str, Any] | None
    """With the draft's side of every conflict; None removes."""
    conflicts: tuple[FieldConflict, ...]


class _Absent:
    """Stands for a field that is not there, which differs from one that says None."""


_ABSENT = _Absent()


def merge(base: Mapping[str, Any] | None, live: Mapping[str, Any] | None, draft: Mapping[str, Any] | None) -> Merged:
    """Merges two documents that came of one. A list of different texts is merged text by text."""
    if live in (base, draft):
        return Merged(draft, ())
    if draft == base:
        return Merged(live, ())
    if live is None or draft is None:
        return Merged(draft, (FieldConflict("", base, live, draft),))
    conflicts: list[FieldConflict] = []
    merged = _merge_fields("", base or {}, live, draft, conflicts)
    return Merged(merged, tuple(conflicts))


def _merge_fields(
    path: str, base: Mapping[str, Any], live: Mapping[str, Any], draft: Mapping[str, Any], out: list[FieldConflict]
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in (*live, *(one for one in draft if one not in live)):
        value = _merge_value(
            f"{path}{name}", base.get(name, _ABSENT), live.get(name, _ABSENT), draft.get(name, _ABSENT), out
        )
        if value is not _ABSENT:
            merged[name] = value
    return merged


def _merge_value(path: str, base: Any, live: Any, draft: Any, out: list[FieldConflict]) -> Any:
    if live in (base, draft):
        return draft
    if draft == base:
        return live
    if isinstance(live, Mapping) and isinstance(draft, Mapping) and _are_of_one_form(live, draft):
        return _merge_fields(f"{path}.", base if isinstance(base, Mapping) else {}, live, draft, out)
    if all(_is_set_of_texts(one) for one in (base, live, draft)) and (texts := [*_merge_texts(base, live, draft)]):
        return texts
    out.append(FieldConflict(path, *(None if one is _ABSENT else one for one in (base, live, draft))))
    return draft


def _are_of_one_form(live: Mapping[str, Any], draft: Mapping[str, Any]) -> bool:
    """Whether both are the same kind of thing: fields of two modes of a reply do not mix."""
    return all(live.get(tag) == draft.get(tag) for tag in ("mode", "type", "rail"))


def _is_set_of_texts(value: Any) -> bool:
    if value is _ABSENT:
        return True
    is_texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return is_texts and len(set(value)) == len(value)


def _merge_texts(base: Any, live: Any, draft: Any) -> Iterator[str]:
    """Gives the live texts without those that the draft took out, then those that it brought."""
    before, now, new = ([] if one is _ABSENT else one for one in (base, live, draft))
    gone = set(before) - set(new)
    yield from (text for text in now if text not in gone)
    yield from (text for text in new if text not in before and text not in now)
