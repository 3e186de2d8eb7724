"""The form of an assistant: its fields, and the document that comes of what was typed."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.http.pages.forms import Form, Said
from gateway.http.pages.prompt_forms import lines_of
from gateway.http.pages.texts import Texts
from store.changes.problems import Fault, FieldProblem

LINES: Final = ("title", "policy", "keeps_text")
TEXTS: Final = ("greeting", "instructions")
WORDS: Final = ("areas", "languages")
"""Several words in one field, with blanks or commas between them."""
LISTS: Final = ("suggestions", "allowed_origins")
"""One in each line."""
SAID: Final = ("no_match", "clarify", "withheld", "language")
"""What it says when it does not answer; fields are `says_<name>`."""
_DEFAULTS: Final = {"keeps_text": "off", "retention_days": "365", "false_match_rate": "0.01"}


def form_of(document: Mapping[str, Any]) -> Form:
    """Returns the form as it stands for a document."""
    said, match = _mapping(document.get("texts")), _mapping(document.get("match"))
    values = {name: _text(document.get(name)) for name in ("name", *LINES, *TEXTS, "retention_days")}
    values |= {name: " ".join(map(_text, _sequence(document.get(name)))) for name in WORDS}
    values |= {name: "\n".join(map(_text, _sequence(document.get(name)))) for name in LISTS}
    values |= {f"says_{name}": _text(said.get(name)) for name in SAID}
    values |= {name: _text(match.get(name)) for name in ("false_match_rate", "near_misses")}
    values |= {name: value for name, value in _DEFAULTS.items() if not values[name]}
    return Form({name: (value,) for name, value in values.items()})


def document_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document that the form makes of `base`: what has no field stays as it is there.

    It may be incomplete, or wrong; nothing that was typed is lost.
    """
    document = dict(base)
    for name in (*LINES, *TEXTS):
        _put(document, name, form.text(name))
    for name in WORDS:
        _put(document, name, form.text(name).replace(",", " ").split())
    for name in LISTS:
        _put(document, name, lines_of(form.text(name)))
    _put(document, "retention_days", _number(form.text("retention_days"), int))
    said, match = dict(_mapping(base.get("texts"))), dict(_mapping(base.get("match")))
    for name in SAID:
        _put(said, name, form.text(f"says_{name}"))
    for name in ("false_match_rate", "near_misses"):
        _put(match, name, _number(form.text(name), float))
    document["texts"] = said
    _put(document, "match", match)
    document["name"] = _text(base.get("name")) or form.text("name")
    return document


def marked(form: Form, problems: tuple[FieldProblem, ...], texts: Texts) -> Form:
    """Returns the form with every problem at its field; the first of a field counts."""
    for one in problems:
        name = field_of(one.field)
        if name not in form.errors:
            form = form.wrong(name, _said(one, texts), status=form.status)
    return form


def field_of(place: str) -> str:
    """Returns the field of the form for a place in a document; empty where there is none."""
    part, _, inside = place.partition(".")
    if part == "texts":
        return f"says_{inside or SAID[0]}"
    return (inside or "false_match_rate") if part == "match" else part


def _said(one: FieldProblem, texts: Texts) -> Said:
    if one.fault is Fault.RULE:
        return Said(one.text, is_english=texts.language != "en")
    words = texts(f"prompts.fault_{one.fault.value}")
    return Said(words if one.line is None else texts("prompts.in_line", number=one.line, words=words))


def _number(text: str, kind: type[int] | type[float]) -> int | float | str:
    """Returns a number; what is none stays as it was typed, and is told as wrong."""
    try:
        return kind(text) if text.isascii() else text
    except ValueError:
        return text


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    """Puts a value down; an empty one takes the field out, so that its default counts or its lack is told."""
    before = into.get(name)
    if value in ("", [], {}):
        into.pop(name, None)
    elif before is None and str(value) == _DEFAULTS.get(name):
        return
    elif not (isinstance(value, str) and isinstance(before, str) and before.strip() == value):
        into[name] = value  # a text that differs in nothing but blanks at its ends stays as it is


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)
