"""Everything that is wrong with a drafted prompt, field by field; reading it as a whole stops at the first."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from store.answer_form import require_form, schema_line
from store.changes.documents import bundle_of
from store.changes.types import Edit, EditKind
from store.content import AnyReply, Assistant, AssistantTexts, CanonicalPrompt, Generate, Handoff, Tolerance, Verbatim
from store.errors import InvalidContent

_REPLIES: Mapping[str, type[Generate | Verbatim | Handoff]] = {
    "generate": Generate,
    "verbatim": Verbatim,
    "handoff": Handoff,
}

_PARTS: Mapping[str, type[AssistantTexts | Tolerance]] = {"texts": AssistantTexts, "match": Tolerance}
"""Of an assistant, the fields that have fields."""


class Fault(StrEnum):
    """Kinds of what can be wrong."""

    MISSING = "missing"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    FORM = "form"
    """It is not written as such a value must be."""
    DATE = "date"
    RULE = "rule"
    """Something else, which `text` says."""


_SIGNS = (
    ("of length >=", Fault.EMPTY),
    ("of length <=", Fault.TOO_LONG),
    ("matching regex", Fault.FORM),
    ("`date`", Fault.DATE),
    ("RFC3339", Fault.DATE),
)
_LINE = re.compile(r"^\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong in one field."""

    field: str
    """Such as `title`, `phrasings` or `reply.facts`; empty for what is about the document as a whole."""
    fault: Fault
    text: str
    """What is wrong, and what to do."""
    line: int | None = None
    """Of a list of texts, which one it is, from 1."""


def prompt_problems(key: str, document: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    """Returns what is wrong with a prompt, empty when it can be published as far as it alone tells."""
    edit = Edit(EditKind.PROMPT, key, document)
    return tuple(_in_fields("", document, CanonicalPrompt)) or _as_a_whole(edit) or _in_form(document)


def assistant_problems(name: str, document: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    """Returns what is wrong with an assistant, as `prompt_problems` does."""
    found = [
        one
        for part, kind in (("", Assistant), *_PARTS.items())
        if isinstance(inside := document.get(part) if part else document, Mapping)
        for one in _in_fields(f"{part}." if part else "", inside, kind)
        if one.field not in _PARTS or one.fault is Fault.MISSING or not isinstance(document[one.field], Mapping)
    ]
    return tuple(found) or _as_a_whole(Edit(EditKind.ASSISTANT, name, document))


def _as_a_whole(edit: Edit) -> tuple[FieldProblem, ...]:
    try:
        bundle_of((edit,))
    except InvalidContent as error:
        return tuple(_problem(line.removeprefix(f"{edit.item}: ")) for line in str(error).splitlines())
    return ()


def _in_form(document: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    """Returns what is wrong with the form that the answers of a prompt should have."""
    prompt = msgspec.convert(document, CanonicalPrompt)
    try:
        require_form(prompt)
    except ValueError as error:
        words = str(error)
        if words.startswith("the fallback"):
            return (FieldProblem("reply.fallback", Fault.RULE, words),)
        schema = document["reply"]["sampling"]["answer_schema"]
        return (FieldProblem("reply.sampling.answer_schema", Fault.RULE, words, schema_line(schema, words)),)
    return ()


def _in_fields(path: str, document: Mapping[str, Any], kind: Any) -> Iterator[FieldProblem]:
    """Reads each field by itself."""
    for field in msgspec.structs.fields(kind):
        is_needed = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
        if field.name not in document:
            if is_needed:
                yield FieldProblem(path + field.name, Fault.MISSING, "It is missing. Add it.")
            continue
        value = document[field.name]
        if field.type == AnyReply and isinstance(value, Mapping):
            if (reply := _REPLIES.get(str(value.get("mode")))) is not None:
                yield from _in_fields(f"{field.name}.", {k: v for k, v in value.items() if k != "mode"}, reply)
            else:
                yield FieldProblem("reply.mode", Fault.MISSING, "Choose how it is answered.")
            continue
        yield from _in_value(path + field.name, field.type, value)


def _in_value(name: str, kind: Any, value: Any) -> Iterator[FieldProblem]:
    wrapper = msgspec.defstruct("Field", [("value", kind)], frozen=True)
    try:
        msgspec.convert({"value": value}, wrapper)
    except msgspec.ValidationError as error:
        text, _, place = str(error).rstrip("`").partition(" - at `$.value")
        line = _LINE.match(place)
        fault = next((fault for sign, fault in _SIGNS if sign in text), Fault.RULE)
        yield FieldProblem(name, fault, f"{text}. Correct it.", int(line[1]) + 1 if line else None)


def _problem(line: str) -> FieldProblem:
    """Reads a line of `bundle_of`: place and text, or a text alone."""
    place, _, text = line.partition(": ")
    if not text or " " in place:
        return FieldProblem("", Fault.RULE, line.removeprefix("the document: "))
    return FieldProblem(place.partition("[")[0], Fault.RULE, text)
