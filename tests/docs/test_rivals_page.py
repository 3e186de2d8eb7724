"""The page of rivals, its plots and the README's sentence say what the figures say."""

import json

import pytest

from benchmarks.rivals.drawing import draw
from benchmarks.rivals.report import FIGURES, FOLDER, PAGE, README, chapters, page_of, read_report, readme_of

REPORT = read_report(FIGURES)


def test_the_page_is_what_the_figures_come_to() -> None:
    assert PAGE.read_text() == page_of(REPORT)


@pytest.mark.parametrize("name", chapters(REPORT))
def test_a_plot_is_what_the_figures_come_to(name: str) -> None:
    plot = chapters(REPORT)[name].plot
    assert (FOLDER / f"{name}.svg").read_text() == draw(plot)


def test_no_plot_is_left_over() -> None:
    assert {one.stem for one in FOLDER.glob("*.svg")} == set(chapters(REPORT))


def test_the_readme_says_what_the_figures_say() -> None:
    assert readme_of(README.read_text(), REPORT) == README.read_text()


def test_the_page_changes_with_a_figure() -> None:
    changed = json.loads(json.dumps(REPORT))
    figures = changed["questions"]["overhead"]["figures"]["figures"]["canongate-worded"]["0"]["1"]
    figures["p50_ms"]["median"] += 1000
    assert page_of(changed) != page_of(REPORT)
    assert readme_of(README.read_text(), changed) != README.read_text()


def test_a_quicker_rival_is_named_first() -> None:
    changed = json.loads(json.dumps(REPORT))
    overhead = changed["questions"]["overhead"]["figures"]["figures"]
    overhead["nemo-regex"]["0"]["1"]["p50_ms"]["median"] = overhead["floor"]["0"]["1"]["p50_ms"]["median"]
    first = page_of(changed).split("## ")[1]
    assert first.startswith("Where a rival is better")
    told = "**NeMo Guardrails, regex rails** adds"
    assert told in first
    assert told not in page_of(REPORT)
