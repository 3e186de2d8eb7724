"""Every example of the guides runs as it stands, and prints what the guide says, in shape."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.guides import ORDER
from tests.gateway.guides.code_blocks import (
    EXPECTED,
    GUIDES,
    RUN,
    Block,
    blocks_of,
    differences,
    require_shape,
    run_block,
)
from tests.gateway.guides.example_gateway import ExampleGateway, example_gateway

BLOCKS = [block for guide in ORDER for block in blocks_of(guide)]
READ = EXPECTED | {"html", "toml", "http", "javascript", "sh"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExampleGateway]:
    with example_gateway(tmp_path_factory.mktemp("guides")) as found:
        yield found


@pytest.mark.parametrize("block", [pytest.param(one, id=one.id) for one in BLOCKS if one.language in RUN])
def test_an_example_runs_and_prints_what_the_guide_says(block: Block, gateway: ExampleGateway) -> None:
    printed = run_block(block, address=gateway.address, key=gateway.key)
    if block.expected is not None:
        require_shape(block, printed)


def test_every_block_is_run_or_is_of_a_language_for_reading() -> None:
    assert {block.language for block in BLOCKS} <= RUN | READ
    assert {path.stem for path in Path(GUIDES).glob("*.md")} == set(ORDER)


def test_a_shape_that_differs_is_told() -> None:
    told = {"outcome": "answered", "prompt": {"version": 1}, "values": ["Leeds"], "slot": None}
    assert not list(differences(told, {**told, "prompt": {"version": 7}, "values": ["Lisbon", "Gdansk"]}))
    assert list(differences(told, {**told, "outcome": "no_match"})) == [
        "$.outcome: 'answered' told, 'no_match' printed"
    ]
    assert list(differences(told, {**told, "prompt": {"version": "1"}})) == ["$.prompt.version: 1 told, '1' printed"]
    assert list(differences(told, {**told, "slot": {}})) == ["$.slot: None told, {} printed"]
    assert list(differences(told, {**told, "values": []})) == ["$.values: 1 told, 0 printed"]
    assert list(differences(told, {"outcome": "answered", "prompt": {"version": 1}, "values": ["x"]})) == [
        "$.slot: not printed"
    ]
