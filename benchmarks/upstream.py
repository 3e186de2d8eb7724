"""What an upstream costs beside the server's own work: a whole request, a caller that leaves, memory over many."""

import argparse
import json
import statistics
import threading
import time
from pathlib import Path

from models.errors import RequestCancelled
from models.ports import Cancellation
from tests.models.upstream.fake_upstream import Exchange, answer, fake_upstream
from tests.models.upstream.upstreams import ask, upstream

REQUESTS = 5000
LEAVING = 50


def main() -> None:
    """Prints the figures of a server in this very process, whose own work is part of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    as_json = parser.parse_args().json
    figures = {"answer_of_5_tokens": _answering(), "close_after_caller_left": _leaving()}
    print(json.dumps(figures, indent=2) if as_json else "\n".join(f"{name}: {row}" for name, row in figures.items()))


def _answering() -> dict[str, float]:
    with fake_upstream(answer("The office opens at eight.")) as server, upstream(server.url) as model:
        took_ms = []
        for number in range(REQUESTS):
            started = time.perf_counter()
            ask(model)
            took_ms.append((time.perf_counter() - started) * 1000)
            server.seen.clear()
            if number == REQUESTS // 10:
                before_mib = _rss_mib()
        return {**_spread(took_ms), "grown_mib": round(_rss_mib() - before_mib, 1), "connections": server.connections}


def _leaving() -> dict[str, float]:
    closed: list[float | None] = []
    begun = threading.Event()

    def act(exchange: Exchange) -> None:
        exchange.head()
        exchange.token("The")
        begun.set()
        closed.append(exchange.wait_closed())

    late_ms = []
    with fake_upstream(act) as server, upstream(server.url) as model:
        for _ in range(LEAVING):
            begun.clear()
            cancellation, left = Cancellation(), []

            def leave(cancellation: Cancellation = cancellation, left: list[float] = left) -> None:
                begun.wait()
                time.sleep(0.01)
                left.append(time.monotonic())
                cancellation.cancel()

            threading.Thread(target=leave).start()
            try:
                ask(model, cancellation=cancellation)
            except RequestCancelled:
                while not closed:
                    time.sleep(0.0005)
            late_ms.append(((closed.pop() or float("nan")) - left[0]) * 1000)
    return _spread(late_ms)


def _spread(values_ms: list[float]) -> dict[str, float]:
    ordered = sorted(values_ms)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
        "max_ms": round(ordered[-1], 2),
    }


def _rss_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


if __name__ == "__main__":
    main()
