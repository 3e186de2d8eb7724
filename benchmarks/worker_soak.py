"""What the model worker must stand: callers that leave, kills, damaged files, odd settings, crowds and long use.

Each part counts what may not happen (hangs, words of others, exits, growth) and says whether it held; a part that did
not hold makes the exit status 1. The packaged model and tiny random ones are run in real workers.
"""

import argparse
import importlib
import json
import logging
import os
import sys
import time

from benchmarks.soak.asking import Choice, Figures

PARTS = ("cancellations", "kills", "breaker", "files", "parameters", "memory", "batching")
LEAST_SCALE = {"memory": 0.1}
"""With fewer requests processes still come to their size, and growth says nothing."""
EXAMPLE = """examples:
  python -m benchmarks.worker_soak --json
  python -m benchmarks.worker_soak --parts kills,files --scale 0.05 --threads 1
"""


def main() -> None:
    """Runs the chosen parts and prints their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS), help=f"which of: {', '.join(PARTS)} (all)")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="share of each part's cases; 0.02 for a quick look, 0.1 at least for memory",
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each worker (2)")
    parser.add_argument("--seed", type=int, default=1, help="decides the random cases (1)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for scripts")
    chosen = parser.parse_args()
    parts = chosen.parts.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    if not 0.0 < chosen.scale <= 1.0 or chosen.threads < 1:
        parser.error("--scale must be above 0 and at most 1, --threads at least 1")
    for part in parts:
        if chosen.scale < (least := LEAST_SCALE.get(part, 0.0)):
            parser.error(f"{part} says nothing below --scale {least:g}; raise it, or leave {part} out with --parts")
    choice = Choice(chosen.scale, chosen.threads, chosen.seed)
    logging.disable(logging.ERROR)  # the supervisor would tell of every death
    report = {"cores": len(os.sched_getaffinity(0)), "threads": chosen.threads, "scale": chosen.scale}
    figures = {part: _run(part, choice) for part in parts}
    print(json.dumps({**report, "parts": figures}, indent=2) if chosen.as_json else _table(figures))
    sys.exit(0 if all(part["holds"] for part in figures.values()) else 1)


def _run(part: str, choice: Choice) -> Figures:
    print(f"{part}: begins", file=sys.stderr, flush=True)
    load, started_s = os.getloadavg()[0], time.monotonic()
    # Imported by name and when it is run: `batching` loads llama.cpp into this very process.
    figures: Figures = importlib.import_module(f"benchmarks.soak.{part}").run(choice)
    took_s = round(time.monotonic() - started_s, 1)
    verdict = "holds" if figures["holds"] else "DOES NOT HOLD"
    # Here too: a part that breaks must not take the figures of those before it along.
    print(f"{part}: {verdict} after {took_s} s {json.dumps(figures)}", file=sys.stderr, flush=True)
    return {**figures, "load_before": round(load, 2), "took_s": took_s}


def _table(figures: dict[str, Figures]) -> str:
    lines = []
    for part, rows in figures.items():
        lines.append(part)
        lines += [f"  {name:<32} {value}" for name, value in rows.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
