"""What a run was made on: the machine, its software and whether others used it meanwhile."""

import os
import platform
import shutil
import subprocess
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.rivals.venvs import ROOT
from models.catalog import known_model
from models.embedding.embedder import packaged_minilm
from models.verified import sha256_of

SOFTWARE = ("torch", "onnxruntime", "faiss-cpu", "llama-cpp-python", "nemoguardrails", "litestar")
"""Packages of ours that figures depend on."""
GGUF = "smollm2-135m-instruct"


def describe() -> dict[str, Any]:
    """Returns the machine as JSON can hold it."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "family": " ".join(
            f"{name} {_first('/proc/cpuinfo', field)}"
            for name, field in (("family", "cpu family"), ("model", "model"), ("stepping", "stepping"))
        ),
        "is_virtual": is_virtual(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "python": platform.python_version(),
        "software": {name: version for name in SOFTWARE if (version := _version(name))},
        "weights": {
            GGUF: known_model(GGUF).sha256,
            "all-MiniLM-L6-v2": sha256_of(packaged_minilm() / "model.safetensors"),
        },
    }


def is_virtual() -> bool:
    """Whether the cores are a virtual machine's, as the processor or the system says."""
    return "hypervisor" in _first("/proc/cpuinfo", "flags").split() or Path("/sys/hypervisor/type").is_file()


def own_version() -> dict[str, str]:
    """Returns canongate's version, and the commit of the checkout, marked where files differ from it."""
    return {"version": _version("canongate") or "unknown", "commit": _commit()}


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    commit = _said(git, "rev-parse", "--short=12", "HEAD")
    is_changed = _said(git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!README.md")
    return f"{commit}, changed since" if commit and is_changed else commit or "unknown"


def _said(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - git itself
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def now() -> str:
    """Returns the day and the time, as pages say them."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


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
