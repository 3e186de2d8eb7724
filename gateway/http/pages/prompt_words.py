"""A prompt's document as a page reads it out; drafts may be incomplete or odd, and still have to be shown."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TEXTS = ("answer", "facts", "prompt", "fallback")


@dataclass(frozen=True, slots=True)
class SlotWords:
    """A blank."""

    name: str
    type: str
    ask: str
    limits: str
    """From the smallest to the largest; empty for what has none."""
    pattern: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromptWords:
    """Everything that a page says of a prompt; what is not there is empty."""

    title: str
    area: str
    owner: str
    language: str
    audience: str
    review_by: str
    phrasings: tuple[str, ...]
    counterexamples: tuple[str, ...]
    follow_ups: tuple[str, ...]
    follows: tuple[str, ...]
    mode: str
    texts: tuple[tuple[str, str], ...]
    """Name and text of each part of the answer."""
    contact: tuple[str, ...]
    slots: tuple[SlotWords, ...]

    @property
    def review_day(self) -> dt.date | None:
        """The day of the next review; None where a draft holds none, or something else."""
        try:
            return dt.date.fromisoformat(self.review_by)
        except ValueError:
            return None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "PromptWords":
        """Reads a document, whatever it holds."""
        reply = _mapping(document.get("reply"))
        return cls(
            title=_text(document.get("title")),
            area=_text(document.get("area")),
            owner=_text(document.get("owner")),
            language=_text(document.get("language")),
            audience=_text(document.get("audience")),
            review_by=_text(document.get("review_by")),
            phrasings=_texts(document.get("phrasings")),
            counterexamples=_texts(document.get("counterexamples")),
            follow_ups=_texts(document.get("follow_ups")),
            follows=_texts(document.get("follows")),
            mode=_text(reply.get("mode")),
            texts=tuple((name, _text(reply[name])) for name in _TEXTS if reply.get(name)),
            contact=tuple(_text(value) for value in _mapping(reply.get("contact")).values() if value),
            slots=tuple(_slot(_mapping(one)) for one in _list(document.get("slots"))),
        )


def _slot(slot: Mapping[str, Any]) -> SlotWords:
    limits = (_text(slot.get("minimum")), _text(slot.get("maximum")))
    return SlotWords(
        _text(slot.get("name")),
        _text(slot.get("type")),
        _text(slot.get("ask")),
        "–".join(limits) if all(limits) else "",  # noqa: RUF001 -- from the smallest to the largest
        _text(slot.get("pattern")),
        tuple(_text(_mapping(one).get("value")) for one in _list(slot.get("values"))),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
