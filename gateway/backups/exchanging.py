"""Puts files in the place of others, which are set aside: all of it happens, or nothing."""

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path


def exchange(aside: Mapping[Path, Path], put: Mapping[Path, Path]) -> None:
    """Moves what is there (`aside`) and then what is new (`put`, the last one last), each from its place to another.

    Raises `OSError`; then what was there is there again, or where it was set aside when not even that could be done.
    """
    with ExitStack() as undo:
        for source, target in put.items():
            undo.callback(_remove, _beside(target))
            _bring(source, _beside(target))
        for source, target in aside.items():
            undo.callback(_give_back, source, target)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(source, target)
        for target in put.values():
            undo.callback(_remove, target)
            _beside(target).replace(target)
        undo.pop_all()


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.coming")


def _bring(source: Path, beside: Path) -> None:
    """Moves what is new near its place, which may be on another file system: from there it is one step."""
    beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove(beside)
    shutil.move(source, beside)
    if beside.is_file():
        with beside.open("rb") as file:
            os.fsync(file.fileno())


def _give_back(source: Path, target: Path) -> None:
    if not source.exists():
        shutil.move(target, source)
    elif target.is_file():  # a copy on another file system: the file itself goes last
        target.unlink()
    with suppress(OSError):  # others are still in the folder
        target.parent.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
