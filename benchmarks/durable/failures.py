"""A disk that is full, and a statement that fails, at every place where one can."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from benchmarks.durable.writes import Inspector, Writer
from store.catalog import load_catalog
from store.database import migrate, open_database
from store.errors import StoreUnavailable

_SIZE = "8m"
_MOST = 1000
_REFUSALS = 20


def fill_disk() -> dict[str, Any]:
    """Writes to a file system of 8 MiB until it is full, frees a part, and goes on."""
    with tempfile.TemporaryDirectory(prefix="canongate-full-") as folder:
        mounted = subprocess.run(  # noqa: S603 -- arguments of ours
            ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", folder],  # noqa: S607 -- a benchmark, as root
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode != 0:
            return {"skipped": f"no tmpfs can be mounted here: {mounted.stderr.strip()[:100]}"}
        try:
            return _fill(Path(folder))
        finally:
            subprocess.run(["umount", folder], check=True)  # noqa: S603, S607 -- as above


def _fill(folder: Path) -> dict[str, Any]:
    url = f"sqlite:///{folder / 'x.db'}"
    migrate(url)
    ballast = folder / "ballast"
    ballast.write_bytes(os.urandom(1 << 20))
    database, inspector = open_database(url), Inspector()
    acknowledged: dict[UUID, int] = {}
    writer, published, refusals = Writer(database), 0, 0
    try:
        while refusals < _REFUSALS and published < _MOST:
            try:
                writer.write(published + 1, acknowledged.__setitem__)
            except StoreUnavailable:
                refusals += 1
            else:
                published += 1
        reads = load_catalog(database).revision == published
        last = inspector.look(url, acknowledged)
        ballast.unlink()
        writer.write(last + 1, acknowledged.__setitem__)
        after = inspector.look(url, acknowledged)
    finally:
        database.close()
    found = inspector.found
    return {
        "steps_acknowledged": sum(acknowledged.values()),
        "publishes": published,
        "refused": refusals,
        "reads_go_on": reads,
        "writes_again_when_freed": after == last + 1,
        "acknowledged_lost": found.lost,
        "changed_by_a_failed_write": found.ahead,
        "half_published": found.half,
        "chain_breaks": found.breaks,
    }


def fail_each_statement() -> dict[str, Any]:
    """Lets the first statement of a write fail, then the second, and so on until none is left to fail."""
    with tempfile.TemporaryDirectory(prefix="canongate-nth-") as folder:
        url = f"sqlite:///{Path(folder) / 'x.db'}"
        migrate(url)
        database, inspector = open_database(url), Inspector()
        writer = Writer(database)
        writer.write(1)
        left: int | None = None

        def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            nonlocal left
            if left is not None:
                left -= 1
                if left == 0:
                    raise OperationalError(statement, {}, OSError("disk I/O error"))

        event.listen(database._engine, "before_cursor_execute", fail)  # noqa: SLF001 -- what a broken disk would do
        told = changed = 0
        acknowledged: dict[UUID, int] = {}
        place = 1
        while True:
            left = place
            try:
                writer.write(2, acknowledged.__setitem__)
            except StoreUnavailable:
                told += 1
            else:
                break
            left = None
            changed += inspector.look(url, acknowledged) != 1
            place += 1
            if place > _MOST:
                raise SystemExit("a write of more than a thousand statements: this is a bug.")
        left = None
        done = inspector.look(url, acknowledged) == 2
        database.close()
    found = inspector.found
    return {
        "statements": told,
        "acknowledged_lost": found.lost,
        "changed_by_a_failed_write": changed + found.ahead,
        "then_done": done,
        "half_published": found.half,
        "chain_breaks": found.breaks,
    }
