"""What a request costs a core on each of its ways, and from that what 10,000 requests a second take: on paper.

A real gateway with the example help desk is asked over HTTP on loopback, by some clients at once. What counts is the
processor time of the gateway and of its model worker, so the load generator on the same machine takes nothing from the
figures per core. `--page` writes the table of docs/capacity.md.

Example: `python -m benchmarks.capacity --json`.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.gateway_process import ROOT, children_of, say, start, wait_until_ready
from benchmarks.overload import example_questions, example_settings, run_load
from benchmarks.overloading.load import Load

DATA = ROOT / "var" / "bench" / "capacity"
PAGE = ROOT / "docs" / "capacity.md"
BEGIN, END = "<!-- begin of what benchmarks/capacity.py wrote -->", "<!-- end of what it wrote -->"
PORT = 18498
TICKS = os.sysconf("SC_CLK_TCK")
WANTED = 10_000.0
BUSY = 0.5
"""How busy a core may be, so that a peak finds room and one replica of two may be gone."""
MIXES = {
    "all word for word": (1.0, 0.0, 0.0),
    "half word for word, half through the embedder": (0.5, 0.5, 0.0),
    "the same, and 1 % worded by the model": (0.495, 0.495, 0.01),
    "the same, and 10 % worded by the model": (0.45, 0.45, 0.10),
}
"""Shares of the three ways."""


def main() -> None:
    """Measures and prints, or writes what was printed into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000, help="on each way; a thirtieth of them worded")
    parser.add_argument(
        "--clients", type=int, default=2, help="who ask at once; more of them than the cores carry are refused"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="data folder; made and filled when it is missing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument(
        "--page", type=Path, metavar="REPORT", help="a report of --json, to write the page's table from"
    )
    chosen = parser.parse_args()
    if chosen.page is not None:
        _write_page(json.loads(chosen.page.read_text()))
        return
    say("starting the gateway")
    with start(chosen.data, PORT, example_settings()) as process:
        try:
            wait_until_ready(process, PORT)
            key = (chosen.data / "first-key").read_text().strip()
            ways = {
                name: _measure(process.pid, key, questions, count, chosen.clients)
                for name, (questions, count) in _ways(chosen.requests).items()
            }
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    report = {"ways": ways, "cores": len(os.sched_getaffinity(0)), "clients": chosen.clients}
    print(json.dumps(report, indent=2) if chosen.as_json else "\n".join(_table(report)))


def _ways(count: int) -> dict[str, tuple[list[tuple[str, str]], int]]:
    plain = example_questions(0)
    # What nobody wrote down goes through the embedder, whatever it is then taken for.
    other = [("plain", f"Hello, quick one: {text[0].lower()}{text[1:].rstrip('?')}, please?") for _, text in plain]
    return {
        "word for word": (plain, count),
        "through the embedder": (other, count),
        "worded by the model": (example_questions(100), max(1, count // 30)),
    }


def _measure(pid: int, key: str, questions: list[tuple[str, str]], count: int, clients: int) -> dict[str, Any]:
    run_load(Load(PORT, key, questions, count=min(count, len(questions)), clients=clients))
    say(f"{count} requests")
    before_s, began_s = _by_part_s(pid), time.perf_counter()
    came = run_load(Load(PORT, key, questions, count=count, clients=clients))
    took_s = time.perf_counter() - began_s
    used_s = {name: after_s - before_s[name] for name, after_s in _by_part_s(pid).items()}
    if others := [one for one in came if one.status != 200]:
        raise SystemExit(f"{len(others)} of {count} requests were not answered, the first with {others[0].status}")
    return {
        "requests": count,
        "outcomes": dict(Counter(one.outcome for one in came)),
        "gateway_ms": round(used_s["gateway"] / count * 1000, 3),
        "worker_ms": round(used_s["worker"] / count * 1000, 3),
        "per_second": round(count / took_s, 1),
        "p50_ms": round(sorted(one.took_ms for one in came)[count // 2], 1),
    }


def _by_part_s(pid: int) -> dict[str, float]:
    """Returns what the gateway and the processes that it started have used of the processors."""
    return {"gateway": processor_of(pid), "worker": sum(map(processor_of, children_of(pid)))}


def processor_of(pid: int) -> float:
    """Returns the processor time of one process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def needed(report: dict[str, Any], shares: tuple[float, ...], per_second: float = WANTED) -> dict[str, float]:
    """Returns the cores that so many requests a second take, at most `BUSY` busy; gateways' and model workers'."""
    ways = list(zip(report["ways"].values(), shares, strict=True))
    cores = {
        part: sum(per_second * share * way[f"{part}_ms"] / 1000 for way, share in ways) / BUSY
        for part in ("gateway", "worker")
    }
    return {**cores, "replicas": cores["gateway"]}


def _table(report: dict[str, Any]) -> list[str]:
    lines = [
        "| way of a request | gateway, ms of a core | a core carries | model worker, ms of a core | a core words |",
        "|---|---|---|---|---|",
    ]
    for name, way in report["ways"].items():
        worked = (
            f"{way['worker_ms']:.0f} | {1000 / way['worker_ms']:.2g} a second" if way["worker_ms"] >= 1 else "- | -"
        )
        lines.append(
            f"| {name} | {way['gateway_ms']:.2f} | {1000 / way['gateway_ms']:.0f} requests a second | {worked} |"
        )
    lines += [
        "",
        f"| {WANTED:,.0f} requests a second | gateways of one core | cores for the model |",
        "|---|---|---|",
    ]
    for name, shares in MIXES.items():
        found = needed(report, shares)
        model = f"{found['worker']:,.0f}" if found["worker"] >= 1 else "-"
        lines.append(f"| {name} | {found['replicas']:,.0f} | {model} |")
    return lines


def _write_page(report: dict[str, Any]) -> None:
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} has no place for the table")
    PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(_table(report)) + "\n\n" + END + after)
    print(f"wrote {PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
