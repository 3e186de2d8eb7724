"""Ten times the load that the gateway can carry, and slow clients beside it: what holds, and what does not.

A real gateway process with the example help desk, asked over HTTP on loopback by other processes at a steady rate,
whatever it answers. First the time of a question that is alone, then the highest rate that is carried (99 % answered
and not from the fallback, p99 at most twice that time or 100 ms), then ten times that rate. Load and gateway share the
machine's cores: the rate that is carried is this machine's with the load on it. With `--split` the last core is the
load's and the probe's, and the gateway has the others, as when the load comes from elsewhere. Times count from when a
question was due; how late the sender was itself, and what else ran on the machine meanwhile, is told beside them.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from benchmarks.gateway_process import ROOT, children_of, resident_mib, say, start, wait_until_ready
from benchmarks.overloading.load import Came, Load

DATA = ROOT / "var" / "bench" / "overload"
PORT = 18497
FIRST_RATE = 5.0
ALONE_RATE = 4.0
QUICK_MS = 100.0
"""A p99 below it is carried in any case: a step has too few questions to tell less from chance."""
STEP_S = 8.0
CARRIED = 0.99
WORSE = 2.0
MOST_GROWTH = 0.10
LIVEZ_MS = 100.0


def main() -> None:
    """Prints each figure with what it must be; exit status 1 when one does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.overload --seconds 60 --slow 900 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of the overload")
    parser.add_argument("--times", type=float, default=10.0, help="the load that is carried")
    parser.add_argument("--slow", type=int, default=900, help="clients that send a byte each second")
    parser.add_argument("--alone", type=int, default=240, help="questions so far apart that each is alone")
    parser.add_argument("--alone-rate", type=float, default=ALONE_RATE, help="of them, a second")
    parser.add_argument("--generated", type=int, default=10, help="per cent of the questions that the model words")
    parser.add_argument("--carries", type=float, help="requests a second, where the rate is known already")
    parser.add_argument("--split", action="store_true", help="the last core for the load, the others for the gateway")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, as its variable")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder; made and filled when it is missing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    questions = example_questions(chosen.generated)
    cores = sorted(os.sched_getaffinity(0))
    if chosen.split:
        os.sched_setaffinity(0, cores[-1:])
    placed = cores[:-1] if chosen.split else ()
    say("starting the gateway")
    with start(chosen.data, PORT, example_settings(chosen.set), cores=placed) as process:
        try:
            wait_until_ready(process, PORT)
            load = Load(PORT, (chosen.data / "first-key").read_text().strip(), questions)
            report = _measure(process, load, chosen)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    print(json.dumps(report, indent=2) if chosen.as_json else _table(report))
    if not all(row["holds"] for row in report["must_hold"]):
        sys.exit(1)


def _measure(process: "subprocess.Popen[bytes]", load: Load, chosen: argparse.Namespace) -> dict[str, Any]:
    say("warming up")
    run_load(Load(load.port, load.key, load.questions, count=2 * len(load.questions)))
    say(f"{chosen.alone} questions, {chosen.alone_rate:g} a second")
    seconds = chosen.alone / chosen.alone_rate
    alone = run_load(Load(load.port, load.key, load.questions, rate=chosen.alone_rate, seconds=seconds))
    alone_ms = _percentiles(alone)
    carries = chosen.carries or _carried(load, alone_ms["all"]["p99"])
    rate = carries * chosen.times
    rest_s = 5.0
    time.sleep(rest_s)
    before = _memory_mib(process.pid)
    say(f"carries {carries:.0f} a second; now {rate:.0f} for {chosen.seconds:.0f} s, {chosen.slow} slow clients")
    with _slow_clients(load, chosen.slow) as slow:
        time.sleep(2.0 if chosen.slow else 0.0)
        probe, others = _Probe(process.pid), _Others([os.getpid(), process.pid, slow.pid])
        came = run_load(Load(load.port, load.key, load.questions, rate=rate, seconds=chosen.seconds))
        probe.end()
        others_took = others.share()
        slow.kill()
    accepted = [one for one in came if one.status == 200]
    loaded_ms = _percentiles(accepted)
    refused = [one for one in came if one.status in (429, 503)]
    figures: dict[str, Any] = {
        "alone_ms": alone_ms,
        "loaded_ms": loaded_ms,
        "carries_per_s": carries,
        "sent_per_s": rate,
        "accepted_per_s": round(len(accepted) / chosen.seconds, 1),
        "statuses": dict(Counter(one.status for one in came)),
        "outcomes": dict(Counter(one.outcome for one in accepted)),
        "retry_after_s": dict(Counter(one.retry_after for one in refused).most_common(5)),
        "memory_mib": {"before": round(before, 1), "most": round(probe.most_mib, 1)},
        "sender_late_ms": _of([one.late_ms for one in came]),
        "others_took_cores": round(others_took, 2),
        "livez_ms": {**_of(probe.livez_ms), "most": round(max(probe.livez_ms), 1)},
    }
    neither = [one for one in came if one.status not in (200, 429, 503)]
    rows = [
        _row("p99 of accepted, times alone", loaded_ms["all"]["p99"] / alone_ms["all"]["p99"], WORSE),
        _row("the same, without generated", loaded_ms["plain"]["p99"] / alone_ms["plain"]["p99"], WORSE),
        _row("neither 200 nor 429 nor 503", len(neither), 0),
        _row("429 or 503 without Retry-After", sum(not one.retry_after for one in refused), 0),
        _row("growth of memory", probe.most_mib / before - 1, MOST_GROWTH),
        _row("slowest /livez, ms", max(probe.livez_ms), LIVEZ_MS),
        _row("hangs", sum(one.status == -1 for one in came) + probe.hangs, 0),
    ]
    return {"figures": figures, "must_hold": rows, "cores": os.cpu_count(), "is_split": chosen.split}


def _carried(load: Load, alone_p99_ms: float) -> float:
    """Raises the rate by a half each time, until it is not carried."""
    rate, carried = FIRST_RATE, FIRST_RATE
    while True:
        came = run_load(Load(load.port, load.key, load.questions, rate=rate, seconds=STEP_S))
        whole = [one for one in came if one.status == 200 and one.outcome != "degraded"]
        p99_ms = _percentiles(came)["all"]["p99"]
        share = len(whole) / len(came)
        say(f"{rate:6.1f} a second: {share:.1%} answered in full, p99 {p99_ms:.0f} ms")
        if share < CARRIED or p99_ms > max(QUICK_MS, WORSE * alone_p99_ms):
            return carried
        carried, rate = rate, rate * 1.5
        time.sleep(1.0)


def _row(name: str, value: float, most: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "at_most": most, "holds": value <= most}


def _percentiles(came: Sequence[Came]) -> dict[str, dict[str, float]]:
    kinds = {"all": came, "plain": [one for one in came if one.kind == "plain"]}
    kinds["generated"] = [one for one in came if one.kind == "generated"]
    return {name: _of([one.took_ms for one in some]) for name, some in kinds.items() if some}


def _of(times_ms: list[float]) -> dict[str, float]:
    ordered = sorted(times_ms)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    told = {name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) for name, share in at.items()}
    return {**told, "count": len(ordered)}


def example_questions(generated_percent: int) -> list[tuple[str, str]]:
    """Returns a hundred approved phrasings: so many of prompts that the model words, the others given as they are."""
    found: dict[str, list[str]] = {"generated": [], "plain": []}
    for path in sorted((ROOT / "examples" / "helpdesk" / "prompts").rglob("*.yaml")):
        prompt = yaml.safe_load(path.read_text())
        if prompt.get("slots") or prompt.get("language", "en") != "en" or prompt["reply"].get("cache"):
            continue
        kind = "generated" if prompt["reply"]["mode"] == "generate" else "plain"
        found[kind] += [text for text in prompt["phrasings"][:3] if "{" not in text]
    mix = []
    for number in range(100):
        kind = "generated" if number * generated_percent % 100 < generated_percent else "plain"
        mix.append((kind, found[kind][number % len(found[kind])]))
    return mix


def run_load(load: Load) -> list[Came]:
    """Sends a load from a process of its own."""
    program = [sys.executable, "-m", "benchmarks.overloading.load"]
    done = subprocess.run(  # noqa: S603 - our own program
        program, input=json.dumps(asdict(load)).encode(), stdout=subprocess.PIPE, cwd=ROOT, check=True
    )
    return [Came(**one) for one in json.loads(done.stdout)]


def _slow_clients(load: Load, count: int) -> "subprocess.Popen[bytes]":
    program = [sys.executable, "-m", "benchmarks.overloading.slow"]
    started = subprocess.Popen(program, stdin=subprocess.PIPE, cwd=ROOT)  # noqa: S603 - our own program
    if started.stdin is None:
        raise RuntimeError("the slow clients have no standard input. This is a bug.")
    started.stdin.write(json.dumps({"port": load.port, "key": load.key, "count": count}).encode())
    started.stdin.close()
    return started


class _Probe:
    """Looks at liveness and memory five times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_over = threading.Event()
        self.livez_ms: list[float] = []
        self.most_mib = 0.0
        self.hangs = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stops looking."""
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.2):
            self.most_mib = max(self.most_mib, _memory_mib(self._pid))
            began_s = time.perf_counter()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/livez", timeout=10).close()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                self.hangs += 1
            self.livez_ms.append((time.perf_counter() - began_s) * 1000)


class _Others:
    """What runs on the machine beside these processes and those that they started."""

    def __init__(self, own: Sequence[int]) -> None:
        self._own = own
        self._began_s, self._began = time.perf_counter(), self._foreign_s()

    def share(self) -> float:
        """Returns how many cores the others took since then."""
        return (self._foreign_s() - self._began) / (time.perf_counter() - self._began_s)

    def _foreign_s(self) -> float:
        first = Path("/proc/stat").read_text().splitlines()[0].split()
        user, nice, system, _, _, irq, softirq, steal = map(int, first[1:9])
        ticks = user + nice + system + irq + softirq + steal
        return ticks / os.sysconf("SC_CLK_TCK") - sum(map(_used_s, self._own))


def _used_s(pid: int) -> float:
    """Returns the processor's time of a process, of those that it waited for and of those it has."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_used_s(int(one)) for one in children if pid != os.getpid())


def _memory_mib(pid: int) -> float:
    """Returns what the gateway holds, with the processes that it started."""
    return sum(resident_mib(one) for one in [pid, *children_of(pid)])


def example_settings(given: Sequence[str] = ()) -> dict[str, str]:
    """Returns the settings of a gateway that is measured; `given` adds to them as `NAME=value`."""
    chosen = {
        "CANONGATE_LIMITS__REQUESTS_PER_MINUTE": "1000000000",  # one key asks for everybody
        "CANONGATE_MATCHING__TUNE": "false",  # tuning would take a core while times are measured
    }
    return chosen | dict(one.partition("=")[::2] for one in given)


def _table(report: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in report["figures"].items()]
    lines += [
        f"{'holds' if row['holds'] else 'FAILS'}  {row['name']}: {row['value']} (at most {row['at_most']})"
        for row in report["must_hold"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
