"""The program that runs in the sandbox: builds one policy, tries its rails' own examples, and says what came of it.

Started by `rails.sandbox`, with a policy as JSON on standard input. Whatever a policy says is data here as everywhere;
the limits are for what nobody thought of.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rails.definition import (
    RAIL_FIELD,
    Ask,
    Neighbours,
    QuestionPart,
    RailDefinition,
    RailParams,
    RailServices,
    Vectors,
    rail_name,
)
from rails.dialog import compile_dialog
from rails.dialog_document import Dialog
from rails.engine import try_probes
from rails.errors import RailsError
from rails.nemo import compile_stage
from rails.policy import load_policy
from rails.registry import SHIPPED_RAILS
from rails.runner import RailLimits, RailRunner
from rails.sandbox_reports import RailState, RailTrial, SandboxReport
from rails.types import Stage

CPU_S = 2.0
"""For the policy alone. Importing NeMo took 0.75 to 0.95 s of CPU, so it is not counted."""
WHOLE_CPU_S = 30
"""With the imports."""
ADDRESS_SPACE = 512 << 20
"""180 MiB are used once everything is imported."""
MAX_INPUT = 1 << 21
_NICENESS = 10
"""Whoever answers messages goes first."""
_DIMENSION = 64
_READABLE = (
    sys.prefix,
    sys.base_prefix,
    str(Path(__file__).parent),
    "/usr/share/zoneinfo",
    "/proc/self",
    "/dev/urandom",
    "/dev/null",
)
_ROOTS = tuple(os.path.realpath(path) for path in _READABLE)
_REFUSED = frozenset(
    {
        *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen", "os.kill"),
        *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
        *("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
        *("socket.sendto", "socket.sendmsg", "sqlite3.connect"),
    }
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_RUNNER_LIMITS = RailLimits(rail_s=CPU_S, stage_s=CPU_S)


class StandInServices:
    """Answers in place of the embedder and the model, which do not fit in here, and notes that it was asked."""

    def __init__(self) -> None:
        self.was_asked = False
        self.services = RailServices(embed=self._embed, neighbours=self._neighbours, ask=self._ask_of)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        self.was_asked = True
        rows = np.zeros((len(texts), _DIMENSION), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for place in range(max(1, len(text) - 2)):
                row[sum(text[place : place + 3].encode()) % _DIMENSION] += 1.0
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def _neighbours(self, vectors: Vectors) -> Neighbours:
        self.was_asked = True
        return _Rows(vectors)

    def _ask_of(self, _model: str) -> Ask:
        self.was_asked = True
        return self._ask

    async def _ask(self, _question: Sequence[QuestionPart]) -> str:
        return ""


class _Rows:
    """Compares with every row."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def nearest(self, vector: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        scores = self._vectors @ vector.reshape(-1)
        order = np.argsort(-scores)[:count].astype(np.int64)
        return scores[order], order


def main() -> None:
    """Answers one policy, then ends; only the pipe that was standard output takes the answer."""
    answer = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    os.nice(_NICENESS)
    _limit_whole()
    source = sys.stdin.buffer.read(MAX_INPUT + 1)
    runner = RailRunner(_RUNNER_LIMITS)
    _warm(source, runner)
    sys.addaudithook(refuse_outside)
    _limit_policy()
    began_s = time.process_time()
    report = try_policy(source, runner)
    cpu_ms = round((time.process_time() - began_s) * 1000, 1)
    os.write(answer, msgspec.json.encode(msgspec.structs.replace(report, cpu_ms=cpu_ms, peak_mib=_peak_mib())))
    os._exit(0)  # nothing here needs to be put away, and no thread is waited for


def try_policy(source: bytes, runner: RailRunner) -> SandboxReport:
    """Builds each rail of the policy and tries its examples, then has the dialog say each of its replies."""
    trials: list[RailTrial] = []
    if len(source) > MAX_INPUT:
        return SandboxReport(problem=f"The policy has more than {MAX_INPUT} bytes. Shorten it.")
    try:
        document = load_policy(msgspec.json.decode(source))
        for stage, entries in ((Stage.INPUT, document.input), (Stage.OUTPUT, document.output)):
            trials += (_trial(stage, params, runner) for params in entries)
        if document.dialog is not None:
            compile_dialog(document.dialog, runner, StandInServices().services)  # which topic it is does not matter
    except (RailsError, msgspec.DecodeError) as error:
        return SandboxReport(rails=tuple(trials), problem=str(error))
    except MemoryError:
        words = f"The policy needs more than {ADDRESS_SPACE >> 20} MiB of memory. Make its lists and patterns shorter."
        return SandboxReport(rails=tuple(trials), problem=words)
    return SandboxReport(rails=tuple(trials))


def refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """Lets a policy's rails read the program's own files, and nothing else: no network, process, database or file.

    An audit hook: it sees what Python code does. Raises `PermissionError`, which libraries take for a missing right.
    """
    if event in _REFUSED:
        raise PermissionError(f"{event} is not allowed in the sandbox")
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path))
        if (isinstance(flags, int) and flags & _WRITES) or not any(_is_below(real, root) for root in _ROOTS):
            raise PermissionError("files outside of the program are not open in the sandbox")


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root.rstrip('/')}/")


def _trial(stage: Stage, params: RailParams, runner: RailRunner) -> RailTrial:
    name, stand_ins, began_s = rail_name(params), StandInServices(), time.monotonic()
    state, words = RailState.READY, ""
    try:
        _build(SHIPPED_RAILS[name], params, stage, stand_ins.services, runner)
    except RailsError as error:
        state, words = RailState.REFUSED, str(error)
    if stand_ins.was_asked:  # what a stand-in answers proves nothing, for or against the rail
        state, words = RailState.DEFERRED, ""
    ms = round((time.monotonic() - began_s) * 1000, 1)
    return RailTrial(stage=stage, rail=name, state=state, words=words, ms=ms)


def _build(
    definition: RailDefinition, params: RailParams, stage: Stage, services: RailServices, runner: RailRunner
) -> None:
    (compiled,) = compile_stage([(definition, params)], stage, services)
    try_probes(compiled, definition.probes(params), runner)


_SMALL_DIALOG = {"limit": 1.0, "topics": [{"name": "hello", "examples": ["Hello"], "replies": {"en": ["Hello."]}}]}


def _warm(source: bytes, runner: RailRunner) -> None:
    """Builds the policy's rails once as they come, so that what they load first is not counted as the policy's."""
    if b'"dialog"' in source:
        compile_dialog(msgspec.convert(_SMALL_DIALOG, Dialog), runner, StandInServices().services)
    for name, definition in SHIPPED_RAILS.items():
        if name.encode() not in source:
            continue
        stage = next(iter(definition.stages))
        try:
            params = msgspec.convert({RAIL_FIELD: name}, definition.params)
            _build(definition, params, stage, StandInServices().services, runner)
        except (msgspec.ValidationError, RailsError):
            continue  # it has parameters that must be given, or asks a stand-in


def _limit_whole() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (WHOLE_CPU_S, WHOLE_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_policy() -> None:
    # RLIMIT_CPU counts whole seconds since the start of the process; the timer counts from here, user and system time
    # of all threads. What it sends ends the process wherever it is, in C code too.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    last = int(time.process_time() + CPU_S) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (last, last))


def _peak_mib() -> int:
    """Returns the most address space that was used; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    peak = next((line.split()[1] for line in lines if line.startswith("VmPeak")), "0")
    return int(peak) >> 10


if __name__ == "__main__":
    main()
