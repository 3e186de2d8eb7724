"""The fields of a prompt's blanks: each has a name, a type and what belongs to that type."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.http.pages.forms import Form

TYPES: Final = ("enum", "integer", "date", "pattern", "short_text", "quoted_text")
_EMPTY = 1
"""Fields for blanks that are not there yet; saving gives more."""
_MOST = 30
_FACT, _NEXT = " => ", "; "


def slot_fields(slots: Sequence[Any]) -> dict[str, str]:
    """Returns the values of all fields, those for one more blank included."""
    fields = {"slot_count": str(min(len(slots), _MOST) + _EMPTY)}
    known = [one if isinstance(one, Mapping) else {} for one in slots[:_MOST]]
    for number, slot in enumerate([*known, *[{}] * _EMPTY]):
        for name in ("name", "type", "ask", "minimum", "maximum", "pattern"):
            value = slot.get(name)
            fields[f"slot_{number}_{name}"] = "" if value is None else str(value)
        fields[f"slot_{number}_was"] = str(slot.get("name", ""))
        values = slot.get("values", [])
        fields[f"slot_{number}_values"] = written(values)
        fields[f"slot_{number}_kept"] = "" if can_be_lines(values) else "1"
    return fields


def read_slots(form: Form, base: Sequence[Any]) -> list[Any]:
    """Returns the blanks that were typed; one without a name is taken out. What has no field stays as in `base`."""
    there = {one.get("name"): one for one in base if isinstance(one, Mapping)}
    count = form.text("slot_count")
    if not (count.isascii() and count.isdigit()):
        return list(base)
    named = [one for one in range(min(int(count), _MOST + _EMPTY)) if form.text(f"slot_{one}_name")]
    slots = [_slot(form, f"slot_{one}_", there.get(form.text(f"slot_{one}_was"), {})) for one in named]
    return [*slots, *base[_MOST:]]


def written(values: Any) -> str:
    """Returns the values of a choice, a line each, such as `Leeds; Leeds office => Its fact`."""
    if not can_be_lines(values):
        return "\n".join(str(one.get("value", "")) if isinstance(one, Mapping) else str(one) for one in _list(values))
    return "\n".join(_line(one) for one in values)


def can_be_lines(values: Any) -> bool:
    """Whether the values come back from their lines as they were; others are kept, and shown alone."""
    if not isinstance(values, list | tuple) or not all(isinstance(one, Mapping) for one in values):
        return False
    return [dict(one) for one in values] == [_value(line) for line in map(_line, values)]


def _slot(form: Form, prefix: str, was: Mapping[str, Any]) -> dict[str, Any]:
    kind = form.text(prefix + "type")
    slot = dict(was) if was.get("type") == kind else {}
    slot |= {"type": kind, "name": form.text(prefix + "name"), "ask": form.text(prefix + "ask")}
    if kind == "enum" and can_be_lines(slot.get("values", [])):
        slot["values"] = [_value(line.strip()) for line in form.text(prefix + "values").split("\n") if line.strip()]
    if kind == "integer":
        for name in ("minimum", "maximum"):
            text = form.text(prefix + name)
            try:
                slot[name] = int(text)
            except ValueError:
                slot[name] = text
    if kind == "pattern":
        slot["pattern"] = form.text(prefix + "pattern")
    return slot


def _line(value: Mapping[str, Any]) -> str:
    spellings = _NEXT.join([str(value.get("value", "")), *map(str, _list(value.get("also")))])
    fact = str(value.get("fact", "")).strip()
    return f"{spellings}{_FACT}{fact}" if fact else spellings


def _value(line: str) -> dict[str, Any]:
    spellings, _, fact = line.partition(_FACT)
    value, *also = [one.strip() for one in spellings.split(";") if one.strip()] or [""]
    found: dict[str, Any] = {"value": value}
    if also:
        found["also"] = also
    if fact.strip():
        found["fact"] = fact.strip()
    return found


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
