"""What Ray Serve adds to a request: a gateway by itself and one on Ray, asked by turns in the same run.

Both serve the example help desk from SQLite, with one embedder and one model of SmolLM2 each, over HTTP on loopback,
to one client. Both run all the time, so what an idle Ray takes of the processors is in both figures; it is told beside
them, and part of the processor time of a request on Ray.

Example: `make test-ray` first, which installs Ray; then
`PYTHONPATH=.:var/tools/ray .venv/bin/python -m benchmarks.on_ray --json`.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.capacity import processor_of
from benchmarks.gateway_process import ROOT, children_of, say, wait_until_ready

DATA = ROOT / "var" / "bench" / "on-ray"
PORTS = {"worker": 18471, "ray": 18472}
SETTINGS = {
    "CANONGATE_MATCHING__TUNE": "false",  # the embedder as it is, which is the one that Ray has
    "CANONGATE_ANSWERS__KEPT": "0",  # the model is asked each time
    "CANONGATE_LIMITS__REQUESTS_PER_MINUTE": "100000",
    "CANONGATE_LIMITS__ASSISTANT_REQUESTS_PER_MINUTE": "100000",
}
WORDED = "I forgot my password"
WAYS = {
    "word for word": "How does parental leave work?",
    "through the embedder": "Question {number}: how does it work with parental leave?",
    "worded by the model": WORDED,
}
IDLE_S = 10.0


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300, help="on each way and to each gateway; a tenth worded")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        gateways = {name: stack.enter_context(_gateway(name)) for name in PORTS}
        clients = {name: stack.enter_context(_client(name)) for name in PORTS}
        say("an idle while")
        idle = _idle(gateways)
        ways = {}
        for way in WAYS:
            count = max(1, chosen.requests // 10) if way == "worded by the model" else chosen.requests
            say(f"{count} requests {way}")
            ways[way] = _measure(clients, gateways, way, count)
    report = {"cores": len(os.sched_getaffinity(0)), "idle_cores": idle, "ways": ways}
    print(json.dumps(report, indent=2) if chosen.as_json else "\n".join(_table(report)))


@contextmanager
def _gateway(name: str) -> Iterator[int]:
    """Runs one of the two gateways; gives the number of its first process."""
    data = DATA / name
    environment = _environment(data)
    if not (data / "canongate.db").exists():
        data.mkdir(parents=True, exist_ok=True)
        if (exported := ROOT / "var" / "embedder").is_dir():
            shutil.copytree(exported, data / "embedder", dirs_exist_ok=True)
        _run("import", "examples/helpdesk", environment=environment).wait()
    options = ("--on-ray",) if name == "ray" else ()
    say(f"starting the gateway: {name}")
    with (data / "gateway.log").open("wb") as log:
        process = _run("serve", "--port", str(PORTS[name]), *options, environment=environment, stderr=log)
    try:
        wait_until_ready(process, PORTS[name])
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _environment(data: Path) -> Mapping[str, str]:
    return {**os.environ, "CANONGATE_DATA__DIRECTORY": str(data), **SETTINGS}  # noqa: TID251 - handed on as it is


def _run(*arguments: str, environment: Mapping[str, str], stderr: Any = None) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gateway.cli", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)  # noqa: S603 - our own program


@contextmanager
def _client(name: str) -> Iterator[httpx.Client]:
    path = DATA / name / "first-key"
    headers = {"authorization": f"Bearer {path.read_text().strip()}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{PORTS[name]}", headers=headers, timeout=60.0) as client:
        yield client


def _measure(clients: Mapping[str, httpx.Client], gateways: Mapping[str, int], way: str, count: int) -> dict[str, Any]:
    took_ms: dict[str, list[float]] = {name: [] for name in clients}
    answered: Counter[str] = Counter()
    began: dict[str, float] = {}
    for number in range(-max(2, count // 10), count):
        seen = set()
        if number == 0:
            began = {name: _tree_s(pid) for name, pid in gateways.items()}
        for name, client in clients.items():
            began_s = time.perf_counter()
            reply = client.post("/v1/chat", json={"assistant": "helpdesk", "message": WAYS[way].format(number=number)})
            spent_ms = (time.perf_counter() - began_s) * 1000
            reply.raise_for_status()
            seen.add(f"{reply.json()['outcome']} by {reply.json()['source']}")
            if number >= 0:  # those before warm up
                took_ms[name].append(spent_ms)
        if len(seen) != 1:
            raise SystemExit(f"{way}: the two answer differently: {sorted(seen)}")
        answered.update(seen)
    spent_s = {name: _tree_s(pid) - began[name] for name, pid in gateways.items()}
    figures = {name: _figures(took_ms[name]) | {"cpu_ms": round(spent_s[name] * 1000 / count, 2)} for name in took_ms}
    added_ms = figures["ray"]["p50_ms"] - figures["worker"]["p50_ms"]
    ratio = figures["ray"]["p50_ms"] / figures["worker"]["p50_ms"]
    compared = {"added_p50_ms": round(added_ms, 2), "ratio_p50": round(ratio, 2)}
    return {"requests": count, "answered": dict(answered), **figures, **compared}


def _figures(took_ms: list[float]) -> dict[str, float]:
    ordered = sorted(took_ms)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
        "least_ms": round(ordered[0], 2),
    }


def _idle(gateways: Mapping[str, int]) -> dict[str, float]:
    """Returns how much of a core each takes when nobody asks."""
    before = {name: _tree_s(pid) for name, pid in gateways.items()}
    time.sleep(IDLE_S)
    return {name: round((_tree_s(pid) - before[name]) / IDLE_S, 3) for name, pid in gateways.items()}


def _tree_s(pid: int) -> float:
    """Returns the processor time of a process and all below it."""
    try:
        return processor_of(pid) + sum(map(_tree_s, children_of(pid)))
    except FileNotFoundError:  # it ended meanwhile
        return 0.0


def _table(report: dict[str, Any]) -> list[str]:
    lines = [
        "| way of a request | by itself, p50 / p95 / CPU ms | on Ray, p50 / p95 / CPU ms | at the median |",
        "|---|---|---|---|",
    ]
    for name, way in report["ways"].items():
        alone, on_ray = way["worker"], way["ray"]
        cells = (f"{one['p50_ms']:.1f} / {one['p95_ms']:.1f} / {one['cpu_ms']:.1f}" for one in (alone, on_ray))
        lines.append(f"| {name} | {' | '.join(cells)} | {way['added_p50_ms']:+.1f} ms, {way['ratio_p50']:.2f} times |")
    idle = report["idle_cores"]
    lines.append(f"\nIdle, the gateway by itself takes {idle['worker']:.3f} of a core, on Ray {idle['ray']:.3f}.")
    return lines


if __name__ == "__main__":
    main()
