"""A gate on SQLite."""

from collections.abc import Iterator

import pytest

from store.database import open_database
from tests.gateway.changing.gate_world import GateWorld
from tests.migrated import migrate_new


@pytest.fixture
def gating(tmp_path) -> Iterator[GateWorld]:
    url = f"sqlite:///{tmp_path / 'gate.db'}"
    migrate_new(url)
    database = open_database(url)
    made = GateWorld(database)
    yield made
    made.gate.close()
    database.close()
