"""A gateway with a real SQLite file behind it, and sites that embed its widget."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import open_database
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.widget_world import Site, make_site
from tests.world import World


@pytest.fixture
def admin(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield AdminWorld(world, database, tmp_path)
    database.close()


@pytest.fixture
def site(admin: AdminWorld) -> Site:
    return make_site(admin)
