"""What a run came to: one JSON file with all figures, and the page and plots that are written from it alone."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.rivals.answering import SMOLLM2
from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.overhead import added_ms
from benchmarks.rivals.questions import QUESTIONS
from benchmarks.rivals.servers import SENTENCES, SERVERS
from benchmarks.rivals.venvs import ROOT, named

Report = dict[str, Any]
FOLDER = ROOT / "docs" / "rivals"
FIGURES = FOLDER / "figures.json"
PAGE = ROOT / "docs" / "rivals.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- begin of what benchmarks/rivals wrote -->", "<!-- end of what it wrote -->"


def read_report(path: Path) -> Report:
    """Returns the figures of earlier runs, or an empty report."""
    read: Report = json.loads(path.read_text()) if path.is_file() else {}
    return {"rivals": {}, "not_installed": {}, "not_answered": {}, "questions": {}, **read}


def write_report(report: Report, path: Path) -> None:
    """Writes all figures; a run that is stopped keeps those of the questions that were answered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    unfinished.replace(path)


def write_page(report: Report, figures: Path = FIGURES) -> None:
    """Writes the page, one plot for each question, and the README's sentence.

    Of figures that lie elsewhere the page and a folder `rivals` of plots lie beside them, and the README stays.
    """
    page, plots = (PAGE, FOLDER) if figures == FIGURES else (figures.with_suffix(".md"), figures.parent / "rivals")
    plots.mkdir(parents=True, exist_ok=True)
    for name, chapter in chapters(report).items():
        (plots / f"{name}.svg").write_text(draw(chapter.plot))
    page.write_text(page_of(report))
    if figures == FIGURES:
        README.write_text(readme_of(README.read_text(), report))


def readme_of(readme: str, report: Report) -> str:
    """Returns the README with its sentence of these figures. Raises `ValueError` where it has no place for it."""
    before, begun, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"README.md has no place between {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{_sentence(report)}\n{END}{after}"


def _sentence(report: Report) -> str:
    if "overhead" not in report["questions"]:
        return "Not measured yet."
    figures = report["questions"]["overhead"]["figures"]
    ways = {
        "canongate-worded": "canongate, which matches, checks and records",
        "nemo-dialog-worded": "NeMo Guardrails' dialog by embeddings",
        "nemo-iorails": "NeMo Guardrails' regex rails by its quicker engine",
        "litellm-filter": "LiteLLM's proxy with its content filter",
        "litellm-plain": "the same without",
    }
    added = [f"{told} {added_ms(figures, name):.1f} ms" for name, told in ways.items() if name in figures["ways"]]
    told = f"To an upstream that answers at once, a request that is alone adds: {'; '.join(added)}."
    if report["questions"]["overhead"]["machine_was_shared"]:
        told += " Others used the machine meanwhile, so this is to be measured again."
    return "\n".join(textwrap.wrap(told, 120))


def chapters(report: Report) -> dict[str, Chapter]:
    """Returns the chapters of the questions that were answered, in their order."""
    answered = report["questions"]
    return {one.name: one.tell(answered[one.name]["figures"]) for one in QUESTIONS if one.name in answered}


def page_of(report: Report) -> str:
    """Returns the page."""
    told = chapters(report)
    titles = {one.name: one.title for one in QUESTIONS}
    parts = [_HEAD, _where_better(told, titles), _READING, _conditions(report)]
    parts += [_chapter(name, titles[name], chapter, report["questions"][name]) for name, chapter in told.items()]
    return "\n".join([*parts, _configurations()])


def _where_better(told: dict[str, Chapter], titles: dict[str, str]) -> str:
    lines = []
    for name, chapter in told.items():
        if chapter.better:
            lines += [f"- {titles[name]}", *(f"  - {sentence}" for sentence in chapter.better)]
    return "\n".join(["## Where a rival is better", "", *(lines or ["Nowhere, of what was asked here."]), ""])


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
    lines += [
        f"**Not answered by the last run: {name}.** `{' '.join(why.split())[:300].replace('`', '')}`"
        for name, why in report["not_answered"].items()
    ]
    return "\n\n".join(["\n".join(lines), "\n".join(_versions(report)), ""])


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
    return _link(named(name).requirements)


def _link(path: Path) -> str:
    """Returns a link to a file of the repository; a folder has only its name."""
    place = path.relative_to(ROOT)
    return f"[{path.name}](../{place})" if path.is_file() else f"`{place}`"


def _chapter(name: str, title: str, chapter: Chapter, about: dict[str, Any]) -> str:
    measured = f"{about['measured']}, {about['rounds']} round{'s' if about['rounds'] > 1 else ''}"
    shared = ", on a machine that others used too" if about["machine_was_shared"] else ""
    return "\n".join(
        [
            f"## {title}",
            "",
            f"![{chapter.plot.title}](rivals/{name}.svg)",
            "",
            *table(chapter.header, chapter.rows),
            "",
            *(f"{remark}\n" for remark in chapter.remarks),
            f"`.venv/bin/python -m benchmarks.rivals --only {name}` ({measured}{shared}).",
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
    rows = [(server.title, _files(server.configuration)) for server in (*SERVERS, SENTENCES, SMOLLM2)]
    return "\n".join(["## Configurations", "", *table(("", "in the repository"), rows), ""])


def _files(configuration: Path) -> str:
    return ", ".join(map(_link, sorted(configuration.iterdir()) if configuration.is_dir() else [configuration]))


_HEAD = """# Beside its rivals

For whoever chooses between this and another product, and wants figures.

What a guarded request costs, end to end on processors alone, here and with others: on one machine, with the same
messages, the same stub in place of the model and, where a model runs, the same weights and threads. Written by
`benchmarks/rivals` from [figures.json](rivals/figures.json); nothing on it is typed by hand.

```sh
make bench-rivals                                                # all of it, an hour at most on two idle cores
.venv/bin/python -m benchmarks.rivals --only overhead --quick    # one question, one short round
.venv/bin/python -m benchmarks.rivals --page                     # this page again, from its figures
```

The first run installs everybody's packages into `var/rivals` before that hour: some 5 GB, and a quarter of an hour to
half of one. What cannot be installed or does not run is named with its error, and the rest is measured. How the
products differ otherwise is on [another page](explanation/comparison.md).
"""

_READING = """## How to read these figures

Figures are medians of the rounds, with the lowest and the highest in brackets; where brackets overlap, the difference
is noise. Contestants take turns in each round. The server has all cores but the last, which the load and the stub
share: on two cores a server works on one, so that many at once wait for each other. Compare rows that do the same work:
one that checks nothing shows what its server costs by itself, and regular expressions are a small part of what
canongate does with a message, which also looks for the approved prompt and records the decision. A model takes a second
or more where these rows take milliseconds: what gets through, and which questions are answered rightly, matter more
than most of them.
"""
