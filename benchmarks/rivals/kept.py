"""Where figures are kept: one JSON file, read with care and written whole."""

import json
from pathlib import Path
from typing import Any

from benchmarks.rivals.questions import QUESTIONS
from benchmarks.rivals.venvs import ROOT, VENVS

Report = dict[str, Any]
FOLDER = ROOT / "docs" / "rivals"
FIGURES = FOLDER / "figures.json"
"""Those that stand in the repository, and that the page is written from."""
QUICK = VENVS / "quick" / "figures.json"
"""Where a quick run keeps its figures."""
_EMPTY: Report = {"rivals": {}, "not_installed": {}, "not_answered": {}, "questions": {}}
_ABOUT = ("measured", "machine", "rounds", "is_quick", "machine_was_shared", "figures")
"""What each question has beside its figures."""


class NotFigures(Exception):
    """A file does not hold figures of this program; the message says what is wrong with it."""


def read_report(path: Path, *, must_exist: bool = False) -> Report:
    """Returns the figures of earlier runs, or an empty report where there is no file.

    Raises `NotFigures` for a folder, for a file that is not what this program wrote, and for none that must exist.
    """
    if path.is_dir():
        raise NotFigures(f"{path} is a folder; name a file, such as {path / 'figures.json'}")
    if not path.exists():
        if must_exist:
            raise NotFigures(f"{path} is not there; measure first, or name another file with --figures")
        return {**_EMPTY}
    try:
        read = json.loads(path.read_text())
    except ValueError as error:
        raise NotFigures(f"{path} is not JSON: {error}") from error
    except OSError as error:
        raise NotFigures(f"{path} cannot be read: {error}") from error
    _check(read, path)
    return {**_EMPTY, **read}


def _check(read: Any, path: Path) -> None:
    """Raises `NotFigures` unless this is a report."""
    if not isinstance(read, dict) or not all(isinstance(read.get(key, {}), dict) for key in _EMPTY):
        raise NotFigures(f"{path} does not hold figures of this program: it has no questions by name")
    known = {one.name for one in QUESTIONS}
    for name, about in read.get("questions", {}).items():
        if name not in known:
            raise NotFigures(f"{path} has a question that nobody asks: {name!r}; known are {', '.join(sorted(known))}")
        missing = [key for key in _ABOUT if not isinstance(about, dict) or about.get(key) is None]
        if missing:
            raise NotFigures(f"{path}: {name} lacks {', '.join(missing)}")


def write_report(report: Report, path: Path) -> None:
    """Writes all figures; a run that is stopped keeps those of the questions that were answered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    unfinished.replace(path)
