"""Builds a policy in a process of its own, with hard limits and nothing within reach, before it is built here."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from rails.sandbox_reports import SandboxReport

WALL_S = 60.0
"""A busy machine may take long over the imports; the limit of CPU is what stops a policy."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from rails.sandbox_child import main; main()"
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",  # each further one reserves 64 MiB of addresses that are never used
    "NEMO_GUARDRAILS_NO_USAGE_STATS": "1",
}
_OVERRUN = frozenset({signal.SIGPROF, signal.SIGXCPU})
_log = logging.getLogger("canongate.rails.sandbox")


class PolicySandbox(Protocol):
    """Where policies are built on trial."""

    def try_document(self, document: Mapping[str, Any]) -> SandboxReport:
        """Returns what came of building the policy; never raises for what a policy does."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Builds each policy in a process with 2 s of CPU, 512 MiB, no variables, and an empty folder to stand in."""

    program: str = _PROGRAM
    """Python text that answers a policy on standard input with a report on standard output."""
    wall_s: float = WALL_S

    def try_document(self, document: Mapping[str, Any]) -> SandboxReport:
        """Returns what came of building the policy. Blocks for about a second."""
        source = msgspec.json.encode(document)
        with tempfile.TemporaryDirectory(prefix="canongate-sandbox-") as empty:
            try:
                child = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    # Isolated: no variable, no folder of the user or the caller is where Python looks for code.
                    (sys.executable, "-I", "-B", "-c", self.program, str(_PACKAGE_ROOT)),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**_ENVIRONMENT, "HOME": empty},
                    cwd=empty,
                    start_new_session=True,
                )
            except OSError as error:
                return SandboxReport(problem=f"The policy cannot be tried: {error.strerror}. This is not its fault.")
            try:
                said, noise = child.communicate(source, timeout=self.wall_s)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)  # not waited for yet, so the number is still this child's
                child.communicate()
                return SandboxReport(problem=f"Building the policy was not done after {self.wall_s:g} s.")
        return _read(child.returncode, said, noise)


SANDBOX = Sandbox()
"""The sandbox for whoever has no reason for another."""


def _read(status: int, said: bytes, noise: bytes) -> SandboxReport:
    if status < 0 and -status in _OVERRUN:
        return SandboxReport(problem="Building the policy takes more than 2 s of computing. Make its lists shorter.")
    try:
        if status == 0:
            return msgspec.json.decode(said, type=SandboxReport)
    except msgspec.DecodeError:
        _log.exception("sandbox_answer_unreadable")
    last_line = (noise[-300:].decode("utf-8", "replace").strip().splitlines() or [""])[-1]
    _log.error("sandbox_failed", extra={"status": status, "last_line": last_line})
    if b"MemoryError" in noise:
        return SandboxReport(problem="The policy needs more than 512 MiB of memory. Make its lists shorter.")
    said_last = f", and its last line was: {last_line}" if last_line else ""
    return SandboxReport(problem=f"The policy could not be tried: its process ended with status {status}{said_last}")
