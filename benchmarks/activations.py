"""Activations of edited policies under load: errors, answers under a mixed policy, times and memory.

Each activation goes the whole way: lint, sandbox, examples, test set, publish, swap. The model and the embedder are
fakes, so that the figures are those of the gateway.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

from gateway.logs import set_up_logging
from gateway.settings import LogSettings
from rails.fakes import InProcessSandbox
from rails.sandbox import SANDBOX
from tests.gateway.activating import SETTLED, Figures, activate_under_load

MOST_GROWTH_MIB = 10.0


def main() -> None:
    """Runs the activations and prints the figures; exit status 1 when one of the promises does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.activations --json")
    parser.add_argument("--times", type=int, default=100, help="activations (100)")
    parser.add_argument("--clients", type=int, default=8, help="clients that ask all the time (8)")
    parser.add_argument("--without-sandbox", action="store_true", help="build on trial in this process: quick")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for scripts")
    chosen = parser.parse_args()
    set_up_logging(LogSettings(level="error"))
    with tempfile.TemporaryDirectory() as folder:
        figures = activate_under_load(
            Path(folder),
            times=chosen.times,
            clients=chosen.clients,
            sandbox=InProcessSandbox() if chosen.without_sandbox else SANDBOX,
            progress=lambda done: print(f"\r{done} of {chosen.times}", end="", file=sys.stderr, flush=True),
        )
    print(file=sys.stderr)
    told = _told(figures, clients=chosen.clients)
    print(json.dumps(told, indent=2) if chosen.as_json else "\n".join(f"{k:>28}  {v}" for k, v in told.items()))
    sys.exit(0 if told["holds"] else 1)


def _told(figures: Figures, *, clients: int) -> dict[str, object]:
    sizes = figures.resident_mib
    settled = min(SETTLED, figures.activations)
    grown = sizes[figures.activations] - sizes[settled]
    answer_ms = sorted(figures.answer_ms)
    return {
        "activations": figures.activations,
        "clients": clients,
        "cores": len(os.sched_getaffinity(0)),
        "load_of_the_machine": round(os.getloadavg()[1], 1),
        "answers": figures.answers,
        "errors": len(figures.errors),
        "kinds_of_errors": {**Counter(figures.errors), **figures.failures},
        "answers_under_a_mixed_policy": figures.mixed,
        "revisions_that_answered": figures.revisions_used,
        "activate_p50_ms": round(statistics.median(figures.activate_ms), 1),
        "published_to_live_p50_ms": round(statistics.median(figures.live_ms), 1),
        "published_to_live_max_ms": round(max(figures.live_ms), 1),
        "answer_p50_ms": round(statistics.median(answer_ms), 1),
        "answer_p99_ms": round(answer_ms[int(0.99 * (len(answer_ms) - 1))], 1),
        "longest_loop_pause_ms": round(figures.longest_pause_ms, 1),
        "resident_mib_before": round(sizes[0], 1),
        f"resident_mib_after_{settled}": round(sizes[settled], 1),
        "resident_mib_after_all": round(sizes[figures.activations], 1),
        f"grown_mib_from_{settled}_on": round(grown, 1),
        "holds": not figures.errors and not figures.mixed and grown <= MOST_GROWTH_MIB,
    }


if __name__ == "__main__":
    main()
