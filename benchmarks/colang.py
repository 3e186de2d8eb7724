"""Time of the example policy's rails in both of NeMo's engines, and of its dialog: `python -m benchmarks.colang`."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from benchmarks.colang_rails import rails_in_colang
from benchmarks.rails import ROOT, TEXT
from gateway.bootstrap import open_embedder
from gateway.rail_services import RecentVectors, rail_services
from gateway.settings import Settings
from rails.engine import compile_policy
from rails.policy import load_policy
from rails.types import RailContext, Stage
from store.formats.bundle import read_bundle

GREETING, QUESTION = "good morning", "What is the speed of a train between two towns?"


def main() -> None:
    """Checks one harmless text at both stages in turn with each engine, then talks; prints medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.colang --rounds 200")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--data", type=Path, help="folder for the exported embedder; without it, a new one each time")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(_figures(chosen.data or Path(folder), chosen.rounds))
    print(json.dumps(figures, indent=2) if chosen.as_json else "\n".join(f"{k:>24}  {v}" for k, v in figures.items()))


async def _figures(folder: Path, rounds: int) -> dict[str, float]:
    settings = Settings()
    settings = msgspec.structs.replace(settings, data=msgspec.structs.replace(settings.data, directory=str(folder)))
    embedder = RecentVectors(await asyncio.to_thread(open_embedder, settings, lambda _: None))
    services = rail_services(lambda: embedder)
    document = load_policy(read_bundle(ROOT / "examples" / "helpdesk").policies["helpdesk"])
    policy = await asyncio.to_thread(compile_policy, document, 1, services=services)
    colang = await asyncio.to_thread(rails_in_colang, document, services)
    context = RailContext(facts=TEXT)

    async def manifest() -> bool:
        reports = [await policy.check(stage, TEXT, context) for stage in Stage]
        return not any(report.is_blocked for report in reports)

    async def flows() -> bool:
        return [await colang.check(stage, TEXT, context) for stage in Stage] == [TEXT, TEXT]

    async def talk(message: str) -> bool:
        report = await policy.dialog.converse(message, RailContext()) if policy.dialog else None
        return report is not None and not report.has_failed and bool(report.reply) is (message == GREETING)

    lanes = {
        "manifest_p50_ms": manifest,
        "colang_p50_ms": flows,
        "dialog_reply_p50_ms": lambda: talk(GREETING),
        "dialog_no_topic_p50_ms": lambda: talk(QUESTION),
    }
    times = await _times(lanes, rounds)
    figures = {name: round(statistics.median(took), 3) for name, took in times.items()}
    ratio = statistics.median(times["colang_p50_ms"]) / statistics.median(times["manifest_p50_ms"])
    return {**figures, "colang_over_manifest": round(ratio, 1), "characters": len(TEXT), "rounds": rounds}


async def _times(lanes: Mapping[str, Callable[[], Awaitable[bool]]], rounds: int) -> dict[str, list[float]]:
    """Runs the lanes in turn, so that whatever else the machine does meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in lanes}
    for _ in range(rounds):
        for name, run in lanes.items():
            started = time.perf_counter()
            is_right = await run()
            times[name].append((time.perf_counter() - started) * 1000)
            if not is_right:
                raise SystemExit(f"{name}: not the verdict that was due; the figure would be of something else")
    return times


if __name__ == "__main__":
    main()
