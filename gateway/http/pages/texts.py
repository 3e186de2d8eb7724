"""All words of the pages, a folder for each language; numbers and times as that language writes them."""

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.http.templates import WEB

_FOLDER = WEB / "texts"
_PLACE = re.compile(r"\{([a-z_]+)\}")
_ISOLATE = "\u2068{}\u2069"
"""Around what is put into a sentence: a name in Latin letters must not turn an Arabic sentence round."""
_ACCEPTED = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True)
class Texts:
    """One language. Calling it gives a text; a key that is not there is a bug."""

    language: str
    name: str
    """What the language calls itself."""
    direction: str
    entries: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """Returns the text with its places filled: numbers in the language's digits, words kept apart from it."""
        text = self.entries[key]
        return _PLACE.sub(lambda place: self._filled(values[place[1]]), text) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a text; of what comes from outside, such as codes, not all have one."""
        return key in self.entries

    def apart(self, name: str) -> str:
        """Returns a name that is kept apart from the sentence around it."""
        return _ISOLATE.format(name)

    def number(self, value: float, places: int = 0) -> str:
        """Returns a number with the language's digits and marks."""
        plain = f"{value:,.{places}f}"
        marks = {",": self.entries["format.group"], ".": self.entries["format.decimal"]}
        return "".join(marks.get(one) or self._digits(one) for one in plain)

    def share(self, value: float) -> str:
        """Returns a share of 1 in percent."""
        return self("format.percent", number=self.number(value * 100))

    def moment(self, at: dt.datetime, *, with_seconds: bool = False) -> str:
        """Returns a point in time, in UTC."""
        at = at.astimezone(dt.UTC)
        clock = at.strftime("%H:%M:%S" if with_seconds else "%H:%M")
        return self._pattern("format.moment", day=self.date(at), time=self._digits(clock))

    def clock(self, at: dt.datetime) -> str:
        """Returns the time of the day with seconds, in UTC."""
        return self._digits(at.astimezone(dt.UTC).strftime("%H:%M:%S"))

    def date(self, at: dt.datetime) -> str:
        """Returns the day of a moment, in UTC."""
        return self.day(at.astimezone(dt.UTC).date())

    def day(self, at: dt.date) -> str:
        """Returns a day."""
        month = self.entries[f"format.month_{at.month}"]
        return self._pattern("format.date", day=self._digits(str(at.day)), month=month, year=self._digits(str(at.year)))

    def ago(self, at: dt.datetime, now: dt.datetime) -> str:
        """Returns how long something is past or ahead, in short words."""
        seconds = (now - at).total_seconds()
        way, distance = ("ago" if seconds >= 0 else "ahead"), abs(seconds)
        if distance < _MINUTE_S:
            return self("format.now")
        for unit, size, limit in (("minutes", _MINUTE_S, _HOUR_S), ("hours", _HOUR_S, _DAY_S)):
            if distance < limit:
                return self._pattern(f"format.{unit}_{way}", number=self.number(distance // size))
        return self._pattern(f"format.days_{way}", number=self.number(distance // _DAY_S))

    def _pattern(self, key: str, **values: str) -> str:
        return _PLACE.sub(lambda place: values[place[1]], self.entries[key])

    def _filled(self, value: object) -> str:
        if isinstance(value, int):
            return self.number(value)
        return self.apart(str(value))

    def _digits(self, text: str) -> str:
        digits = self.entries["format.digits"]
        return "".join(digits[int(one)] if one.isascii() and one.isdigit() else one for one in text)


def _load(language: str) -> Texts:
    entries: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.toml")):
        for section, texts in tomllib.loads(path.read_text("utf-8")).items():
            for key, text in texts.items():
                if entries.setdefault(f"{section}.{key}", text) is not text:
                    raise ValueError(f"{path.name} repeats {section}.{key} of another file. Keep one of the two.")
    return Texts(language, entries["format.name"], entries["format.direction"], MappingProxyType(entries))


LANGUAGES: Final[Mapping[str, Texts]] = MappingProxyType(
    {path.name: _load(path.name) for path in sorted(_FOLDER.iterdir(), key=lambda one: (one.name != DEFAULT, one))}
)
"""The languages that there is a folder for, English first."""


def accepted(header: str) -> str | None:
    """Returns the language of ours that a browser likes best, None when it names none (RFC 9110, 12.5.4)."""
    liked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        found = _ACCEPTED.fullmatch(part)
        if found and found[1].lower() in LANGUAGES and (weight := float(found[2] or 1)):
            liked.append((-weight, found[1].lower()))
    return min(liked, key=lambda one: one[0])[1] if liked else None
