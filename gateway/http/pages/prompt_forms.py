"""The form of a prompt: what of a document has a field, and the document that comes of what was typed."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.http.pages import document_fields
from gateway.http.pages.document_fields import lines_of, mapping_of, number_of, put, sequence_of, text_of
from gateway.http.pages.forms import Form
from gateway.http.pages.slot_forms import read_slots, slot_fields
from gateway.http.pages.texts import Texts
from store.changes.problems import FieldProblem

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
    reply = mapping_of(document.get("reply"))
    contact, sampling = mapping_of(reply.get("contact")), mapping_of(reply.get("sampling"))
    values = {name: text_of(document.get(name)) for name in ("key", *LINES)}
    values |= {name: "\n".join(map(text_of, sequence_of(document.get(name)))) for name in LISTS}
    values |= {name: text_of(reply.get(name)) for name in ("prompt", "facts", "fallback", "answer", "cache")}
    values |= {f"contact_{name}": text_of(contact.get(name)) for name in CONTACT}
    values |= {name: text_of(sampling.get(name)) for name in SAMPLING}
    values["mode"] = text_of(reply.get("mode")) or "generate"
    values |= slot_fields(sequence_of(document.get("slots")))
    return Form({name: (value,) for name, value in values.items()})


def document_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document that the form makes of `base`: what has no field stays as it is there.

    It may be incomplete, or wrong; nothing that was typed is lost but the texts of another way to answer.
    """
    document = dict(base)
    for name in LINES:
        put(document, name, form.text(name))
    for name in LISTS:
        put(document, name, lines_of(form.text(name)))
    key = form.text("key") or text_of(base.get("key"))
    document |= {"key": key, "area": key.partition(".")[0], "reply": _reply(form, mapping_of(base.get("reply")))}
    put(document, "slots", read_slots(form, sequence_of(base.get("slots"))))
    for name in ("title", "phrasings"):
        document.setdefault(name, "" if name == "title" else [])
    return document


def marked(form: Form, problems: tuple[FieldProblem, ...], texts: Texts) -> Form:
    """Returns the form with every problem at its field; the first of a field counts."""
    return document_fields.marked(form, problems, texts, field_of)


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


def _reply(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    mode = form.text("mode")
    reply = dict(base) if base.get("mode") == mode else {}
    reply["mode"] = mode
    for name in TEXTS.get(mode, ()):
        put(reply, name, form.text(name))
    if mode == "handoff":
        contact = dict(mapping_of(reply.get("contact")))
        for name in CONTACT:
            put(contact, name, form.text(f"contact_{name}"))
        put(reply, "contact", contact)
    if mode == "generate":
        sampling = dict(mapping_of(reply.get("sampling")))
        for name, kind in SAMPLING.items():
            put(sampling, name, number_of(form.text(name), kind))
        put(reply, "sampling", sampling)
        put(reply, "cache", form.text("cache"))
    return reply
