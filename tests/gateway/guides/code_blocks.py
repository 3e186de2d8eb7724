"""The blocks of code in the guides: what they are, how they run, and whether what comes of them has the shape told."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[3]
GUIDES = ROOT / "docs" / "guides"
ESBUILD = ROOT / "gateway" / "web" / "script" / "node_modules" / ".bin" / "esbuild"
CLIENT = ROOT / "gateway" / "web" / "widget" / "dist" / "client" / "index.js"
RUN = frozenset({"bash", "python", "typescript"})
"""Languages of which every block is run. The others are for reading: `text`, `json`, `html`, `toml`, `http`."""
EXPECTED = frozenset({"json", "text"})
_WORD = re.compile(r"[a-z_.:-]+")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code, with what the guide says that it prints."""

    guide: str
    heading: str
    number: int
    language: str
    code: str
    expected: str | None
    expected_language: str | None

    @property
    def id(self) -> str:
        return f"{self.guide}-{self.number}-{self.language}"


def blocks_of(guide: str, folder: Path = GUIDES) -> Iterator[Block]:
    """Gives all blocks of a guide. One of `json` or `text` right after one that is run is what that prints."""
    tokens = MarkdownIt("js-default").parse((folder / f"{guide}.md").read_text(encoding="utf-8"))
    heading = ""
    for number, one in enumerate(tokens):
        if one.type == "heading_open":
            heading = tokens[number + 1].content
        if one.type != "fence":
            continue
        after = tokens[number + 1] if number + 1 < len(tokens) else one
        is_told = one.info in RUN and after.type == "fence" and after.info in EXPECTED
        yield Block(
            guide,
            heading,
            (one.map or [0])[0] + 1,
            one.info,
            one.content,
            after.content if is_told else None,
            after.info if is_told else None,
        )


def run_block(block: Block, *, address: str, key: str, more: str = "") -> str:
    """Runs a block against a gateway; gives what it prints. `more` is code that goes on in the same program."""
    code = (
        block.code.replace("http://127.0.0.1:8080", address).replace("canongate-widget/client", CLIENT.as_uri()) + more
    )
    environment = {"PATH": os.environ["PATH"], "CANONGATE_KEY": key, "WIDGET_SECRET": "s" * 43}  # noqa: TID251
    done = subprocess.run(  # noqa: S603 -- our own guides
        _command(block.language),
        input=_javascript(code) if block.language == "typescript" else code,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{block.id}: {done.stderr}\n{done.stdout}"
    return done.stdout


def _command(language: str) -> list[str]:
    if language == "bash":
        return ["bash", "-euo", "pipefail", "-s"]
    if language == "python":
        return [sys.executable, "-W", "error", "-"]
    return ["node", "--input-type=module", "-"]


def _javascript(code: str) -> str:
    """Takes the types away. Whoever could install esbuild must have: only others skip."""
    if not ESBUILD.exists():
        words = "esbuild is not here. Run `make setup`."
        (pytest.fail if os.geteuid() == 0 else pytest.skip)(words)
    command = [str(ESBUILD), "--loader=ts", "--format=esm", "--log-level=warning"]
    return subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout  # noqa: S603


def require_shape(block: Block, printed: str) -> None:
    """Raises `AssertionError` where what was printed has not the shape that the guide shows."""
    assert block.expected is not None
    if block.expected_language == "json":
        differing = list(differences(json.loads(block.expected), json.loads(printed)))
        assert not differing, f"{block.id}: {differing}\n{printed}"
        return
    wanted, given = block.expected.strip().splitlines(), printed.strip().splitlines()
    assert len(wanted) == len(given), f"{block.id}: {printed}"
    for one, other in zip(wanted, given, strict=True):
        pattern = re.sub(r"\d+", r"\\d+", re.escape(one)).replace("…", ".*")
        assert re.fullmatch(pattern, other), f"{block.id}: told {one!r}, printed {other!r}"


def differences(told: Any, given: Any, place: str = "$") -> Iterator[str]:
    """Gives the places where two JSON values have not the same shape: fields, kinds, and words such as `answered`."""
    if isinstance(told, dict) and isinstance(given, dict):
        for name in told.keys() ^ given.keys():
            yield f"{place}.{name}: {'not printed' if name in told else 'not told'}"
        for name in told.keys() & given.keys():
            yield from differences(told[name], given[name], f"{place}.{name}")
    elif isinstance(told, list) and isinstance(given, list):
        if bool(told) != bool(given):
            yield f"{place}: {len(told)} told, {len(given)} printed"
        for number, one in enumerate(given):
            yield from differences(told[min(number, len(told) - 1)], one, f"{place}[{number}]")
    elif _kind(told) != _kind(given) or (isinstance(told, str) and _WORD.fullmatch(told) and told != given):
        yield f"{place}: {told!r} told, {given!r} printed"


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(type(value))
    return "number" if isinstance(value, int | float) else str(type(value))
