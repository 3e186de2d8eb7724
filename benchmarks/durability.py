"""Kills what writes, fills the disk and breaks statements, and counts what was acknowledged and is not there.

Example: `python -m benchmarks.durability --kills 200 --postgres-kills 20 --json`. A power loss is not tried: it takes
a machine.
"""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.durable.failures import fail_each_statement, fill_disk
from benchmarks.durable.kills import kill_postgres_servers, kill_sqlite_writers

_BAD = ("acknowledged_lost", "half_published", "chain_breaks", "changed_by_a_failed_write")


def main() -> None:
    """Prints the figures; exit status 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kill -9 of a process that writes to SQLite")
    parser.add_argument("--postgres-kills", type=int, default=20, help="kill -9 of the postmaster; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    trials: dict[str, Callable[[], dict[str, Any]]] = {
        "each statement fails": fail_each_statement,
        "full disk": fill_disk,
        "SQLite kill -9": lambda: kill_sqlite_writers(choices.kills, choices.seed),
    }
    if choices.postgres_kills:
        trials["PostgreSQL kill -9"] = lambda: kill_postgres_servers(choices.postgres_kills, choices.seed)
    figures = {}
    for name, trial in trials.items():
        print(f"… {name}", file=sys.stderr, flush=True)
        figures[name] = trial()
    if choices.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, found in figures.items():
            print(f"{name}: " + ", ".join(f"{what} {value}" for what, value in found.items()))
    sys.exit(any(found.get(what) for found in figures.values() for what in _BAD))


if __name__ == "__main__":
    main()
