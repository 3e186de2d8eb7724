"""The programs of the how-to pages, of the page on REST and of the README run as they stand, and print what is said."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.catalog import known_model, located
from models.embedding.embedder import packaged_minilm
from tests.demo_process import ROOT
from tests.gateway.command_line import environment
from tests.gateway.guides.code_blocks import Block, blocks_of, require_shape, run_block
from tests.gateway.guides.example_gateway import ExampleGateway, example_gateway

FOLDER = ROOT / "docs" / "how-to"
HOW_TO = [block for page in sorted(FOLDER.glob("*.md")) for block in blocks_of(page.stem, FOLDER)]
CALLS = [
    block
    for page, folder in (("api", ROOT / "docs"), ("README", ROOT))
    for block in blocks_of(page, folder)
    if block.language == "python"
]
KEYS = ('open("var/first-key").read().strip()', '"cg_..."')
"""Where a reader has a key."""


def parameters(blocks: list[Block], language: str) -> list[object]:
    return [pytest.param(one, id=one.id) for one in blocks if one.language == language]


@pytest.mark.parametrize("block", parameters(HOW_TO, "python"))
def test_a_program_prints_what_the_page_says(block: Block) -> None:
    require_shape(block, run_block(block, address="", key=""))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExampleGateway]:
    with example_gateway(tmp_path_factory.mktemp("calls")) as found:
        yield found


@pytest.mark.parametrize("block", parameters(CALLS, "python"))
def test_a_call_is_answered(block: Block, gateway: ExampleGateway) -> None:
    code = block.code
    for told in KEYS:
        code = code.replace(told, f'"{gateway.key}"')
    assert code != block.code
    named = Block(block.guide, block.heading, block.number, block.language, code, None, None)
    assert "answered" in run_block(named, address=gateway.address, key=gateway.key)


@pytest.mark.weights
def test_commands_bring_a_model_and_an_embedder(tmp_path: Path, embedder_cache: Path) -> None:
    """Each block in its turn, in a folder with somebody's own files; they are the packaged ones by other names."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "embedder").symlink_to(embedder_cache)
    (tmp_path / "my-model.gguf").symlink_to(located(known_model("smollm2-135m-instruct")))
    (tmp_path / "my-embedder").symlink_to(packaged_minilm())
    run_commands(f"canongate import {ROOT / 'examples' / 'helpdesk'}", tmp_path, data)  # a check wants content
    planned, prepared = [run_commands(one.code, tmp_path, data) for one in HOW_TO if one.language == "bash"]
    assert "my-model" in planned
    assert "verified" in prepared or "embedder" in prepared


def run_commands(code: str, folder: Path, data: Path) -> str:
    for told, real in {"/srv/models": str(folder), "canongate ": f"{sys.executable} -m gateway.cli "}.items():
        code = code.replace(told, real)
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-s"],
        input=code,
        env=environment(data, PYTHONPATH=str(ROOT)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    return done.stdout + done.stderr


def test_there_are_programs() -> None:
    assert {block.guide for block in HOW_TO if block.language in {"python", "bash"}} == {"bring-your-own"}
    assert len(CALLS) == 3
