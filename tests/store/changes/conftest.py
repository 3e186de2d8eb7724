"""Changes on real databases."""

import pytest

from store.database import Database
from tests.store.changes.change_world import ChangeWorld


@pytest.fixture
def world(database: Database) -> ChangeWorld:
    made = ChangeWorld(database)
    made.publish_first()
    return made
