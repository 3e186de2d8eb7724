"""Measures how long the audit trail takes to verify: `python -m benchmarks.audit --rows 100000 --json`."""

import argparse
import datetime as dt
import json
import tempfile
import time
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from store.audit import FIRST_SEAL, AuditEntry, AuditTrail, seal_of
from store.database import Database, migrate, open_database
from store.people import SYSTEM
from store.proof.verification import verify_trail
from store.tables import AuditRow

KEY = b"b" * 32
SYSTEM_TIME = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)
_CHUNK = 10_000


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'audit.db'}"
        migrate(url)
        database = open_database(url)
        fill(database, choices.rows)
        spent = []
        for _ in range(choices.runs):
            started = time.perf_counter()
            found = verify_trail(database, KEY)
            spent.append(time.perf_counter() - started)
            if found.fault or found.rows != choices.rows:
                raise SystemExit(f"the trail is broken: {found}")
        appended = time_appends(database)
        database.close()
    figures = {
        "rows": choices.rows,
        "verify_s_median": round(median(spent), 3),
        "verify_s_max": round(max(spent), 3),
        "append_ms_median": round(median(appended) * 1000, 3),
    }
    print(json.dumps(figures) if choices.json else "\n".join(f"{name:>18}  {value}" for name, value in figures.items()))


def fill(database: Database, rows: int) -> None:
    """Adds rows that are sealed as `AuditTrail.append` does it, many at once."""
    before = FIRST_SEAL
    started = SYSTEM_TIME
    for first in range(1, rows + 1, _CHUNK):
        chunk = []
        for number in range(first, min(first + _CHUNK, rows + 1)):
            at = started.replace(microsecond=number % 1_000_000)
            details = {"revision": number, "sha256": f"{number:064x}", "areas": ["it", "hr"], "is_flagged": False}
            entry = AuditEntry(number, at, "user:7", "user:7", "change.approved", f"change {number}", details, b"")
            before = seal_of(before, entry.canonical, KEY)
            chunk.append(
                {
                    "number": number,
                    "at": at,
                    "actor": entry.actor,
                    "person": entry.person,
                    "action": entry.action,
                    "target": entry.target,
                    "details": details,
                    "seal": before,
                }
            )
        with database.writing() as session:
            session.execute(insert(AuditRow), chunk)


def time_appends(database: Database, count: int = 50) -> list[float]:
    """Returns how long each transaction with one row took, with its wait for the disk."""
    trail, spent = AuditTrail(database, KEY), []
    for number in range(count):
        started = time.perf_counter()
        with database.writing() as session:
            trail.append(SYSTEM, "change.approved", f"change {number}", {"revision": number}, session=session)
        spent.append(time.perf_counter() - started)
    return spent


if __name__ == "__main__":
    main()
