"""A server under test: started, waited for, measured with all the processes that it started, and ended with them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.gateway_process import children_of, resident_mib
from benchmarks.rivals.venvs import ROOT

START_S = 600.0
LOOK_S = 0.02
LOGS = ROOT / "var" / "rivals" / "logs"
_ENDS_WITH_US = ("/usr/bin/setpriv", "--pdeathsig", "KILL")
"""Also when this program is killed: a server that is left behind would answer the next run."""


class NotServing(Exception):
    """A server did not get ready; the message holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that is ready."""

    pid: int
    ready_s: float
    """From its start until it was ready."""

    def memory_mib(self) -> float:
        """What it holds in memory, with the processes that it started; pages that they share count for each."""
        return sum(resident_mib(one) for one in tree_of(self.pid))


def tree_of(pid: int) -> list[int]:
    """Returns a process and all that descend from it."""
    return [pid, *(one for child in children_of(pid) for one in tree_of(child))]


def cores() -> tuple[str, str]:
    """Returns the server's cores and the load's: the last core is the load's and the upstream's where there are two."""
    able = [str(one) for one in sorted(os.sched_getaffinity(0))]
    return (",".join(able[:-1]), able[-1]) if len(able) > 1 else (able[0], able[0])


@contextlib.contextmanager
def serving(
    name: str,
    command: Sequence[str],
    ready: str,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    placed: str = "",
) -> Iterator[Serving]:
    """Starts a server in a process group of its own and waits until `ready`, an address, replies with 200.

    Raises `NotServing`, also where somebody else is at that address already: who replied would be taken for the server.
    """
    _require_free(ready)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    began_s = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - the commands are of this benchmark
            [*(["/usr/bin/taskset", "--cpu-list", placed] if placed else []), *_ENDS_WITH_US, *command],
            cwd=folder,
            env=_environment(environment or {}),
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            _wait(process, ready, log)
            yield Serving(process.pid, time.monotonic() - began_s)
        finally:
            _end(process)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Returns what a server is given: nothing that a person set for another program, and no way to a model hub."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}  # noqa: TID251 - handed on
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "NO_PROXY": "127.0.0.1,localhost"}
    return {**kept, **offline, **more}


def _require_free(address: str) -> None:
    place = urlsplit(address)
    with contextlib.suppress(OSError), socket.create_connection((place.hostname or "", place.port or 80), timeout=5):
        raise NotServing(f"another program answers at {place.netloc}: end it, or it would be measured in its place")


def _wait(process: "subprocess.Popen[bytes]", ready: str, log: Path) -> None:
    until_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until_s:
        try:
            urllib.request.urlopen(ready, timeout=5).close()  # noqa: S310 - loopback
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(LOOK_S)
        else:
            return
    tail = log.read_bytes()[-3000:].decode("utf-8", "replace")
    raise NotServing(f"not ready (exit status {process.poll()}). It said last:\n{tail}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asks the group to end, and kills what is left of it."""
    for sign, patience_s in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
    if process.stdin:
        process.stdin.close()
