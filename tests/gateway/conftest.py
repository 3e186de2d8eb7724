"""An admin surface on a real SQLite file."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from store.database import open_database
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.world import World


@pytest.fixture
def make_admin(world: World, tmp_path: Path) -> Iterator[Callable[..., AdminWorld]]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield partial(AdminWorld, world, database, tmp_path)
    database.close()


@pytest.fixture
def admin(make_admin: Callable[..., AdminWorld]) -> AdminWorld:
    return make_admin()
