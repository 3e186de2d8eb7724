"""How somebody wants pages to be, kept in a cookie of their browser: language, theme, density, shortcuts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qs, urlencode

from gateway.http.pages.texts import DEFAULT, LANGUAGES, Texts, accepted


class Theme(StrEnum):
    """Colours."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Density(StrEnum):
    """How close rows and controls stand."""

    COMFORTABLE = "comfortable"
    COMPACT = "compact"


_Choice = TypeVar("_Choice", Theme, Density)


@dataclass(frozen=True, slots=True)
class Look:
    """What was chosen; without a language the browser's counts."""

    language: str | None = None
    theme: Theme = Theme.SYSTEM
    density: Density = Density.COMFORTABLE
    has_shortcuts: bool = True
    """Whether single letters do something; keys with a modifier always do."""

    @classmethod
    def of(cls, text: str) -> "Look":
        """Reads a cookie; whatever cannot be, is as if nothing was chosen."""
        fields = {name: values[-1] for name, values in parse_qs(text[:200]).items()}
        language = fields.get("language")
        return cls(
            language if language in LANGUAGES else None,
            _chosen(Theme.SYSTEM, fields.get("theme")),
            _chosen(Density.COMFORTABLE, fields.get("density")),
            fields.get("shortcuts") != "off",
        )

    def cookie(self) -> str:
        """Returns the look as the value of a cookie."""
        chosen = {"language": self.language or "", "theme": self.theme.value, "density": self.density.value}
        return urlencode(chosen | {"shortcuts": "on" if self.has_shortcuts else "off"})

    def texts(self, accept_language: str) -> Texts:
        """Returns the words to use."""
        return LANGUAGES[self.language or accepted(accept_language) or DEFAULT]


def _chosen(default: _Choice, text: str | None) -> _Choice:
    try:
        return type(default)(text or default)
    except ValueError:
        return default
