"""Time of the example policy's stages on a text of some 300 characters: `python -m benchmarks.rails --json`."""

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path

from rails.engine import RailsPolicy, compile_policy
from rails.policy import load_policy
from rails.types import RailContext, Stage
from store.formats.bundle import read_bundle

ROOT = Path(__file__).parents[1]
SENTENCE = "Please open the portal and choose the form, then enter your office and send it to the team. "
TEXT = (SENTENCE * 4)[:300].rsplit(".", 1)[0] + "."


def main() -> None:
    """Checks one harmless text many times at each stage and prints medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.rails --rounds 500")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    policy = compile_policy(load_policy(read_bundle(ROOT / "examples" / "helpdesk").policies["helpdesk"]), 1)
    figures = {f"{stage.value}_p50_ms": round(asyncio.run(_median(policy, stage, chosen.rounds)), 3) for stage in Stage}
    figures["characters"] = len(TEXT)
    print(json.dumps(figures, indent=2) if chosen.as_json else "\n".join(f"{k:>15}  {v}" for k, v in figures.items()))


async def _median(policy: RailsPolicy, stage: Stage, rounds: int) -> float:
    context = RailContext(facts=TEXT)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        report = await policy.check(stage, TEXT, context)
        times.append((time.perf_counter() - started) * 1000)
        if report.is_blocked:
            raise SystemExit(f"the text was stopped by {report.stopped_by}; the figure would be of a shorter stage")
    return statistics.median(times)


if __name__ == "__main__":
    main()
