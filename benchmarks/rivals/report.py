"""The page, its plots and the sentences elsewhere that are written from one file of figures, and from it alone."""

import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.rivals.bars import draw_bars
from benchmarks.rivals.chapters import ONCE, Chapter, Plot
from benchmarks.rivals.conditions import conditions
from benchmarks.rivals.configured import configurations
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.kept import FIGURES, FOLDER, NotFigures, Report
from benchmarks.rivals.markdown import folded, table
from benchmarks.rivals.matching_beside import best_limits
from benchmarks.rivals.matching_told import help_desk_sentence, own_rate_sentence
from benchmarks.rivals.overhead_told import readme_table
from benchmarks.rivals.questions import QUESTIONS
from benchmarks.rivals.venvs import ROOT
from benchmarks.rivals.words import READING, data_rows, data_section, head, own_goals

PAGE = ROOT / "docs" / "rivals.md"
README = ROOT / "README.md"
MATCHING = ROOT / "docs" / "matching.md"
_MISPLACED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of figures that lack something, or hold something else in its place."""
BEGIN, END = "<!-- begin of what benchmarks/rivals wrote -->", "<!-- end of what it wrote -->"


def write_page(report: Report, figures: Path = FIGURES) -> None:
    """Writes the page, its plots, and the sentences of the README and of the page about matching.

    Of figures that lie elsewhere the page and a folder `rivals` of plots lie beside them, and the others stay. Raises
    `NotFigures` where there are none to write of, or others than this version reads; nothing is written then.
    """
    if not report["questions"]:
        raise NotFigures(f"{figures} has no figures, and a page of nothing would replace the one that is there")
    is_ours = figures == FIGURES
    page, plots = (PAGE, FOLDER) if is_ours else (figures.with_suffix(".md"), figures.parent / "rivals")
    with _readable(str(figures)):
        written = {page: page_of(report, figures, page.parent)}
        written |= {plots / file: drawn for file, drawn in drawings(report).items()}
        if is_ours:
            written |= {README: readme_of(report), MATCHING: matching_of(report)}
    plots.mkdir(parents=True, exist_ok=True)
    for old in set(plots.glob("*.svg")) - set(written):
        old.unlink()
    for path, text in written.items():
        path.write_text(text)


@contextmanager
def _readable(figures: str) -> Iterator[None]:
    """Says of which figures it was that they could not be told, as `NotFigures`."""
    try:
        yield
    except _MISPLACED as error:
        raise NotFigures(f"{figures} cannot be told: {type(error).__name__}: {error}") from error


def drawings(report: Report) -> dict[str, str]:
    """Returns the plots by their files' names."""
    told = chapters(report)
    return {_file(name, one): drawn(one) for name, chapter in told.items() for one in chapter.all_plots()}


def drawn(plot: Plot) -> str:
    """Returns a plot as an SVG file, as dots or as bars."""
    return draw_bars(plot) if plot.is_stacked else draw(plot)


def _file(name: str, plot: Plot) -> str:
    return f"{name}_{plot.name}.svg" if plot.name else f"{name}.svg"


def between(path: Path, *words: str) -> str:
    """Returns a file's text with its words of these figures, one for each place that it has for them.

    Raises `ValueError` where it has another number of places.
    """
    first, *places = path.read_text().split(BEGIN)
    ends = [part.partition(END) for part in places]
    if len(ends) != len(words) or not all(ended for _, ended, _ in ends):
        raise ValueError(f"{path.name} has not {len(words)} places between {BEGIN!r} and {END!r}")
    told = (f"{BEGIN}\n{said}\n{END}{after}" for said, (_, _, after) in zip(words, ends, strict=True))
    return "".join([first, *told])


def readme_of(report: Report) -> str:
    """Returns the README with its sentence of these figures."""
    return between(README, _beside_rivals(report))


def matching_of(report: Report) -> str:
    """Returns the page about matching with its table and its sentence of these figures."""
    return between(MATCHING, *_matching_words(report))


def _beside_rivals(report: Report) -> str:
    """Returns what a request takes with each server between, what our own process takes, and how we match."""
    if "overhead" not in report["questions"]:
        return "Not measured yet."
    about = report["questions"]["overhead"]
    told = "What a request takes whose upstream answers at once, by what stands between, the quickest first: the"
    told += f" middle of {about['rounds']} rounds, with the lowest and the highest. Where these overlap, two are no"
    told += " different."
    if about["is_quick"]:
        told += " That was one short round, to be measured again."
    if about["machine_was_shared"]:
        told += " Others used the machine meanwhile, so this is to be measured again."
    parts = [told, "\n".join(readme_table(about["figures"])), own_goals(report)]
    if "matching" in report["questions"]:
        parts.append(help_desk_sentence(report["questions"]["matching"]["figures"]))
    return "\n\n".join(one if one.startswith("|") else "\n".join(textwrap.wrap(one, 120)) for one in parts)


def _matching_words(report: Report) -> list[str]:
    if "matching" not in report["questions"]:
        return ["Not measured yet."] * 2
    about = report["questions"]["matching"]
    return [best_limits(about), "\n".join(textwrap.wrap(own_rate_sentence(about["figures"]), 120))]


def chapters(report: Report) -> dict[str, Chapter]:
    """Returns the chapters of the questions that were answered, in their order."""
    answered = report["questions"]
    told = {}
    for one in QUESTIONS:
        if one.name in answered:
            with _readable(f"what was measured for {one.name}"):
                told[one.name] = one.tell(answered[one.name]["figures"])
    return told


def page_of(report: Report, figures: Path = FIGURES, folder: Path = PAGE.parent) -> str:
    """Returns the page of a file of figures, for the folder that it is to lie in."""
    told = chapters(report)
    titles = {one.name: one.title for one in QUESTIONS}
    listed = {name: titles[name] + _rounds_said(chapter, report["questions"][name]) for name, chapter in told.items()}
    parts = [head(figures, folder), _summary(told, titles), own_goals(report) + "\n"]
    parts += [_ahead("Where a rival is better", told, listed, "better"), _alike(told, listed), READING]
    parts += [data_section(table(("file", "rows", "fields", "from", "SHA-256"), data_rows()))]
    parts += [conditions(report, folder)]
    parts += [_chapter(name, titles[name], chapter, report["questions"][name]) for name, chapter in told.items()]
    return "\n".join([*parts, configurations(folder)])


def _rounds_said(chapter: Chapter, about: Mapping[str, Any]) -> str:
    """Returns what a list says of a question that had one round, where others have several."""
    is_one = about["rounds"] == 1 and chapter.measured != ONCE
    return " (one round, so that any difference counts)" if is_one else ""


def _summary(told: Mapping[str, Chapter], titles: Mapping[str, str]) -> str:
    rows = [
        (f"[{titles[name]}](#{_anchor(titles[name])})" if number == 0 else "", *row)
        for name, chapter in told.items()
        for number, row in enumerate(chapter.summary)
    ]
    best = (
        "The best rival is that with the best figure of all that were measured, whatever it does for it; times and"
        " rates of requests are of those that check something. What it does not do stands in the lists below."
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
