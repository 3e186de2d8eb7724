"""Every block of code in the manual, and the ways in which one is tried without running it for an hour."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import msgspec

from gateway.cli import app
from gateway.settings import Settings
from store.formats.documents import parse_yaml
from tests.gateway.guides.code_blocks import ROOT, Block, blocks_of

DOCS = ROOT / "docs"
WRITTEN_BY_PROGRAMS = ("adr", "rest")
"""Folders of the manual that show no examples."""
PROGRAMS = frozenset(
    {
        "cat",
        "cd",
        "curl",
        "docker",
        "export",
        "install",
        "journalctl",
        "kubectl",
        "lm_eval",
        "mv",
        "rm",
        "sed",
        "systemctl",
        "useradd",
    }
)
"""What a shell's block may begin with beside what is ours; only that it is ours can be tried here."""
_BREAK = re.compile(r"\\\n\s*")
_VARIABLE = re.compile(r"^[A-Z_]+=\S+$")


def manual() -> Iterator[tuple[str, Block]]:
    """Gives all blocks of the manual, the README's too, each with the page that it is on."""
    pages = [path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] not in WRITTEN_BY_PROGRAMS]
    for path in (*sorted(pages), ROOT / "README.md"):
        page = str(path.relative_to(DOCS if DOCS in path.parents else ROOT).with_suffix(""))
        for block in blocks_of(path.stem, path.parent):
            yield page, block


def commands_of(code: str) -> Iterator[list[str]]:
    """Gives the commands of a shell's block as words, without variables in front, comments, and what is not typed."""
    for line in _BREAK.sub(" ", code).splitlines():
        typed = line.removeprefix("$ ")
        if typed.strip().startswith("#") or not typed.strip():
            continue
        for one in re.split(r" && | \| | > ", typed):
            words = shlex.split(one, comments=True)
            while words and _VARIABLE.match(words[0]):
                words = words[1:]
            if words:
                yield words


def require_command(words: list[str]) -> None:
    """Raises `AssertionError` for a command of ours that is not there, or that does not take what it is given."""
    name = Path(words[0]).name
    if name == "canongate":
        _require_taken(app, words[1:], f"canongate {' '.join(words[1:])}")
    elif name == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words[1:]) <= set(targets), words
    elif name == "python" and words[1:4] == ["-m", "pip", "install"]:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert words[-1] in {f".[{extra}]" for extra in extras}, words
    elif name == "python" and words[1] == "-m":
        _require_program(words[2], [one for one in words[3:] if one.startswith("--")])
    elif name.endswith((".json", ".jsonl")):
        return  # what a command wrote to
    else:
        assert name in PROGRAMS, f"{words[0]}: a test runs it, or its page says why not"


def _require_taken(command: click.Command, words: list[str], told: str) -> None:
    """Parses what a command is given, as it would, without looking for files."""
    names = app.context_settings["help_option_names"]
    context = click.Context(command, info_name=command.name, help_option_names=names)
    try:
        options, arguments, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        raise AssertionError(f"{told}: {error.message}") from error
    if isinstance(command, click.Group):
        assert arguments, told
        inner = command.get_command(context, arguments[0])
        assert inner is not None, told
        _require_taken(inner, arguments[1:], told)
        return
    assert not arguments, f"{told}: {arguments} is too much"
    for one in command.params:
        given = options.get(one.name or "")
        if given is None or one.value_is_missing(given):
            assert not isinstance(one, click.Argument) or not one.required, f"{told}: {one.name} is missing"
        elif isinstance(one.type, click.Choice):
            assert _is_choice(one, given), f"{told}: {given} is no choice of {one.name}"


def _is_choice(one: click.Parameter, given: Any) -> bool:
    choices = {str(getattr(choice, "value", choice)) for choice in one.type.choices}
    return set(given if isinstance(given, list | tuple) else [given]) <= choices


def _require_program(module: str, options: list[str]) -> None:
    """A program of the repository, whose source names each option."""
    path = ROOT.joinpath(*module.split("."))
    sources = [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else sorted(path.glob("*.py"))
    assert sources, f"{module} is not there"
    text = "".join(one.read_text() for one in sources)
    missing = [one for one in options if f'"{one.partition("=")[0]}"' not in text]
    assert not missing, f"{module} does not take {missing}"


def require_settings(code: str) -> dict[str, Any]:
    """Gives what TOML says; raises where it is not settings of the gateway. What is left open counts as given."""
    filled = code.replace('"whsec_…"', f'"whsec_{"A" * 43}="').replace('sha256 = "..."', f'sha256 = "{"0" * 64}"')
    said = tomllib.loads(filled)
    msgspec.convert(said, Settings, strict=False)
    return said


def require_yaml(code: str) -> Any:
    """Gives what YAML says, read as the gateway reads it. Pieces may be lists, or stand deeper in their file."""
    text = dedent(code)
    is_list = text.startswith("- ")
    said = parse_yaml(f"list:\n{text}".encode() if is_list else text.encode())
    return said["list"] if is_list else said
