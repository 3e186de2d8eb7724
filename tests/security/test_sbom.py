"""The bill of materials names what is installed, in CycloneDX's form, and no licence that we cannot keep."""

import json
import re
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.sbom import EXTRAS, STATED_IN_FILES, bill_of_materials, licence_list
from models.catalog import KNOWN_MODELS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = ROOT / "var" / "tools" / "sbom"
OF_THEIR_OWN = {"matplotlib"}
"""No licence of SPDX's list; named by a reference."""
SENTENCES = {
    "BSD-2-Clause": ("BSD 2-Clause License",),
    "BSD-3-Clause": ("Redistribution and use in source and binary forms", "Neither the name"),
    "LGPL-2.1-or-later": ("GNU LESSER GENERAL PUBLIC LICENSE", "Version 2.1"),
    "MIT": ("MIT License", "Permission is hereby granted, free of charge"),
    "Apache-2.0": ("Apache License", "Version 2.0"),
    "LicenseRef-matplotlib": ("License agreement for matplotlib",),
}
NO_FILE = {"tokenizers"}
"""Comes without the text of its licence."""
WEAK = {"python-stdnum", "psycopg", "psycopg-binary"}
"""Under the LGPL: installed beside us as they are."""


@pytest.fixture(scope="module")
def bill() -> dict:
    return bill_of_materials()


def test_it_names_every_dependency_of_ours(bill: dict) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    parts = {canonicalize_name(part["name"]): part for part in bill["components"]}
    assert asked <= set(parts)
    assert {"h11", "torch", "swagger-ui-dist"} <= set(parts)
    assert parts["smollm2-135m-instruct"]["hashes"][0]["content"] == KNOWN_MODELS[0].sha256
    assert not {"pytest", "ruff", "mypy", "esbuild", "typescript"} & set(parts)


def test_every_edge_leads_to_a_part(bill: dict) -> None:
    known = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    edges = {edge["ref"]: edge["dependsOn"] for edge in bill["dependencies"]}
    assert set(edges) <= known
    assert {ref for refs in edges.values() for ref in refs} <= known
    named = {ref.rpartition("@")[0]: refs for ref, refs in edges.items()}
    assert any(ref.startswith("pkg:pypi/sqlalchemy@") for ref in named["pkg:pypi/alembic"])


def test_every_licence_is_known_and_can_be_kept(bill: dict) -> None:
    lines = list(licence_list(bill))
    assert len(lines) == len(bill["components"]) > 100
    assert not [part["name"] for part in bill["components"] if "expression" not in part["licenses"][0]]
    assert {line.split()[-2] for line in lines if "LicenseRef-" in line} == OF_THEIR_OWN
    assert {line.split()[-2] for line in lines if "GPL" in line.split()[0]} == WEAK


@pytest.mark.parametrize(("name", "licence"), STATED_IN_FILES.items())
def test_what_the_metadata_leave_open_is_what_the_package_says(name: str, licence: str) -> None:
    files = [one for one in distribution(name).files or () if one.name.upper().startswith(("LICEN", "COPYING"))]
    assert bool(files) != (name in NO_FILE)
    assert not files or any(all(words in one.read_text() for words in SENTENCES[licence]) for one in files)


def test_it_names_what_the_container_is_installed_with(bill: dict) -> None:
    file = (ROOT / "deploy" / "container" / "Containerfile").read_text()
    (first,) = re.findall(r"^ARG EXTRA=(\w+)$", file, re.MULTILINE)
    ((_, more),) = re.findall(r'"\.\[(\$\{EXTRA\}),([\w,]+)\]"', file)
    assert {first, *more.split(",")} == set(EXTRAS)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {canonicalize_name(Requirement(text).name) for extra in EXTRAS for text in extras[extra]}
    assert asked <= {canonicalize_name(part["name"]) for part in bill["components"]}
    assert {"redis", "opentelemetry-sdk", "psycopg"} <= asked


def test_the_schema_of_cyclonedx_accepts_it(bill: dict, tmp_path: Path) -> None:
    if not (TOOLS / ".ready").exists():
        pytest.skip("cyclonedx is not installed; `make sbom` installs it")
    written = tmp_path / "bill.json"
    for change, wanted in (({}, 0), ({"components": [{"type": "library"}]}, 1)):
        written.write_text(json.dumps({**bill, **change}))
        program = [TOOLS / "bin" / "python", HERE / "check_bill.py", written]
        done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - ours
        assert done.returncode == wanted, done.stderr[-2000:]
