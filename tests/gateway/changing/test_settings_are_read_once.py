"""Settings of the operator are read at the start alone; what a running gateway takes up is what changes edit."""

import ast
import dataclasses
import re
from pathlib import Path

import msgspec

import gateway
from gateway.settings import Settings
from store.catalog import Catalog
from store.changes.types import EditKind

ROOT = Path(gateway.__file__).parents[1]
PLURALS = {"policies": "policy"}


def callers_of(name: str) -> set[str]:
    found = set()
    for path in ROOT.joinpath("gateway").rglob("*.py"):
        calls = (one.func for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call))
        if any(name in (getattr(one, "id", ""), getattr(one, "attr", "")) for one in calls):
            found.add(path.relative_to(ROOT).as_posix())
    return found


def test_settings_are_read_by_the_command_line_alone():
    # `serve` reads them again when the service manager asks for it, and takes over what may change.
    assert callers_of("load_settings") == {"gateway/commands/options.py", "gateway/commands/serving.py"}


def test_every_kind_of_content_that_a_running_gateway_takes_up_is_edited_in_changes():
    kinds = {one.name for one in dataclasses.fields(Catalog)} - {"revision"}
    assert {PLURALS.get(one, one.removesuffix("s")) for one in kinds} == {kind.value for kind in EditKind}


def test_the_manual_says_of_every_section_of_settings_that_it_is_the_operators():
    told = ROOT.joinpath("docs", "changes.md").read_text().split("## Settings")[1].split("\n## ")[0]
    named = set(re.findall(r"`\[([a-z]+)\]`", told))
    assert named == {field.name for field in msgspec.structs.fields(Settings)}
