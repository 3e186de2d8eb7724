"""Time of an answer that is kept, over HTTP on loopback: `python -m benchmarks.cached_answers --json`.

A real gateway process answers each question once with its model; then the same question is asked again and again over
one connection. The first question is an approved phrasing word for word, the second goes through the embedder.
"""

import argparse
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT / "var" / "bench" / "cached-answers"
PORT = 18481
START_S = 600.0
QUESTIONS = {
    "exact phrase": "I forgot my password",
    "through the embedder": "I have forgotten my password, where do I reset it?",
}
STAGES = ("input_rails", "match", "output_rails", "total")


def main() -> None:
    """Starts a gateway, asks, and prints percentiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500, help="questions asked of each kind")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder; made and filled when it is missing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    with _gateway(chosen.data) as process:
        _wait_until_ready(process)
        key = (chosen.data / "first-key").read_text().strip()
        client = _Client(key)
        figures = {name: _measure(client, text, chosen.requests) for name, text in QUESTIONS.items()}
        figures["nothing but HTTP (/livez)"] = _percentiles([client.alive_ms() for _ in range(chosen.requests)])
        report = {"figures": figures, "answers": _parts()["answers"]["reason"], "cores": len(os.sched_getaffinity(0))}
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    print(json.dumps(report, indent=2) if chosen.as_json else _table(report))


def _gateway(data: Path) -> "subprocess.Popen[bytes]":
    data.mkdir(parents=True, exist_ok=True)
    chosen = {
        "CANONGATE_DATA__DIRECTORY": str(data),
        "CANONGATE_LIMITS__REQUESTS_PER_MINUTE": "1000000000",
        "CANONGATE_MATCHING__TUNE": "false",  # tuning would take a core while times are measured
    }
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "gateway.cli", "demo", "--port", str(PORT)],
        cwd=ROOT,
        env={**os.environ, **chosen},  # noqa: TID251 - handed on as it is
        stderr=subprocess.DEVNULL,
    )


def _parts() -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5) as reply:
        return json.load(reply)["parts"]


def _wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    until_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until_s:
        try:
            _parts()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    process.kill()
    raise SystemExit("the gateway did not get ready; run `canongate demo` to see why")


class _Client:
    """One connection that stays open, as a web server in front of the gateway keeps it."""

    def __init__(self, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def ask(self, text: str) -> tuple[float, dict[str, Any]]:
        """Returns the milliseconds from the request's first byte to the reply's last, and the reply."""
        body = json.dumps({"assistant": "helpdesk", "message": text}).encode()
        started = time.perf_counter()
        self._connection.request("POST", "/v1/chat", body, self._headers)
        reply = self._connection.getresponse()
        content = reply.read()
        took_ms = (time.perf_counter() - started) * 1000
        if reply.status != 200:
            raise SystemExit(f"the gateway answered {reply.status}: {content.decode()[:300]}")
        return took_ms, json.loads(content)

    def alive_ms(self) -> float:
        """Returns the milliseconds of a request that does nothing."""
        started = time.perf_counter()
        self._connection.request("GET", "/livez")
        self._connection.getresponse().read()
        return (time.perf_counter() - started) * 1000


def _measure(client: _Client, text: str, requests: int) -> dict[str, Any]:
    worded_ms, first = client.ask(text)
    if first["outcome"] != "answered" or first["prompt"] is None:
        raise SystemExit(f"{text!r} was not answered ({first['outcome']}), so there is nothing to keep")
    times, stages = [], []
    for _ in range(requests):
        took_ms, reply = client.ask(text)
        if "cached" not in reply or reply["text"] != first["text"]:
            raise SystemExit(f"{text!r} was not answered from what is kept. Is `cache` set in its prompt?")
        times.append(took_ms)
        stages.append(reply["trace"]["timings_ms"])
    return {
        "match": reply["trace"]["match"]["method"],
        "first_ms": round(worded_ms, 2),
        "first_was_kept_already": "cached" in first,
        **_percentiles(times),
        "stages_p50_ms": {name: round(statistics.median(one[name] for one in stages), 2) for name in STAGES},
    }


def _percentiles(times: list[float]) -> dict[str, Any]:
    ordered = sorted(times)
    return {
        "requests": len(ordered),
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
    }


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{name:>26}  p50 {row['p50_ms']:6.2f} ms  p95 {row['p95_ms']:6.2f} ms  {row.get('stages_p50_ms', '')}"
        for name, row in report["figures"].items()
    ]
    return "\n".join([*lines, f"{'cache':>26}  {report['answers']}"])


if __name__ == "__main__":
    main()
