"""No version that we lock has a hole that we know of, and nothing unknown runs when Python starts."""

import ast
import datetime as dt
import sysconfig
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = ("gateway", "rails", "store", "models")
STARTERS = {"_editable_impl_canongate.pth", "a1_coverage.pth", "distutils-precedence.pth"}
"""Of ourselves, coverage and setuptools."""


class Advisory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hole, and the versions that have it."""

    id: str
    package: str
    affected: str
    what: str
    source: Annotated[str, Meta(pattern="^https://")]
    answered_by: str | None = None


class Advisories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, and when somebody last looked for more."""

    checked: dt.date
    advisory: tuple[Advisory, ...]


def locked() -> dict[str, Version]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): Version(version) for name, version in pairs}


KNOWN = msgspec.convert(tomllib.loads((HERE / "advisories.toml").read_text()), Advisories)


@pytest.mark.parametrize("known", KNOWN.advisory, ids=lambda one: f"{one.id} {one.package}")
def test_no_locked_version_has_a_known_hole(known: Advisory) -> None:
    version = locked()[canonicalize_name(known.package)]
    is_open = SpecifierSet(known.affected).contains(version, prereleases=True)
    assert is_open == (known.answered_by is not None), f"{known.package} {version}: {known.what}"
    if known.answered_by:
        file, _, test = known.answered_by.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text()


def test_an_old_version_would_be_noticed() -> None:
    litestar = next(one for one in KNOWN.advisory if one.package == "litestar")
    assert SpecifierSet(litestar.affected).contains(Version("2.19.1"))
    assert not SpecifierSet(litestar.affected).contains(locked()["litestar"])


def test_nothing_of_ours_opens_a_cache_on_disk() -> None:
    """Neither diskcache itself nor the two classes of llama-cpp-python that stand on it."""
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported += [name.name for name in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            called = node.attr if isinstance(node, ast.Attribute) else ""
            assert not {"diskcache", "LlamaDiskCache"} & {*imported, called}, file
            assert called != "set_cache", file


def test_no_unknown_file_runs_when_python_starts() -> None:
    """A stolen release of LiteLLM (1.82.8) brought a .pth file that read credentials at every start."""
    starters = {file.name for file in Path(sysconfig.get_path("purelib")).glob("*.pth")}
    assert starters
    assert starters <= STARTERS
