"""New databases with today's schema: each is copied from one that was migrated once."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from store.database import migrate

_SQLITE = "sqlite:///"
_TEMPLATE = "migrated"


def migrate_new(url: str) -> None:
    """Gives an empty database today's schema; a database that exists already must be migrated itself."""
    if not url.startswith(_SQLITE):
        _copy(make_url(url))
        return
    path = Path(url.removeprefix(_SQLITE))
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(_template() / "new.db", path)
    path.chmod(0o600)


def _copy(url: URL) -> None:
    """Puts a copy of the server's template in the place of the empty database."""
    with psycopg.connect(_told(url.set(database="postgres")), autocommit=True) as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone() is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
            migrate(_told(url.set(database=_TEMPLATE)))
        names = {"made": sql.Identifier(str(url.database)), "template": sql.Identifier(_TEMPLATE)}
        server.execute(sql.SQL("DROP DATABASE {made}").format(**names))
        server.execute(sql.SQL("CREATE DATABASE {made} TEMPLATE {template}").format(**names))


def _told(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@cache
def _template() -> Path:
    folder = TemporaryDirectory(prefix="canongate-migrated-")
    migrate(f"{_SQLITE}{folder.name}/new.db")
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[TemporaryDirectory[str]] = []
"""Folders that go with the process."""
