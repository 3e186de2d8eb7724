"""The administrator's guide shows pictures that are there, and names buttons as the pages name them."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from docs.pictures import MOST_BYTES
from tests.demo_process import ROOT

GUIDE = ROOT / "docs" / "how-to" / "curate.md"
FOLDER = GUIDE.with_suffix("")
TEXT = GUIDE.read_text()
MOST_IN_ALL = 1_000_000
SENTENCES = {"Nothing that you save is live."}
"""What is bold because it matters, and is no name of anything."""


def texts(said: Any) -> Iterator[str]:
    for one in said.values():
        yield from texts(one) if isinstance(one, dict) else [str(one)]


def on_pages() -> set[str]:
    folder = ROOT / "gateway" / "web" / "texts" / "en"
    said = [one for path in folder.glob("*.toml") for one in texts(tomllib.loads(path.read_text()))]
    return {re.sub(r" ?\{\w+\}", "", one).lower() for one in said}


def test_every_picture_is_there_and_every_one_is_shown() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\(curate/([a-z-]+\.webp)\)", TEXT))
    assert shown == {path.name for path in FOLDER.iterdir()}


def test_the_pictures_are_small() -> None:
    sizes = [path.stat().st_size for path in FOLDER.iterdir()]
    assert max(sizes) <= MOST_BYTES
    assert sum(sizes) <= MOST_IN_ALL


def test_what_is_to_be_pressed_is_called_as_on_the_pages() -> None:
    named = set(re.findall(r"\*\*([^*]+)\*\*", TEXT)) - SENTENCES
    known = on_pages()
    assert len(named) > 20
    assert {one for one in named if one.lower() not in known} == set()
