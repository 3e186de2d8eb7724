"""What a run was made on: the machine, its software and whether others used it meanwhile."""

import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Returns the machine as JSON can hold it."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "python": platform.python_version(),
    }


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def now() -> str:
    """Returns the day, as pages say it."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


class Others:
    """What ran on the machine beside this process and those that it started, in cores."""

    def __init__(self) -> None:
        self._began = time.monotonic(), _busy_s(), _own_s()

    def cores(self) -> float:
        """Returns how many cores others took since then, on average."""
        began_s, busy_s, own_s = self._began
        return max(0.0, ((_busy_s() - busy_s) - (_own_s() - own_s)) / max(1e-9, time.monotonic() - began_s))


def _busy_s() -> float:
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    """Returns the processor's time of this process, of those it waited for and of all that run below it."""
    return _used_s(os.getpid())


def _used_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_used_s(int(one)) for found in lists for one in found.split())
