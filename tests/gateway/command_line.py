"""Runs commands as a shell would, in this process: arguments in; exit status, output and errors out."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


class CommandLine:
    """The command line over one data folder."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = data
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("CANONGATE_DATA__DIRECTORY", str(data))
        monkeypatch.setenv("CANONGATE_MATCHING__TUNE", "false")
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("TERM", "dumb")

    def __call__(self, *arguments: object) -> Done:
        self._monkeypatch.setattr(sys, "argv", ["canongate", *map(str, arguments)])
        self._capsys.readouterr()
        status: Any = 0
        with own_logging():
            try:
                main()
            except SystemExit as left:
                status = left.code or 0
        captured = self._capsys.readouterr()
        return Done(status, captured.out, captured.err)


def cells(table: str) -> str:
    """Returns a printed table without its lines."""
    return re.sub("[│┃]", " ", table)


def is_one_line_of_ours(done: Done) -> bool:
    """Whether a command ended as it should with an error of ours."""
    return done.status == 1 and done.out == "" and re.fullmatch(r"canongate: [^\n]+\n", done.err) is not None


@contextmanager
def own_logging() -> Iterator[None]:
    """Gives the commands a logging set-up of their own; the one of the tests comes back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("gateway")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        structlog.reset_defaults()


def environment(data: Path, **more: str) -> dict[str, str]:
    """Returns what a process of its own gets: the data folder, and nothing of this one but its search path."""
    return {
        "CANONGATE_DATA__DIRECTORY": str(data),
        "CANONGATE_MATCHING__TUNE": "false",
        "PATH": os.defpath,
        "HOME": str(data),
        "NEMO_GUARDRAILS_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
        **more,
    }
