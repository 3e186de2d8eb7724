"""Settings of a widget client as somebody types them, field by field, and everything that is wrong with them."""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

import msgspec

from gateway.widget.identity import import_public
from store.content import Contact, Line
from store.errors import InvalidContent
from store.repositories.widget_clients import PLAIN_ID
from store.widgets import (
    LEAST_CONTRAST,
    MOST_ORIGINS,
    Algorithm,
    Colour,
    KeyDocument,
    Language,
    SignIn,
    WidgetRates,
    WidgetSettings,
    WidgetTexts,
    WidgetTheme,
    contrast,
    require_origin,
)

TEXTS: Final = ("heading", "greeting", "strings")
"""What each language has: fields are `<text>_<language>`."""
CONTACT: Final = ("name", "email", "phone", "url", "hours")
RATES: Final = ("session", "address", "origin")
_MOST_LANGUAGES = 20
_PARTS = re.compile(r"[\s,;]+")
_WORD = re.compile(r"([A-Za-z0-9_.-]+)\s*[:=]\s*(.*)")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a field; `rule` names it, for pages that tell it in their language."""

    place: str
    """Name of the field."""
    rule: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ThemeContrast:
    """How well one reads what is on the accent."""

    ratio: float
    """1 to 21, cut to a tenth, so that what is shown as enough is enough."""
    is_enough: bool
    better: str
    """Of black and white, the one that is read better on the accent."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What was made of a form."""

    given: Mapping[str, Any]
    """Settings by their names; only those that are not as before."""
    problems: tuple[Problem, ...]


def contrast_of(accent: str, on_accent: str) -> ThemeContrast | None:
    """Returns the contrast of two colours, None where one is none."""
    if not (_is(Colour, accent) and _is(Colour, on_accent)):
        return None
    ratio = contrast(accent, on_accent)
    better = max(("#000000", "#ffffff"), key=lambda one: contrast(accent, one))
    return ThemeContrast(math.floor(ratio * 10) / 10, ratio >= LEAST_CONTRAST, better)


def typed_of(settings: WidgetSettings) -> dict[str, str]:
    """Returns settings as a form has them; reading that again finds nothing changed."""
    found = {
        "title": settings.title,
        "assistant": settings.assistant,
        "origins": "\n".join(settings.origins),
        "sign_in": settings.sign_in.value,
        "algorithm": settings.algorithm.value,
        "keys": msgspec.json.format(msgspec.json.encode(settings.keys)).decode() if settings.keys else "",
        "languages": " ".join(settings.languages),
        "accent": settings.theme.accent,
        "on_accent": settings.theme.on_accent,
        "radius": str(settings.theme.radius),
        "position": settings.theme.position,
        "max_length": str(settings.max_length),
        "feedback": "1" if settings.feedback else "",
        "calls_api": "1" if settings.calls_api else "",
    }
    for language in settings.languages:
        texts = settings.texts.get(language, WidgetTexts())
        strings = "\n".join(f"{name}: {text}" for name, text in sorted(texts.strings.items()))
        found |= {f"heading_{language}": texts.heading, f"greeting_{language}": texts.greeting}
        found[f"strings_{language}"] = strings
    contact = msgspec.structs.asdict(settings.contact) if settings.contact else {}
    found |= {f"contact_{name}": str(contact.get(name, "")) for name in CONTACT}
    return found | {f"rate_{name}": str(getattr(settings.rates, name)) for name in RATES}


def new_typed(assistants: Sequence[str]) -> dict[str, str]:
    """Returns the form of a site that is not there yet, with what most want."""
    usual = WidgetSettings(title="-", assistant="-", origins=("https://site.example",))
    return typed_of(usual) | {"title": "", "assistant": next(iter(assistants), ""), "origins": ""}


def languages_of(text: str) -> tuple[str, ...]:
    """Returns the languages that are typed, in their order, each once; also what is none."""
    return tuple(dict.fromkeys(one for one in _PARTS.split(text) if one))[:_MOST_LANGUAGES]


def id_problems(client_id: str) -> tuple[Problem, ...]:
    """Returns what is wrong with the id of a new client."""
    return () if PLAIN_ID.fullmatch(client_id) else (Problem("id", "id"),)


def read_settings(
    typed: Mapping[str, str], assistants: Collection[str], before: WidgetSettings | None = None
) -> ReadSettings:
    """Returns what a form says, and everything that is wrong with it; `assistants` are those to choose from.

    Without `before` the form is of a new client, whose settings are all given.
    """
    form = _Form(typed, assistants)
    found = form.read()
    if before is not None:
        found = {name: value for name, value in found.items() if value != getattr(before, name)}
    return ReadSettings(found, tuple(form.problems))


class _Form:
    """One reading of a form; what is wrong is gathered on the way."""

    def __init__(self, typed: Mapping[str, str], assistants: Collection[str]) -> None:
        self._typed = typed
        self._assistants = assistants
        self.problems: list[Problem] = []

    def read(self) -> dict[str, Any]:
        languages = self._languages()
        algorithm = self._one("algorithm", Algorithm)
        return {
            "title": self._as("title", Line, self._text("title")),
            "assistant": self._assistant(),
            "origins": self._origins(),
            "sign_in": self._one("sign_in", SignIn),
            "algorithm": algorithm,
            "keys": self._keys(algorithm),
            "languages": languages,
            "texts": self._texts(languages),
            "contact": self._contact(),
            "theme": self._theme(),
            "rates": WidgetRates(**{name: self._number(f"rate_{name}", 1_000_000) for name in RATES}),
            "max_length": self._number("max_length", 4000),
            "feedback": bool(self._text("feedback")),
            "calls_api": bool(self._text("calls_api")),
        }

    def _text(self, name: str) -> str:
        return self._typed.get(name, "").strip()

    def _wrong(self, name: str, rule: str, **values: str) -> None:
        self.problems.append(Problem(name, rule, values))

    def _as(self, name: str, kind: Any, value: Any, *, breaks: str = "") -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            self._wrong(name, breaks or name)
            return value

    def _one(self, name: str, kind: Callable[[str], _Value]) -> _Value | None:
        try:
            return kind(self._text(name))
        except ValueError:
            self._wrong(name, "choose")
            return None

    def _assistant(self) -> str:
        found = self._text("assistant")
        if found not in self._assistants:
            self._wrong("assistant", "assistant")
        return found

    def _origins(self) -> tuple[str, ...]:
        found = tuple(line.strip().removesuffix("/") for line in self._text("origins").split("\n") if line.strip())
        for origin in found:
            try:
                require_origin(origin)
            except ValueError:
                self._wrong("origins", "origin", line=origin[:200])
                return found
        if not 1 <= len(found) <= MOST_ORIGINS:
            self._wrong("origins", "origins")
        elif twice := next((one for one in found if found.count(one) > 1), ""):
            self._wrong("origins", "origin_twice", line=twice)
        return found

    def _languages(self) -> tuple[str, ...]:
        found = languages_of(self._typed.get("languages", ""))
        wrong = next((one for one in found if not _is(Language, one)), None)
        if not found or wrong is not None:
            self._wrong("languages", "languages")
        return tuple(one for one in found if _is(Language, one))

    def _keys(self, algorithm: Algorithm | None) -> KeyDocument | None:
        text = self._text("keys")
        if algorithm is None or algorithm is Algorithm.HS256:
            if text:
                self._wrong("keys", "keys_not_wanted")
            return None
        try:
            found = msgspec.json.decode(text, type=KeyDocument)
            for key in found.keys:
                import_public(key, algorithm)
        except (msgspec.DecodeError, ValueError, RecursionError, InvalidContent):
            self._wrong("keys", "keys" if text else "keys_needed")
            return None
        return found

    def _texts(self, languages: tuple[str, ...]) -> dict[str, WidgetTexts]:
        found = {language: self._texts_in(language) for language in languages}
        return {language: texts for language, texts in found.items() if texts != WidgetTexts()}

    def _texts_in(self, language: str) -> WidgetTexts:
        told: dict[str, Any] = {name: self._text(f"{name}_{language}") for name in ("heading", "greeting")}
        for name, text in told.items():
            try:
                msgspec.convert({name: text}, WidgetTexts)
            except msgspec.ValidationError:
                self._wrong(f"{name}_{language}", name)
                told[name] = ""
        strings: dict[str, str] = {}
        for line in self._text(f"strings_{language}").split("\n"):
            if not line.strip():
                continue
            word = _WORD.fullmatch(line.strip())
            if word is None or not _is(WidgetTexts, {"strings": {word[1]: word[2]}}):
                self._wrong(f"strings_{language}", "strings", line=line.strip()[:100])
                break
            strings[word[1]] = word[2]
        return WidgetTexts(**told, strings=strings)

    def _contact(self) -> Contact | None:
        told = {name: self._text(f"contact_{name}") for name in CONTACT}
        if not any(told.values()):
            return None
        if not _is(Line, told["name"]):
            self._wrong("contact_name", "contact_name")
            return None
        return Contact(**told)

    def _theme(self) -> WidgetTheme | None:
        accent, on_accent = self._text("accent"), self._text("on_accent")
        names = [name for name, text in (("accent", accent), ("on_accent", on_accent)) if not _is(Colour, text)]
        for name in names:
            self._wrong(name, "colour")
        radius = self._number("radius", 32, least=0)
        position = self._as("position", Literal["end", "start"], self._text("position"), breaks="choose")
        shown = contrast_of(accent, on_accent)
        if shown is None or position not in ("end", "start"):
            return None
        if not shown.is_enough:
            self._wrong("on_accent", "contrast", ratio=f"{shown.ratio:.1f}", better=shown.better)
            return None
        return WidgetTheme(accent=accent, on_accent=on_accent, radius=radius, position=position)

    def _number(self, name: str, most: int, *, least: int = 1) -> int:
        text = self._text(name)
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if is_number and least <= int(text) <= most:
            return int(text)
        self._wrong(name, "number", least=str(least), most=str(most))
        return least


def _is(kind: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
