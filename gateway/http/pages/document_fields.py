"""Reads fields of a form into a document and back: what has no field stays, and nothing that was typed is lost."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.http.pages.forms import Form, Said
from gateway.http.pages.reasons import reason_of
from gateway.http.pages.texts import Texts
from store.changes.problems import Fault, FieldProblem


def lines_of(text: str) -> list[str]:
    """Returns the lines that say something, without blanks around them."""
    return [line for line in map(str.strip, text.split("\n")) if line]


def number_of(text: str, kind: type[int] | type[float] | type[str]) -> int | float | str:
    """Returns a number; what is none stays as it was typed, and is told as wrong."""
    try:
        return kind(text) if text.isascii() else text
    except ValueError:
        return text


def put(into: dict[str, Any], name: str, value: Any, default: str | None = None) -> None:
    """Puts a value down; an empty one takes the field out, so that its default counts or its lack is told.

    The default that a form shows where nothing is written is not written down by sending it.
    """
    before = into.get(name)
    if value in ("", [], {}):
        into.pop(name, None)
    elif before is None and default is not None and str(value) == default:
        return
    elif not (isinstance(value, str) and isinstance(before, str) and before.strip() == value):
        into[name] = value  # a text that differs in nothing but blanks at its ends stays as it is


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Returns what is a mapping; anything else has no fields."""
    return value if isinstance(value, Mapping) else {}


def sequence_of(value: Any) -> list[Any]:
    """Returns what is a list; anything else has no entries."""
    return list(value) if isinstance(value, list | tuple) else []


def text_of(value: Any) -> str:
    """Returns a value as a field shows it."""
    return "" if value is None else str(value)


def marked(form: Form, problems: tuple[FieldProblem, ...], texts: Texts, field_of: Callable[[str], str]) -> Form:
    """Returns the form with every problem at its field; the first of a field counts."""
    for one in problems:
        name = field_of(one.field)
        if name not in form.errors:
            form = form.wrong(name, _said(one, texts), status=form.status)
    return form


def _said(one: FieldProblem, texts: Texts) -> Said:
    said = reason_of(texts, one.text) if one.fault is Fault.RULE else Said(texts(f"prompts.fault_{one.fault.value}"))
    if one.line is None:
        return said
    return replace(said, text=texts("prompts.in_line", number=one.line, words=said.text))
