"""SECURITY.md promises nothing without a test that is there, and links to nothing that is not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "SECURITY.md"
MODEL = ROOT / "docs" / "threat-model.md"
LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
TRIED = re.compile(r"`((?:tests|benchmarks)/[\w/.-]+)`")


def promises() -> dict[str, str]:
    text = PAGE.read_text().partition("## What canongate promises")[2].partition("\n## ")[0]
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [PAGE, MODEL], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text())
    assert links
    for words, target in links:
        file, _, anchor = target.partition("#")
        place = page.parent / file
        assert place.is_file(), target
        if anchor:
            assert anchor in anchors(place), target
        if words.startswith("test_"):
            assert re.search(rf"^(?:async )?def {words}\(", place.read_text(), re.MULTILINE), (
                f"{words} is not in {file}"
            )


def test_every_promise_has_a_test_and_a_figure() -> None:
    found = promises()
    assert len(found) == 10
    for promise, text in found.items():
        tests = [target for words, target in LINK.findall(text) if words.startswith("test_")]
        assert tests, f"{promise}: no test"
        assert "Last figure: " in text, f"{promise}: no figure"


def test_every_figure_stands_among_the_benchmarks() -> None:
    """Of those that link to a section: each number with a unit or a thousand occurs in the page."""
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    for promise, text in promises().items():
        figure = text.partition("Last figure: ")[2]
        if "benchmarks.md#" not in figure:
            continue
        for number in re.findall(r"\b\d{1,3},\d{3}\b|\b\d+\.\d\b(?= %| ms|\s)", LINK.sub("", figure)):
            assert number in page, f"{promise}: {number} is in no benchmark"


def test_the_threat_model_names_only_what_is_there() -> None:
    named = TRIED.findall(MODEL.read_text())
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).is_file()] == []
