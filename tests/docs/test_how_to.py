"""The programs of the how-to pages run as they stand, and print what the page says."""

import pytest

from tests.demo_process import ROOT
from tests.gateway.guides.code_blocks import Block, blocks_of, require_shape, run_block

FOLDER = ROOT / "docs" / "how-to"
BLOCKS = [block for page in FOLDER.glob("*.md") for block in blocks_of(page.stem, FOLDER) if block.language == "python"]


@pytest.mark.parametrize("block", [pytest.param(one, id=one.id) for one in BLOCKS])
def test_a_program_prints_what_the_page_says(block: Block) -> None:
    require_shape(block, run_block(block, address="", key=""))


def test_there_are_programs() -> None:
    assert {block.guide for block in BLOCKS} == {"bring-your-own"}
