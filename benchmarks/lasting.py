"""Hours at half the load that the gateway carries: whether memory, files or threads grow.

A real gateway with the example help desk and the packaged model is asked over HTTP on loopback. How much it carries is
asked first, by clients who send their next question when they have an answer; then half of that comes at a steady rate,
every text another one, so that caches fill up and turn over. After each minute memory, open files and threads of the
gateway and of its worker are read. The first fifth counts as warming up: growth is what the last tenth has more than
the tenth after that. `--plot` draws a report of `--json`.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.gateway_process import ROOT, children_of, resident_mib, say, start, wait_until_ready
from benchmarks.line_plots import Line, draw
from benchmarks.overload import example_questions, example_settings, run_load
from benchmarks.overloading.load import Came, Load

DATA = ROOT / "var" / "bench" / "lasting"
PLOT = ROOT / "docs" / "benchmarks" / "lasting.svg"
PORT = 18496
STRETCH_S = 60.0
WARM, MEASURED = 0.2, 0.1
"""Shares of all readings."""
MOST_GROWTH = 0.03
"""Of memory; a reading differs from the next by one or two in a hundred."""
MORE_ALLOWED = 3
"""Files and threads: connections that are open at the moment of a reading."""


def main() -> None:
    """Asks for so long and prints what grew; exit status 1 when something did, or a question was not answered."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.lasting --minutes 120 --json > lasting.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=int, default=120, help="of load; at least 20 for a reading of growth")
    parser.add_argument("--generated", type=int, default=5, help="per cent of the questions that the model words")
    parser.add_argument("--rate", type=float, help="questions a second, where half the load is known")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder; made and filled when it is missing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--plot", type=Path, metavar="REPORT", help=f"draw a report into {PLOT.relative_to(ROOT)}")
    chosen = parser.parse_args()
    if chosen.plot is not None:
        PLOT.parent.mkdir(exist_ok=True)
        PLOT.write_text(draw_report(json.loads(chosen.plot.read_text())))
        return
    if chosen.minutes < 20:
        parser.error("--minutes must be at least 20, so that growth is told from chance")
    report = measure(chosen.data, chosen.minutes, chosen.generated, chosen.rate)
    print(json.dumps(report, indent=2) if chosen.as_json else _table(report))
    sys.exit(not all(row["holds"] for row in report["must_hold"]))


def measure(data: Path, minutes: int, generated: int, rate: float | None) -> dict[str, Any]:
    """Returns rate, readings, what became of the questions, and what had to hold."""
    say("starting the gateway")
    with start(data, PORT, example_settings()) as process:
        try:
            wait_until_ready(process, PORT)
            key = (data / "first-key").read_text().strip()
            texts = _texts(generated)
            rate = rate or _half_load(key, texts)
            readings, statuses = _ask(process.pid, key, texts, minutes, rate)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    report = {
        "minutes": minutes,
        "rate_per_s": round(rate, 1),
        "cores": len(os.sched_getaffinity(0)),
        "statuses": dict(statuses),
        "readings": readings,
    }
    return {**report, "must_hold": must_hold(readings, statuses)}


def _texts(generated: int) -> Iterator[tuple[str, str]]:
    """Gives questions without end, none of them twice."""
    mix = example_questions(generated)
    for number in count():
        kind, text = mix[number % len(mix)]
        yield kind, f"Ticket {number}: {text}"


def _half_load(key: str, texts: Iterator[tuple[str, str]]) -> float:
    """Returns half of what two clients get answered a second."""
    asked = 600
    say(f"{asked} questions, to know what half the load is")
    began_s = time.perf_counter()
    came = run_load(Load(PORT, key, [next(texts) for _ in range(asked)], count=asked, clients=2))
    _require_answers(came)
    return asked / (time.perf_counter() - began_s) / 2


def _require_answers(came: Sequence[Came]) -> None:
    if others := Counter(one.status for one in came if one.status != 200):
        raise SystemExit(f"not every question was answered before the load began: {dict(others)}")


def _ask(
    pid: int, key: str, texts: Iterator[tuple[str, str]], minutes: int, rate: float
) -> tuple[list[dict[str, float]], Counter[str]]:
    readings, statuses = [_reading(pid, 0)], Counter[str]()
    for minute in range(1, minutes + 1):
        questions = [next(texts) for _ in range(int(rate * STRETCH_S))]
        came = run_load(Load(PORT, key, questions, rate=rate, seconds=STRETCH_S))
        statuses.update(str(one.status) for one in came)
        readings.append(_reading(pid, minute))
        say(f"minute {minute} of {minutes}: {readings[-1]}")
    return readings, statuses


def _reading(pid: int, minute: int) -> dict[str, float]:
    workers = children_of(pid)
    return {
        "minute": minute,
        "gateway_mib": round(resident_mib(pid), 1),
        "worker_mib": round(sum(map(resident_mib, workers)), 1),
        "files": sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in (pid, *workers)),
        "threads": sum(len(list(Path(f"/proc/{one}/task").iterdir())) for one in (pid, *workers)),
    }


def must_hold(readings: Sequence[dict[str, float]], statuses: Counter[str]) -> list[dict[str, Any]]:
    """Returns each figure with what it may be at most."""
    rows = []
    for name in ("gateway_mib", "worker_mib"):
        before, after = _before_and_after([one[name] for one in readings])
        rows.append(_row(f"growth of {name}, share", round(after / before - 1, 4), MOST_GROWTH))
    for name in ("files", "threads"):
        before, after = _before_and_after([one[name] for one in readings])
        rows.append(_row(f"more {name}", after - before, MORE_ALLOWED))
    rows.append(_row("questions without an answer", sum(statuses.values()) - statuses["200"], 0))
    return rows


def _before_and_after(values: Sequence[float]) -> tuple[float, float]:
    """Returns the medians of the tenth after the warming up and of the last tenth."""
    warm, some = int(len(values) * WARM), max(1, int(len(values) * MEASURED))
    return statistics.median(values[warm : warm + some]), statistics.median(values[-some:])


def _row(name: str, value: float, at_most: float) -> dict[str, Any]:
    return {"name": name, "value": value, "at_most": at_most, "holds": value <= at_most}


def draw_report(report: dict[str, Any]) -> str:
    """Returns an SVG of the readings over time."""
    named = {
        "gateway_mib": "gateway, MiB",
        "worker_mib": "model worker, MiB",
        "files": "open files",
        "threads": "threads",
    }
    lines = [Line(title, [(one["minute"], one[name]) for one in report["readings"]]) for name, title in named.items()]
    return draw(f"{report['minutes']} minutes at {report['rate_per_s']} questions a second", "minutes", lines)


def _table(report: dict[str, Any]) -> str:
    first, last = report["readings"][0], report["readings"][-1]
    lines = [f"{report['minutes']} minutes at {report['rate_per_s']} questions a second: {report['statuses']}"]
    lines += [f"{name:>12}  {first[name]:10.1f} {last[name]:10.1f}" for name in first if name != "minute"]
    lines += [
        f"{'holds' if row['holds'] else 'FAILS'}  {row['name']}: {row['value']} (at most {row['at_most']})"
        for row in report["must_hold"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
