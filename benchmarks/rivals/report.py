"""The page, its plots and the sentences elsewhere that are written from one file of figures, and from it alone."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.rivals.bars import draw_bars
from benchmarks.rivals.chapters import Chapter, Plot
from benchmarks.rivals.conditions import conditions
from benchmarks.rivals.configured import configurations
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.kept import FIGURES, FOLDER, NotFigures, Report
from benchmarks.rivals.markdown import folded, table
from benchmarks.rivals.matching_told import own_rate_sentence
from benchmarks.rivals.overhead import added_ms
from benchmarks.rivals.questions import QUESTIONS
from benchmarks.rivals.venvs import ROOT
from benchmarks.rivals.words import HEAD, READING, data_rows, data_section, own_goals

PAGE = ROOT / "docs" / "rivals.md"
README = ROOT / "README.md"
MATCHING = ROOT / "docs" / "matching.md"
BEGIN, END = "<!-- begin of what benchmarks/rivals wrote -->", "<!-- end of what it wrote -->"


def write_page(report: Report, figures: Path = FIGURES) -> None:
    """Writes the page, its plots, and the sentences of the README and of the page about matching.

    Of figures that lie elsewhere the page and a folder `rivals` of plots lie beside them, and the others stay. Raises
    `NotFigures` where there are none to write of.
    """
    if not report["questions"]:
        raise NotFigures(f"{figures} has no figures, and a page of nothing would replace the one that is there")
    is_ours = figures == FIGURES
    page, plots = (PAGE, FOLDER) if is_ours else (figures.with_suffix(".md"), figures.parent / "rivals")
    written = {page: page_of(report, page.parent)}
    written |= {plots / file: drawn for file, drawn in drawings(report).items()}
    if is_ours:
        written |= {
            README: between(README, _overhead_sentence(report)),
            MATCHING: between(MATCHING, _matching_sentence(report)),
        }
    plots.mkdir(parents=True, exist_ok=True)
    for old in set(plots.glob("*.svg")) - set(written):
        old.unlink()
    for path, text in written.items():
        path.write_text(text)


def drawings(report: Report) -> dict[str, str]:
    """Returns the plots by their files' names."""
    told = chapters(report)
    return {_file(name, one): drawn(one) for name, chapter in told.items() for one in chapter.all_plots()}


def drawn(plot: Plot) -> str:
    """Returns a plot as an SVG file, as dots or as bars."""
    return draw_bars(plot) if plot.is_stacked else draw(plot)


def _file(name: str, plot: Plot) -> str:
    return f"{name}_{plot.name}.svg" if plot.name else f"{name}.svg"


def between(path: Path, words: str) -> str:
    """Returns a file's text with its sentence of these figures. Raises `ValueError` where it has no place for it."""
    before, begun, rest = path.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"{path.name} has no place between {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{words}\n{END}{after}"


def readme_of(report: Report) -> str:
    """Returns the README with its sentence of these figures."""
    return between(README, _overhead_sentence(report))


def matching_of(report: Report) -> str:
    """Returns the page about matching with its sentence of these figures."""
    return between(MATCHING, _matching_sentence(report))


def _overhead_sentence(report: Report) -> str:
    if "overhead" not in report["questions"]:
        return "Not measured yet."
    about = report["questions"]["overhead"]
    figures = about["figures"]
    ways = {
        "canongate-worded": "canongate, which matches, checks and records",
        "nemo-dialog-worded": "NeMo Guardrails' dialog by embeddings",
        "nemo-iorails": "NeMo Guardrails' regex rails by its quicker engine",
        "litellm-filter": "LiteLLM's proxy with its content filter",
        "litellm-plain": "the same without",
    }
    added = [f"{told} {added_ms(figures, name):.1f} ms" for name, told in ways.items() if name in figures["ways"]]
    told = f"To an upstream that answers at once, a request that is alone adds: {'; '.join(added)}."
    if about["is_quick"]:
        told += " That was one short round, to be measured again."
    if about["machine_was_shared"]:
        told += " Others used the machine meanwhile, so this is to be measured again."
    return "\n".join(textwrap.wrap(f"{told} {own_goals()}", 120))


def _matching_sentence(report: Report) -> str:
    if "matching" not in report["questions"]:
        return "Not measured yet."
    return "\n".join(textwrap.wrap(own_rate_sentence(report["questions"]["matching"]["figures"]), 120))


def chapters(report: Report) -> dict[str, Chapter]:
    """Returns the chapters of the questions that were answered, in their order."""
    answered = report["questions"]
    return {one.name: one.tell(answered[one.name]["figures"]) for one in QUESTIONS if one.name in answered}


def page_of(report: Report, folder: Path = PAGE.parent) -> str:
    """Returns the page, for the folder that it is to lie in."""
    told = chapters(report)
    titles = {one.name: one.title for one in QUESTIONS}
    parts = [HEAD, _summary(told, titles), own_goals() + "\n"]
    parts += [_ahead("Where a rival is better", told, titles, "better"), _alike(told, titles), READING]
    parts += [data_section(table(("file", "rows", "fields", "from", "SHA-256"), data_rows()))]
    parts += [conditions(report, folder)]
    parts += [_chapter(name, titles[name], chapter, report["questions"][name]) for name, chapter in told.items()]
    return "\n".join([*parts, configurations(folder)])


def _summary(told: Mapping[str, Chapter], titles: Mapping[str, str]) -> str:
    rows = [
        (f"[{titles[name]}](#{_anchor(titles[name])})" if number == 0 else "", *row)
        for name, chapter in told.items()
        for number, row in enumerate(chapter.summary)
    ]
    best = (
        "The best rival is that with the best figure of all that were measured, whatever it does for it; where a figure"
        " is of checks, of those that check. What it does not do stands in the lists below."
    )
    header = ("question", "figure", "canongate", "best rival", "which", "ahead")
    return "\n".join(["## In short", "", *table(header, rows), "", best, ""])


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _ahead(title: str, told: Mapping[str, Chapter], titles: Mapping[str, str], which: str) -> str:
    lines = []
    for name, chapter in told.items():
        if said := getattr(chapter, which):
            lines += [f"- {titles[name]}", *(f"  - {sentence}" for sentence in said)]
    return "\n".join([f"## {title}", "", *(lines or ["Nowhere, of what was asked here."]), ""])


def _alike(told: Mapping[str, Chapter], titles: Mapping[str, str]) -> str:
    title = "Where a rival's figure is better, and no different"
    heading, _, lines = _ahead(title, told, titles, "alike").partition("\n\n")
    return "\n".join([heading, "", *folded("Spreads that overlap, by question", [lines])])


def _chapter(name: str, title: str, chapter: Chapter, about: Mapping[str, Any]) -> str:
    rounds = f"{about['rounds']} round{'s' if about['rounds'] > 1 else ''}"
    shared = ", on a machine that others used too" if about["machine_was_shared"] else ""
    measured = f"{about['measured']}, {chapter.measured.format(rounds=rounds)}{shared}"
    first, *others = [f"![{one.title}](rivals/{_file(name, one)})" for one in chapter.all_plots()]
    more = [part for one in chapter.tables for part in (f"**{one.title}**", "", *table(one.header, one.rows), "")]
    return "\n".join(
        [
            f"## {title}",
            "",
            *(f"{sentence}\n" for sentence in chapter.opening),
            *table(chapter.header, chapter.rows),
            "",
            first,
            "",
            *folded("More tables and plots", [*more, *(part for one in others for part in (one, ""))]),
            *(f"{remark}\n" for remark in chapter.remarks),
            f"`.venv/bin/python -m benchmarks.rivals --only {name}` ({measured}).",
            "",
        ]
    )
