"""The form of a prompt: what of a document has a field, and the document that comes of what was typed."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.http.pages.forms import Form, Said
from gateway.http.pages.slot_forms import read_slots, slot_fields
from gateway.http.pages.texts import Texts
from store.changes.problems import Fault, FieldProblem

MODES: Final = ("generate", "verbatim", "handoff")
LINES: Final = ("title", "owner", "language", "audience", "review_by")
LISTS: Final = ("phrasings", "counterexamples", "follow_ups", "follows")
"""One text in each line of their field."""
TEXTS: Final = {"generate": ("prompt", "facts", "fallback"), "verbatim": ("answer",), "handoff": ("answer",)}
CONTACT: Final = ("name", "email", "phone", "url", "hours")
SAMPLING: Final = {"max_tokens": int, "temperature": float, "answer_schema": str}
_OF_REPLY: Final = frozenset({"mode", "prompt", "facts", "fallback", "answer", "cache"})


def form_of(document: Mapping[str, Any]) -> Form:
    """Returns the form as it stands for a document."""
    reply = _mapping(document.get("reply"))
    contact, sampling = _mapping(reply.get("contact")), _mapping(reply.get("sampling"))
    values = {name: _text(document.get(name)) for name in ("key", *LINES)}
    values |= {name: "\n".join(map(_text, _sequence(document.get(name)))) for name in LISTS}
    values |= {name: _text(reply.get(name)) for name in ("prompt", "facts", "fallback", "answer", "cache")}
    values |= {f"contact_{name}": _text(contact.get(name)) for name in CONTACT}
    values |= {name: _text(sampling.get(name)) for name in SAMPLING}
    values["mode"] = _text(reply.get("mode")) or "generate"
    values |= slot_fields(_sequence(document.get("slots")))
    return Form({name: (value,) for name, value in values.items()})


def document_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document that the form makes of `base`: what has no field stays as it is there.

    It may be incomplete, or wrong; nothing that was typed is lost but the texts of another way to answer.
    """
    document = dict(base)
    for name in LINES:
        _put(document, name, form.text(name))
    for name in LISTS:
        _put(document, name, lines_of(form.text(name)))
    key = form.text("key") or _text(base.get("key"))
    document |= {"key": key, "area": key.partition(".")[0], "reply": _reply(form, _mapping(base.get("reply")))}
    _put(document, "slots", read_slots(form, _sequence(base.get("slots"))))
    for name in ("title", "phrasings"):
        document.setdefault(name, "" if name == "title" else [])
    return document


def lines_of(text: str) -> list[str]:
    """Returns the lines that say something, without blanks around them."""
    return [line for line in map(str.strip, text.split("\n")) if line]


def marked(form: Form, problems: tuple[FieldProblem, ...], texts: Texts) -> Form:
    """Returns the form with every problem at its field; the first of a field counts."""
    for one in problems:
        name = field_of(one.field)
        if name not in form.errors:
            form = form.wrong(name, _said(one, texts), status=form.status)
    return form


def field_of(place: str) -> str:
    """Returns the field of the form for a place in a document; empty where there is none."""
    parts = place.split(".")
    if parts[0] != "reply":
        return "key" if parts[0] == "area" else parts[0]
    name = parts[1] if len(parts) > 1 else "mode"
    if name == "contact":
        return f"contact_{parts[2] if len(parts) > 2 else 'name'}"  # noqa: PLR2004 -- the field inside
    if name == "sampling":
        return parts[2] if len(parts) > 2 and parts[2] in SAMPLING else "max_tokens"  # noqa: PLR2004 -- as above
    return name if name in _OF_REPLY else ""


def _said(one: FieldProblem, texts: Texts) -> Said:
    is_rule = one.fault is Fault.RULE
    words = one.text if is_rule else texts(f"prompts.fault_{one.fault.value}")
    told = words if one.line is None else texts("prompts.in_line", number=one.line, words=words)
    return Said(told, is_english=is_rule and texts.language != "en")


def _reply(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    mode = form.text("mode")
    reply = dict(base) if base.get("mode") == mode else {}
    reply["mode"] = mode
    for name in TEXTS.get(mode, ()):
        _put(reply, name, form.text(name))
    if mode == "handoff":
        contact = dict(_mapping(reply.get("contact")))
        for name in CONTACT:
            _put(contact, name, form.text(f"contact_{name}"))
        _put(reply, "contact", contact)
    if mode == "generate":
        sampling = dict(_mapping(reply.get("sampling")))
        for name, kind in SAMPLING.items():
            _put(sampling, name, _number(form.text(name), kind))
        _put(reply, "sampling", sampling)
        _put(reply, "cache", form.text("cache"))
    return reply


def _number(text: str, kind: type[int] | type[float] | type[str]) -> int | float | str:
    """Returns a number; what is none stays as it was typed, and is told as wrong."""
    try:
        return kind(text) if text.isascii() else text
    except ValueError:
        return text


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    """Puts a value down; an empty one takes the field out, so that its default counts or its lack is told."""
    if value in ("", [], {}):
        into.pop(name, None)
    elif into.get(name) != value:
        # A text that differs in nothing but blanks at its ends is the one that is there.
        if isinstance(value, str) and isinstance(into.get(name), str) and into[name].strip() == value:
            return
        into[name] = value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)
