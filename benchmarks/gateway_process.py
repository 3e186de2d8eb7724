"""The gateway with the example help desk as a process of its own: started, waited for, and what it takes of memory."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_S = 900.0


def start(
    data: Path, port: int, settings: Mapping[str, str], *, cores: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """Starts it on a data folder, with settings by their variables, on some cores alone where they are named."""
    data.mkdir(parents=True, exist_ok=True)
    placed = ["/usr/bin/taskset", "--cpu-list", ",".join(map(str, cores))] if cores else []
    return subprocess.Popen(  # noqa: S603 - our own program
        [*placed, sys.executable, "-m", "gateway.cli", "demo", "--port", str(port), "--intranet-port", "0"],
        cwd=ROOT,
        env={**os.environ, "CANONGATE_DATA__DIRECTORY": str(data), **settings},  # noqa: TID251 - handed on as it is
        stderr=(data / "gateway.log").open("wb"),
    )


def wait_until_ready(process: "subprocess.Popen[bytes]", port: int, *, look_s: float = 0.2) -> None:
    """Waits until requests may be sent. Ends the program when that does not come."""
    until_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until_s:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(look_s)
        else:
            return
    process.kill()
    raise SystemExit("the gateway did not get ready; see gateway.log in the data folder")


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"… {line}", file=sys.stderr, flush=True)


def children_of(pid: int) -> list[int]:
    """Returns the processes that any thread of a process started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(one) for found in lists for one in found.read_text().split()]


def resident_mib(pid: int) -> float:
    """Returns what a process holds in memory; 0 for one that ended meanwhile."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
