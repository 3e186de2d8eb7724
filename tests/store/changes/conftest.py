"""Changes on real databases."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent)]

from store.database import Database


@pytest.fixture
def world(database: Database):
    from change_world import ChangeWorld  # noqa: PLC0415 -- after the path is known

    made = ChangeWorld(database)
    made.publish_first()
    return made
