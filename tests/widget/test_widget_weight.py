"""What the widget weighs, and that it has its words in every language."""

import gzip
import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from gateway.widget.release import VERSION
from gateway.widget_texts import LANGUAGES, widget_texts
from tests.widget.stand_in import DIST

WIDGET_BYTES, LOADER_BYTES = 15_000, 1_000
ROOT = Path(__file__).parents[2]
PLACES = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize(("name", "limit"), [("widget.js", WIDGET_BYTES), ("loader.js", LOADER_BYTES)])
def test_scripts_weigh_what_a_foreign_page_may_be_asked_for(name: str, limit: int) -> None:
    path = DIST / name
    if not path.exists():
        (pytest.fail if os.geteuid() == 0 else pytest.skip)("the widget was not built. Run `make setup`.")
    assert len(gzip.compress(path.read_bytes(), 9)) <= limit


def test_every_language_has_every_text() -> None:
    assert set(LANGUAGES) == {"en", "de", "fr", "es", "ar"}
    for texts in LANGUAGES.values():
        assert list(texts) == list(LANGUAGES["en"])
        assert all(text.strip() for text in texts.values())


def test_texts_are_filled_in_with_the_same_values_in_every_language() -> None:
    for texts in LANGUAGES.values():
        for name, text in texts.items():
            assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(LANGUAGES["en"][name])), name


def test_whoever_asks_for_another_language_gets_english() -> None:
    assert widget_texts("de-AT") == LANGUAGES["de"]
    assert widget_texts("en-GB") == widget_texts("tlh") == LANGUAGES["en"]


def test_the_address_of_the_widget_has_the_version_of_the_gateway() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    package = json.loads((ROOT / "gateway" / "web" / "widget" / "package.json").read_text())
    assert package["version"] == VERSION == project["version"]
