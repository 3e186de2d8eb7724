"""Measures what it costs to tell of a decision: by metrics alone, without a collector, and with one.

One answered question, decided once with fakes, is told of again and again. Contestants take turns in short rounds, so
that a busy moment of the machine is everybody's; between rounds the collector's thread may send. The collector is a
process of its own. `held` is how long the request's thread is held, `own` its processor time, and `all` that of every
thread, the sending one included.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from gateway.logs import set_up_logging
from gateway.otlp import LINGER_S, Collector, open_collector
from gateway.settings import LogSettings
from gateway.telemetry import Telemetry
from gateway.telemetry_settings import TelemetrySettings
from gateway.trace_context import CURRENT, begin_trace
from gateway.tracing import UNTRACED, Tracing
from gateway.turn import Turn
from rails.engine import compile_policy
from rails.policy import load_policy
from store.types import Decision
from tests.administration import PRIVACY
from tests.world import PATIENT, POLICY, World

ROUTE = "/v1/chat"
KINDS = ("held", "own", "all")
SETTLED_S, POLL_S = LINGER_S * 1.5, 0.1
Telling = Callable[[], None]


@dataclass
class Sample:
    """A question as it was decided."""

    turn: Turn
    decision: Decision


class _Catching(Tracing):
    """Keeps what it is told."""

    caught: list[Sample] = []  # noqa: RUF012 -- of one run

    def decided(self, turn: Turn, decision: Decision, *, error: str | None) -> None:
        self.caught.append(Sample(turn, decision))


def main() -> None:
    """Prints medians in microseconds."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.telemetry --rounds 10 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=10, help="of each contestant; each takes two seconds")
    parser.add_argument("--decisions", type=int, default=50, help="told of in one round")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    set_up_logging(LogSettings(level="error"))
    figures = measure(chosen.rounds, chosen.decisions)
    if chosen.as_json:
        print(json.dumps(figures, indent=2))
        return
    for name, found in figures["us"].items():
        print(f"{name:<22}", "   ".join(f"{kind} {found[kind]:7.1f} us" for kind in KINDS))
    print(f"spans sent {figures['spans']['sent']}, dropped {figures['spans']['dropped']}")


def measure(rounds: int, decisions: int) -> dict[str, Any]:
    """Returns the medians of each contestant, for one decision."""
    sample, telemetry = _sample(), Telemetry()
    with _receiver() as endpoint, open_collector(TelemetrySettings(endpoint=endpoint)) as collector:
        tracing = Tracing(collector, 1.0, provider="llama.cpp", model="fake", privacy=PRIVACY)
        tellings: dict[str, Telling] = {
            "metrics alone": lambda: _count(telemetry, sample),
            "without an endpoint": lambda: _tell(telemetry, UNTRACED, sample),
            "with a collector": lambda: _tell(telemetry, tracing, sample),
        }
        taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in tellings}
        for number in range(rounds):
            print(f"… round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for name, tell in tellings.items():
                taken[name].append(_round(tell, partial(_settle, collector), decisions))
        until = time.monotonic() + 30
        while collector.counted.sent + collector.counted.refused == 0 or collector.waiting:
            if time.monotonic() > until:
                raise SystemExit("the collector took no spans")
            time.sleep(0.1)
        spans = {"sent": collector.counted.sent, "dropped": collector.counted.dropped}
    return {
        "rounds": rounds,
        "decisions": decisions,
        "us": {
            name: {kind: round(statistics.median(one[place] for one in times), 1) for place, kind in enumerate(KINDS)}
            for name, times in taken.items()
        },
        "spans": spans,
    }


def _round(tell: Telling, settle: Telling, decisions: int) -> tuple[float, ...]:
    """Returns microseconds of a decision, in the order of `KINDS`."""
    whole, own, started = time.process_time(), time.thread_time(), time.perf_counter()
    for _ in range(decisions):
        tell()
    held, own = time.perf_counter() - started, time.thread_time() - own
    settle()
    return tuple(spent / decisions * 1e6 for spent in (held, own, time.process_time() - whole))


def _settle(collector: Collector) -> None:
    """Waits until the collector has had everything, so that no round pays for another."""
    counted, stable = collector.counted, 0
    while stable < SETTLED_S / POLL_S or collector.waiting:
        time.sleep(POLL_S)
        stable = stable + 1 if counted is collector.counted else 0
        counted = collector.counted


def _count(telemetry: Telemetry, sample: Sample) -> None:
    telemetry.decided(sample.decision)
    telemetry.requested("POST", ROUTE, 200, 0.01)


def _tell(telemetry: Telemetry, tracing: Tracing, sample: Sample) -> None:
    """Does what a request does: a trace of its own, the decision, the request itself."""
    trace = begin_trace("", "req-1", sampling=tracing.sampling)
    token = CURRENT.set(trace)
    tracing.decided(sample.turn, sample.decision, error=None)
    CURRENT.reset(token)
    _count(telemetry, sample)
    tracing.requested(trace, "POST", ROUTE, 200, seconds=0.01)


def _sample() -> Sample:
    catching = _Catching()
    world = World(compile_policy(load_policy(POLICY), 5, runner=PATIENT), tracing=catching)

    async def ask() -> None:
        async with world.client(world.key()) as client:
            body = {"assistant": "helpdesk", "message": "I forgot my password", "conversation": "talk"}
            (await client.post(ROUTE, json=body)).raise_for_status()

    asyncio.run(ask())
    return catching.caught[-1]


@contextmanager
def _receiver() -> Iterator[str]:
    """Runs a collector that takes everything and keeps nothing, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _serve(told: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    told.send(server.server_address[1])
    server.serve_forever()


class _Taking(BaseHTTPRequestHandler):
    """Takes what is posted."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answers that it was taken."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    main()
