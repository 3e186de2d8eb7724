"""New databases with today's schema: SQLite files are copied from one that was migrated once."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from store.database import migrate

_SQLITE = "sqlite:///"


def migrate_new(url: str) -> None:
    """Gives an empty database today's schema; a database that exists already must be migrated itself."""
    if not url.startswith(_SQLITE):
        migrate(url)
        return
    path = Path(url.removeprefix(_SQLITE))
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(_template() / "new.db", path)
    path.chmod(0o600)


@cache
def _template() -> Path:
    folder = TemporaryDirectory(prefix="canongate-migrated-")
    migrate(f"{_SQLITE}{folder.name}/new.db")
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[TemporaryDirectory[str]] = []
"""Folders that go with the process."""
