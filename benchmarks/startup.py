"""Start-up time and memory of the real gateway: `python -m benchmarks.startup --json`."""

import argparse
import json
import os
import signal
import statistics
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.gateway_process import ROOT, children_of, resident_mib, start, wait_until_ready

PORT = 18480


def main() -> None:
    """Starts `canongate demo` several times and prints medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python -m benchmarks.startup --rounds 5 --json"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=ROOT / "var", help="data folder of an earlier start")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    rounds = []
    for number in range(1, chosen.rounds + 1):
        rounds.append(_round(chosen.data))
        print(f"round {number} of {chosen.rounds}: ready after {rounds[-1]['ready_s']:.2f} s", file=sys.stderr)
    figures = {
        name: {
            "median": round(statistics.median(values), 2),
            "min": round(min(values), 2),
            "max": round(max(values), 2),
        }
        for name in rounds[0]
        for values in [[one[name] for one in rounds]]
    }
    figures["cores"] = {"count": len(os.sched_getaffinity(0))}
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def _round(data: Path) -> dict[str, float]:
    started = time.monotonic()
    process = start(data, PORT, {})
    try:
        wait_until_ready(process, PORT, look_s=0.02)
        ready_s = time.monotonic() - started
        _ask()
        worker = children_of(process.pid)[0]
        return {
            "ready_s": ready_s,
            "gateway_mib": resident_mib(process.pid),
            "worker_mib": resident_mib(worker),
        }
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _ask() -> None:
    """Sends one question through the page's form, so that memory is that of a gateway that has worked."""
    form = b"question=I+forgot+my+password"
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/try", data=form, headers={"Origin": f"http://127.0.0.1:{PORT}"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - loopback
        reply.read()


def _table(figures: dict[str, dict[str, float]]) -> str:
    return "\n".join(
        f"{name:>12}  " + "  ".join(f"{key} {value}" for key, value in row.items()) for name, row in figures.items()
    )


if __name__ == "__main__":
    main()
