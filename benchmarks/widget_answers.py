"""Time from a visitor's message to the checked answer, over HTTP on loopback, beside the plain chat route.

A real gateway process with the example help desk; the message is an approved phrasing word for word, of a prompt whose
answer is given as it stands. The three ways take turns, so that whatever else the machine does falls on all of them.
Each way keeps one connection, as a browser does.
"""

import argparse
import datetime as dt
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples.intranet.server import employee_token
from gateway.opening import open_widgets
from gateway.settings import load_settings
from store.errors import NotFound
from store.people import OPERATOR
from store.widgets import WidgetRates, WidgetSettings

ROOT = Path(__file__).parents[1]
DATA = ROOT / "var" / "bench" / "widget-answers"
PORT = 18491
START_S = 600.0
WANTED_MS = 30.0
ORIGIN = "http://localhost:18492"
CLIENT = "bench"
QUESTION = "How does parental leave work?"
MANY = 1_000_000


def main() -> None:
    """Prints percentiles; exit status 1 when a visitor's median answer takes longer than wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.widget_answers --requests 500 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--requests", type=int, default=500, help="questions asked each way")
    parser.add_argument("--question", default=QUESTION, help="an approved phrasing of a verbatim prompt")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder; made and filled when it is missing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    with _gateway(chosen.data) as process:
        _wait_until_ready(process)
        visitor = _Visitor(_secret(chosen.data))
        program = _Program((chosen.data / "first-key").read_text().strip())
        ways = {
            "widget, JSON": lambda: visitor.ask(chosen.question),
            "widget, events": lambda: visitor.follow(chosen.question),
            "/v1/chat, JSON (rival)": lambda: program.ask(chosen.question),
        }
        figures = _measure(ways, chosen.requests)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    report = {"figures": figures, "wanted_p50_ms": WANTED_MS, "cores": len(os.sched_getaffinity(0))}
    print(json.dumps(report, indent=2) if chosen.as_json else _table(report))
    if any(figures[name]["p50_ms"] > WANTED_MS for name in ("widget, JSON", "widget, events")):
        sys.exit(1)


def _gateway(data: Path) -> "subprocess.Popen[bytes]":
    data.mkdir(parents=True, exist_ok=True)
    chosen = {
        "CANONGATE_DATA__DIRECTORY": str(data),
        "CANONGATE_LIMITS__REQUESTS_PER_MINUTE": str(MANY),
        "CANONGATE_MATCHING__TUNE": "false",  # tuning would take a core while times are measured
    }
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "gateway.cli", "demo", "--port", str(PORT), "--intranet-port", "0"],
        cwd=ROOT,
        env={**os.environ, **chosen},  # noqa: TID251 - handed on as it is
        stderr=subprocess.DEVNULL,
    )


def _wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    until_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until_s:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    process.kill()
    raise SystemExit("the gateway did not get ready; run `canongate demo` to see why")


def _secret(data: Path) -> bytes:
    """Makes the client, or gives it a new secret; the gateway knows of it within a second."""
    with open_widgets(load_settings(None, {"CANONGATE_DATA__DIRECTORY": str(data)})) as widgets:
        try:
            widgets.get(OPERATOR, CLIENT)
            made = widgets.rotate(OPERATOR, CLIENT, overlap=dt.timedelta(0))
        except NotFound:
            rates = WidgetRates(session=MANY, address=MANY, origin=MANY)
            settings = WidgetSettings(title="Benchmark", assistant="helpdesk", origins=(ORIGIN,), rates=rates)
            made = widgets.create(OPERATOR, CLIENT, settings)
    time.sleep(1.5)
    return (made.secret or "").encode()


class _Program:
    """A program with an API key, on one connection that stays open."""

    path = "/v1/chat"

    def __init__(self, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def ask(self, text: str) -> float:
        """Returns the milliseconds from the request's first byte to the reply's last."""
        took_ms, content = self._post(self.path, {"assistant": "helpdesk", "message": text}, {})
        _require_answer(json.loads(content))
        return took_ms

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[float, bytes]:
        sent = json.dumps(body).encode()
        started = time.perf_counter()
        self._connection.request("POST", path, sent, self._headers | headers)
        reply = self._connection.getresponse()
        content = reply.read()
        took_ms = (time.perf_counter() - started) * 1000
        if reply.status not in (200, 201):
            raise SystemExit(f"the gateway answered {reply.status}: {content.decode()[:300]}")
        return took_ms, content


class _Visitor(_Program):
    """Somebody's browser with the widget."""

    def __init__(self, secret: bytes) -> None:
        super().__init__("")
        self._secret = secret
        self._headers = {"origin": ORIGIN, "content-type": "application/json"}
        self._until_s = 0.0

    def ask(self, text: str) -> float:
        """Returns the milliseconds of an answer in one piece."""
        took_ms, content = self._question(text, "application/json")
        _require_answer(json.loads(content))
        return took_ms

    def follow(self, text: str) -> float:
        """Returns the milliseconds of an answer as events, to the last of them."""
        took_ms, content = self._question(text, "text/event-stream")
        last = content.decode().strip().rpartition("\n\n")[2]
        _require_answer(json.loads(last.partition("data: ")[2]))
        return took_ms

    def _question(self, text: str, accept: str) -> tuple[float, bytes]:
        if time.monotonic() >= self._until_s:
            _, content = self._post(
                "/widget/v1/sessions", {"client": CLIENT, "token": employee_token(CLIENT, self._secret)}, {}
            )
            begun = json.loads(content)
            self._headers["authorization"] = f"Bearer {begun['session']}"
            self._until_s = time.monotonic() + begun["expires_in"] - 30
        return self._post(
            "/widget/v1/chat", {"message": text}, {"accept": accept, "idempotency-key": str(uuid.uuid4())}
        )


def _require_answer(reply: dict[str, Any]) -> None:
    if reply.get("outcome") != "answered" or reply["source"] != "verbatim":
        raise SystemExit(f"the question was not answered as it stands: {reply.get('outcome')}, {reply.get('source')}")


def _measure(ways: dict[str, Callable[[], float]], requests: int) -> dict[str, dict[str, float]]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for name, ask in ways.items():
        times[name].extend(ask() for _ in range(5))
    for known in times.values():
        known.clear()  # those were to warm up
    for _ in range(requests):
        for name, ask in ways.items():
            times[name].append(ask())
    return {name: _percentiles(found) for name, found in times.items()}


def _percentiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "requests": len(ordered),
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
    }


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{name:<24} p50 {found['p50_ms']:6.2f} ms   p95 {found['p95_ms']:6.2f} ms"
        for name, found in report["figures"].items()
    ]
    return "\n".join([*lines, f"wanted of the widget: p50 at most {report['wanted_p50_ms']:g} ms"])


if __name__ == "__main__":
    main()
