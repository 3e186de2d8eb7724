"""Typed text that could not be saved: given back to whoever typed it and to nobody else, in the words of its form."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from gateway.http.pages.forms import Form
from gateway.http.pages.texts import Texts

_PLACED = frozenset(
    {"read", "rev", "change", "mode", "kind", "do", "at", "place", "item", "slot_count", "sent", "meant"}
)
"""Fields that hold what the page put there or what was chosen."""
_SLOT = re.compile(r"slot_(?P<number>\d{1,3})_(?P<name>[a-z_]+)")
_SLOT_TYPED = frozenset({"name", "ask", "values", "minimum", "maximum", "pattern"})
_SECTIONS = (
    "field.",
    "document.",
    "document.reply_",
    "prompts.field_",
    "prompts.",
    "suites.",
    "changes.",
    "playground.",
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A text that somebody typed."""

    label: str
    text: str
    is_code: bool = False
    """Whether the label is a name as the form has it, in no language."""


class Packed(msgspec.Struct, frozen=True):
    """What was typed, as it is sent along with a sign-in."""

    typist: str = ""
    page: str = ""
    """Where its form is."""
    fields: list[tuple[str, str]] = []

    def written(self) -> str:
        """Returns it as one text."""
        return msgspec.json.encode(self).decode()


def unpack(text: str) -> Packed:
    """Returns what was packed; whatever is no such text holds nothing."""
    try:
        return msgspec.json.decode(text, type=Packed)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Packed()


def kept_for(form: Form, person: str | None) -> list[tuple[str, str]]:
    """Returns what a form holds if that person typed it."""
    return form.kept() if form.typist == (person or "") else []


def typed_in(texts: Texts, fields: Iterable[tuple[str, str]]) -> list[Typed]:
    """Returns what a person typed, without what the page put there."""
    return [_typed(texts, name, value) for name, value in fields if value.strip() and not _is_placed(name)]


def _is_placed(name: str) -> bool:
    slot = _SLOT.fullmatch(name)
    return name in _PLACED or (slot is not None and slot["name"] not in _SLOT_TYPED)


def _typed(texts: Texts, name: str, value: str) -> Typed:
    if slot := _SLOT.fullmatch(name):
        number, named = texts.number(int(slot["number"]) + 1), texts("prompts.slot_" + slot["name"])
        return Typed(f"{texts('document.slots')} {number}: {named}", value)
    if key := next((section + name for section in _SECTIONS if texts.has(section + name)), None):
        return Typed(texts(key), value)
    return Typed(name, value, is_code=True) if "." in name else Typed(texts("resume.other"), value)
