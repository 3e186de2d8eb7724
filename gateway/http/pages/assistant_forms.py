"""The form of an assistant: its fields, and the document that comes of what was typed."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.http.pages import document_fields
from gateway.http.pages.document_fields import lines_of, mapping_of, number_of, put, sequence_of, text_of
from gateway.http.pages.forms import Form
from gateway.http.pages.texts import Texts
from store.changes.problems import FieldProblem

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
    said, match = mapping_of(document.get("texts")), mapping_of(document.get("match"))
    values = {name: text_of(document.get(name)) for name in ("name", *LINES, *TEXTS, "retention_days")}
    values |= {name: " ".join(map(text_of, sequence_of(document.get(name)))) for name in WORDS}
    values |= {name: "\n".join(map(text_of, sequence_of(document.get(name)))) for name in LISTS}
    values |= {f"says_{name}": text_of(said.get(name)) for name in SAID}
    values |= {name: text_of(match.get(name)) for name in ("false_match_rate", "near_misses")}
    values |= {name: value for name, value in _DEFAULTS.items() if not values[name]}
    return Form({name: (value,) for name, value in values.items()})


def document_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document that the form makes of `base`: what has no field stays as it is there.

    It may be incomplete, or wrong; nothing that was typed is lost.
    """
    document = dict(base)
    for name in (*LINES, *TEXTS):
        put(document, name, form.text(name), _DEFAULTS.get(name))
    for name in WORDS:
        put(document, name, form.text(name).replace(",", " ").split())
    for name in LISTS:
        put(document, name, lines_of(form.text(name)))
    put(document, "retention_days", number_of(form.text("retention_days"), int), _DEFAULTS.get("retention_days"))
    said, match = dict(mapping_of(base.get("texts"))), dict(mapping_of(base.get("match")))
    for name in SAID:
        put(said, name, form.text(f"says_{name}"))
    for name in ("false_match_rate", "near_misses"):
        put(match, name, number_of(form.text(name), float), _DEFAULTS.get(name))
    document["texts"] = said
    put(document, "match", match)
    document["name"] = text_of(base.get("name")) or form.text("name")
    return document


def marked(form: Form, problems: tuple[FieldProblem, ...], texts: Texts) -> Form:
    """Returns the form with every problem at its field; the first of a field counts."""
    return document_fields.marked(form, problems, texts, field_of)


def field_of(place: str) -> str:
    """Returns the field of the form for a place in a document; empty where there is none."""
    part, _, inside = place.partition(".")
    if part == "texts":
        return f"says_{inside or SAID[0]}"
    return (inside or "false_match_rate") if part == "match" else part
