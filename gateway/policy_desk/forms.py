"""A policy as a form, and back: what a form does not show stays in the document as it was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.policy_desk.fields import FieldKind, FieldSpec, fields_of, is_plain
from gateway.policy_desk.reading import written
from rails.definition import RAIL_FIELD, OnFail
from rails.registry import SHIPPED_RAILS
from rails.types import Stage

_MONITOR, _ON_FAIL = "monitor", "on_fail"
Typed = Mapping[str, tuple[str, ...]]
"""Field names to what was typed there; `input.length.max_chars` is a parameter, `refusal.en.default` a text."""


class Mistake(StrEnum):
    """What is wrong with a field."""

    NO_NUMBER = "no_number"
    NOT_WHOLE = "not_whole"
    OUT_OF_BOUNDS = "out_of_bounds"
    MISSING = "missing"


class FieldsWrong(Exception):
    """Some fields hold what cannot be."""

    def __init__(self, mistakes: Mapping[str, tuple[Mistake, FieldSpec | None]]) -> None:
        super().__init__(", ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class RailFields:
    """One rail on a form."""

    stage: Stage
    name: str
    place: int
    """Counted from 1."""
    fields: tuple[FieldSpec, ...]
    ways: tuple[OnFail, ...]
    """What may become of a text that it stops."""
    fixed: Mapping[str, str]
    """Parameters that only the text can change, as they are written."""

    def field(self, name: str) -> str:
        """Returns the name of a field of this rail."""
        return f"{self.stage.value}.{self.name}.{name}"


@dataclass(frozen=True, slots=True)
class StageFields:
    """A stage on a form."""

    stage: Stage
    rails: tuple[RailFields, ...]
    addable: tuple[str, ...]
    """Rails that need nothing but their name."""


def stages_of(document: Mapping[str, Any]) -> tuple[StageFields, ...]:
    """Returns the fields for a policy that is in order."""
    return tuple(_stage(stage, document) for stage in Stage)


def typed_of(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Returns what stands in each field at first."""
    typed: dict[str, tuple[str, ...]] = {}
    for stage in Stage:
        for place, entry in enumerate(document[stage.value], 1):
            name = f"{stage.value}.{entry[RAIL_FIELD]}"
            typed[f"{name}.place"] = (str(place),)
            typed[f"{name}.{_ON_FAIL}"] = (str(entry.get(_ON_FAIL, OnFail.BLOCK.value)),)
            typed[f"{name}.{_MONITOR}"] = ("1",) if entry.get(_MONITOR) else ()
            for field in fields_of(entry[RAIL_FIELD]):
                typed[f"{name}.{field.name}"] = _typed(field, entry)
    for language, texts in document["refusals"].items():
        typed |= {f"refusal.{language}.{name}": (text,) for name, text in texts.items()}
    return typed


def document_of(base: Mapping[str, Any], typed: Typed) -> dict[str, Any]:
    """Returns the policy with what was typed. Raises `FieldsWrong`."""
    mistakes: dict[str, tuple[Mistake, FieldSpec | None]] = {}
    document = dict(base)
    for stage in Stage:
        document[stage.value] = list(_entries(stage, base[stage.value], typed, mistakes))
    document["refusals"] = {
        language: {name: _said(f"refusal.{language}.{name}", text, typed) for name, text in texts.items()}
        for language, texts in base["refusals"].items()
    }
    if mistakes:
        raise FieldsWrong(mistakes)
    gone = {entry[RAIL_FIELD] for stage in Stage for entry in base[stage.value]} - {
        entry[RAIL_FIELD] for stage in Stage for entry in document[stage.value]
    }
    for texts in document["refusals"].values():
        for name in gone & texts.keys():  # nobody would ever read it, and the lint says so
            del texts[name]
    if gone_tests := tests_gone(base, document):
        document["tests"] = [case for case in base["tests"] if case not in gone_tests]
    return document


def tests_gone(base: Mapping[str, Any], document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns the policy's own tests that want to be stopped by a rail that a draft takes out: none could be passed."""
    gone = {
        stage.value: {one[RAIL_FIELD] for one in base[stage.value]} - {one[RAIL_FIELD] for one in document[stage.value]}
        for stage in Stage
    }
    return [case for case in base.get("tests") or () if case.get("by") in gone[case["stage"]]]


def _stage(stage: Stage, document: Mapping[str, Any]) -> StageFields:
    used = [entry[RAIL_FIELD] for entry in document[stage.value]]
    rails = tuple(_rail(stage, place, entry) for place, entry in enumerate(document[stage.value], 1))
    addable = tuple(
        name for name, one in SHIPPED_RAILS.items() if stage in one.stages and name not in used and is_plain(name)
    )
    return StageFields(stage, rails, addable)


def _rail(stage: Stage, place: int, entry: Mapping[str, Any]) -> RailFields:
    name = entry[RAIL_FIELD]
    ways = [OnFail.BLOCK]
    if SHIPPED_RAILS[name].may_rewrite:
        ways.append(OnFail.TRANSFORM)
    if stage is Stage.INPUT:
        ways.append(OnFail.CLARIFY)
    fields = fields_of(name)
    fixed = {
        one.name: written(entry.get(one.name, one.default))
        for one in fields
        if one.kind is FieldKind.CODE and entry.get(one.name, one.default)
    }
    shown = tuple(one for one in fields if one.kind is not FieldKind.CODE)
    return RailFields(stage, name, place, shown, tuple(ways), fixed)


def _typed(field: FieldSpec, entry: Mapping[str, Any]) -> tuple[str, ...]:
    if field.kind is FieldKind.CHOICES:
        return tuple(entry.get(field.name, field.default))
    if field.name not in entry or entry[field.name] is None:
        return ("",)
    value = entry[field.name]
    match field.kind:
        case FieldKind.FLAG:
            return ("true" if value else "false",)
        case FieldKind.LINES:
            return ("\n".join(value),)
        case _:
            return (str(value),)


def _entries(
    stage: Stage,
    base: list[Mapping[str, Any]],
    typed: Typed,
    mistakes: dict[str, tuple[Mistake, FieldSpec | None]],
) -> Iterator[dict[str, Any]]:
    kept: list[tuple[int, int, dict[str, Any]]] = []
    for position, entry in enumerate(base, 1):
        name = f"{stage.value}.{entry[RAIL_FIELD]}"
        if f"{name}.place" not in typed:
            kept.append((position * 2, position, dict(entry)))  # the form did not know it
            continue
        if _text(typed, f"{name}.gone"):
            continue
        kept.append(
            (_place(typed, f"{name}.place", position, mistakes), position, _entry(name, entry, typed, mistakes))
        )
    for _, _, entry in sorted(kept, key=lambda one: one[:2]):
        yield entry
    added = _text(typed, f"{stage.value}.add")
    if added in SHIPPED_RAILS:
        yield {RAIL_FIELD: added}


def _place(typed: Typed, name: str, now: int, mistakes: dict[str, tuple[Mistake, FieldSpec | None]]) -> int:
    text = _text(typed, name)
    if text.isascii() and text.isdigit() and len(text) < 4:  # noqa: PLR2004 - more rails than there are
        # Whoever moves a rail to a place wants it before the one that is there, from behind, or behind it, from before.
        wanted = int(text)
        return wanted * 2 + (0 if wanted == now else 1 if wanted > now else -1)
    mistakes[name] = (Mistake.NOT_WHOLE, None)
    return now * 2


def _entry(
    name: str, entry: Mapping[str, Any], typed: Typed, mistakes: dict[str, tuple[Mistake, FieldSpec | None]]
) -> dict[str, Any]:
    made = dict(entry)
    way = _text(typed, f"{name}.{_ON_FAIL}") or OnFail.BLOCK.value
    _put(made, _ON_FAIL, way, is_default=way == OnFail.BLOCK.value)
    watches = bool(_text(typed, f"{name}.{_MONITOR}"))
    _put(made, _MONITOR, watches, is_default=not watches)
    for field in fields_of(entry[RAIL_FIELD]):
        place = f"{name}.{field.name}"
        if field.kind is FieldKind.CODE:
            continue
        try:
            value = _value(field, typed.get(place, ()))
        except _Wrong as error:
            mistakes[place] = (error.mistake, field)
            continue
        is_default = value is None or (not field.is_required and value == _plain(field.default))
        _put(made, field.name, value, is_default=is_default)
    return made


class _Wrong(Exception):
    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake)
        self.mistake = mistake


def _value(field: FieldSpec, typed: tuple[str, ...]) -> Any:
    """Returns what was typed as the policy has it; None for the default."""
    text = typed[-1].strip() if typed else ""
    if field.kind is FieldKind.CHOICES:
        return [one for one in field.choices if one in typed]
    if not text:
        if field.is_required:
            raise _Wrong(Mistake.MISSING)
        return None
    match field.kind:
        case FieldKind.LINES:
            return [line.strip() for line in text.split("\n") if line.strip()]
        case FieldKind.FLAG:
            return text == "true"
        case FieldKind.WHOLE | FieldKind.NUMBER:
            return _number(field, text)
        case _:
            return text


def _number(field: FieldSpec, text: str) -> float:
    try:
        value = int(text) if field.kind is FieldKind.WHOLE else float(text)
    except ValueError as error:
        raise _Wrong(Mistake.NOT_WHOLE if field.kind is FieldKind.WHOLE else Mistake.NO_NUMBER) from error
    if not field.holds(value) or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
        raise _Wrong(Mistake.OUT_OF_BOUNDS)
    return value


def _put(entry: dict[str, Any], name: str, value: Any, *, is_default: bool) -> None:
    """Writes a value; what is the default and was not written stays unwritten."""
    if not is_default:
        entry[name] = value
    elif name in entry and entry[name] != value:
        del entry[name]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(typed: Typed, name: str) -> str:
    found = typed.get(name)
    return found[-1].strip() if found else ""


def _said(name: str, before: str, typed: Typed) -> str:
    """Returns a refusal as it was typed. One that was left as it is stays so, with its last line break."""
    found = typed.get(name)
    if not found or found[-1].strip() == before.strip():
        return before
    return found[-1].strip()
