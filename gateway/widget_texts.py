"""The chat widget's own words by language; its configuration brings those of the language that is asked for."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "web" / "widget" / "texts"

LANGUAGES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {path.stem: MappingProxyType(json.loads(path.read_bytes())) for path in sorted(_FOLDER.glob("*.json"))}
)
"""Read once at the start. Built into the widget is only what it shows before it is configured."""


def widget_texts(language: str) -> Mapping[str, str]:
    """Returns the words of a language by their names; in English for a language that there are none in."""
    return LANGUAGES.get(language.partition("-")[0].lower(), LANGUAGES["en"])
