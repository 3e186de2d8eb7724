"""The bill of materials names what is installed, in CycloneDX's form, and no licence that we cannot keep."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.sbom import bill_of_materials, licence_list
from models.catalog import KNOWN_MODELS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = ROOT / "var" / "tools" / "sbom"
NOT_STATED = {"py_rust_stemmers", "rich-click"}
"""Their metadata name no licence; the files that they install do (MIT)."""
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
    assert {line.split()[-2] for line in lines if line.startswith("not stated")} == NOT_STATED
    assert {line.split()[-2] for line in lines if "GPL" in line.split()[0]} == WEAK


def test_the_schema_of_cyclonedx_accepts_it(bill: dict, tmp_path: Path) -> None:
    if not (TOOLS / ".ready").exists():
        pytest.skip("cyclonedx is not installed; `make sbom` installs it")
    written = tmp_path / "bill.json"
    for change, wanted in (({}, 0), ({"components": [{"type": "library"}]}, 1)):
        written.write_text(json.dumps({**bill, **change}))
        program = [TOOLS / "bin" / "python", HERE / "check_bill.py", written]
        done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - ours
        assert done.returncode == wanted, done.stderr[-2000:]
