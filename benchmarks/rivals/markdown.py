"""Markdown that the page is made of."""

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.venvs import ROOT


def link(path: Path, folder: Path) -> str:
    """Returns a link to a file of the repository from a page's folder; a folder has only its name."""
    return f"[{path.name}]({os.path.relpath(path, folder)})" if path.is_file() else f"`{path.relative_to(ROOT)}`"


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """Returns lines that a reader opens, or none of none."""
    return [f"<details><summary>{title}</summary>", "", *lines, "</details>", ""] if lines else []


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a table. Raises `ValueError` for a row of another length."""
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under {len(header)} headings: {row}")
    return [_line(header), f"|{'---|' * len(header)}", *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
