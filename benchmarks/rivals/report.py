"""What a run came to: one JSON file with all figures, and the page and plots that are written from it alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.contestants import SERVERS, place_of
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.questions import QUESTIONS
from benchmarks.rivals.venvs import ROOT

Report = dict[str, Any]
FOLDER = ROOT / "docs" / "rivals"
FIGURES = FOLDER / "figures.json"
PAGE = ROOT / "docs" / "rivals.md"


def read_report(path: Path) -> Report:
    """Returns the figures of earlier runs, or an empty report."""
    if not path.is_file():
        return {"rivals": {}, "not_installed": {}, "questions": {}}
    read: Report = json.loads(path.read_text())
    return read


def write_report(report: Report, path: Path) -> None:
    """Writes all figures; a run that is stopped keeps those of the questions that were answered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    unfinished.replace(path)


def write_page(report: Report, page: Path = PAGE, folder: Path = FOLDER) -> None:
    """Writes the page and one plot for each question."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, chapter in chapters(report).items():
        (folder / f"{name}.svg").write_text(draw(chapter.plot))
    page.write_text(page_of(report))


def chapters(report: Report) -> dict[str, Chapter]:
    """Returns the chapters of the questions that were answered, in their order."""
    answered = report["questions"]
    return {one.name: one.tell(answered[one.name]["figures"]) for one in QUESTIONS if one.name in answered}


def page_of(report: Report) -> str:
    """Returns the page."""
    told = chapters(report)
    titles = {one.name: one.title for one in QUESTIONS}
    parts = [_HEAD, _where_better(told, titles), _conditions(report)]
    parts += [_chapter(name, titles[name], chapter, report["questions"][name]) for name, chapter in told.items()]
    return "\n".join([*parts, _configurations()])


def _where_better(told: dict[str, Chapter], titles: dict[str, str]) -> str:
    lines = ["## Where a rival is better", ""]
    for name, chapter in told.items():
        lines += [f"- {titles[name]}: {sentence}" for sentence in chapter.better]
    return "\n".join([*lines, ""] if len(lines) > 2 else [*lines, "Nowhere, of what was asked here.", ""])


def _conditions(report: Report) -> str:
    asked = report["questions"]
    machines = {json.dumps(one["machine"]): one["machine"] for one in asked.values()}
    lines = ["## The machine", "", *(_machine(one) for one in machines.values())]
    shared = [name for name, one in asked.items() if one["machine_was_shared"]]
    quick = [name for name, one in asked.items() if one["is_quick"]]
    if shared:
        lines.append(
            f"**Others used the machine during: {', '.join(shared)}.** Those figures are to be measured again."
        )
    if quick:
        lines.append(f"**Measured with `--quick`, one short round: {', '.join(quick)}.**")
    return "\n".join([*lines, "", *_versions(report), ""])


def _machine(one: dict[str, Any]) -> str:
    size = f"{one['cores']} cores, {one['memory_gib']} GiB"
    return f"{one['processor']}, {size}, {one['system']}, Python {one['python']}."


def _versions(report: Report) -> list[str]:
    rows = [
        (f"[{one['title']}]({one['home']})", one["version"], one["licence"], _requirements(name))
        for name, one in report["rivals"].items()
    ]
    lines = ["## Who is measured", "", *table(("", "version", "licence", "everything installed"), rows)]
    return [
        *lines,
        *(f"\nNot installed: {name}. `{said.strip()[-300:]}`" for name, said in report["not_installed"].items()),
    ]


def _requirements(name: str) -> str:
    if name == "xllamacpp":
        return "`benchmarks/rival_server.txt`"
    return f"`benchmarks/rivals/requirements/{name}.txt`"


def _chapter(name: str, title: str, chapter: Chapter, about: dict[str, Any]) -> str:
    measured = f"{about['measured']}, {about['rounds']} round{'s' if about['rounds'] > 1 else ''}"
    shared = ", on a machine that others used too" if about["machine_was_shared"] else ""
    return "\n".join(
        [
            f"## {title}",
            "",
            *([*(f"- {sentence}" for sentence in chapter.better), ""] if chapter.better else []),
            f"![{chapter.plot.title}](rivals/{name}.svg)",
            "",
            *table(chapter.header, chapter.rows),
            "",
            *(f"{remark}\n" for remark in chapter.remarks),
            f"`.venv/bin/python -m benchmarks.rivals --only {name} --write` ({measured}{shared}).",
            "",
        ]
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a table. Raises `ValueError` for a row of another length."""
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under {len(header)} headings: {row}")
    return [_line(header), f"|{'---|' * len(header)}", *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _configurations() -> str:
    rows = [(server.title, f"`{place_of(server.configuration)}`") for server in SERVERS]
    return "\n".join(["## Configurations", "", *table(("", "in the repository"), rows), ""])


_HEAD = """# Beside its rivals

What a guarded request costs, end to end on processors alone, here and with others: on one machine, with the same
messages, the same stub in place of the model and, where a model runs, the same weights and threads. Written by
`benchmarks/rivals` from [figures.json](rivals/figures.json); nothing on it is typed by hand.

```sh
make bench-rivals                                                # all of it, an hour at most on two cores
.venv/bin/python -m benchmarks.rivals --only overhead --quick    # one question, one short round
.venv/bin/python -m benchmarks.rivals --page                     # this page again, from its figures
```

Figures are medians of the rounds, with the lowest and the highest in brackets; contestants take turns in each round.
The server has all cores but the last, which the load and the stub share. How the products differ otherwise is on
[another page](explanation/comparison.md).
"""
