"""Writes a smaller form of a GGUF, in a process of its own: llama.cpp may die of a file, the caller must not."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from models.child import PACKAGE_ROOT
from models.errors import ModelRefused, ModelUnavailable
from models.files.gguf import GgufHeader, read_header
from models.files.gguf_types import FILE_TYPES
from models.files.quantized_size import quantized_bytes

COMMAND = (sys.executable, "-P", "-m", "models.files.llama_quantize")
OFFERED = ("q8_0", "q6_k", "q5_k_m", "q5_k_s", "q4_k_m", "q4_k_s", "q4_1", "q4_0", "q3_k_m", "q2_k", "f16", "bf16")
"""Those that need no importance matrix, best first; all of them run on every CPU."""
FULL = frozenset({"f32", "f16", "bf16"})
"""Forms that nothing was rounded away from."""
SPARE_BYTES = 64 * 2**20

QuantizeProgress = Callable[[int, int], None]
"""Is told how many tensors are done, and of how many."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is rewritten."""

    source: str
    target: str
    file_type: int
    threads: int
    allow_requantize: bool


class Step(msgspec.Struct, frozen=True, tag="step"):
    """How far it is."""

    done: int
    total: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no file, in llama.cpp's words."""

    reason: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The file is written."""


Said = Step | Failed | Done


@dataclass(frozen=True, slots=True)
class Quantized:
    """What was made of what."""

    before: GgufHeader
    after: GgufHeader


def quantize_file(
    source: Path,
    target: Path,
    file_type: str,
    progress: QuantizeProgress,
    *,
    threads: int = 1,
    allow_requantize: bool = False,
    most_s: float | None = None,
    command: tuple[str, ...] = COMMAND,
) -> Quantized:
    """Writes `source` as `file_type` to `target`, which appears whole at the end or not at all.

    Raises `ModelRefused` for a file, type or target that cannot be taken, `ModelUnavailable` when the process died,
    took longer than `most_s` (it is ended then), or the disk is full.
    """
    before = _acceptable(source, target, file_type, allow_requantize=allow_requantize)
    number = next(number for number, name in FILE_TYPES.items() if name == file_type)
    work = target.with_name(f".{target.name}.partial")
    with _reserved(work):
        job = Job(str(source.resolve()), str(work.resolve()), number, threads, allow_requantize)
        _run(job, command, progress, most_s)
        after = read_header(work)
        if after.architecture != before.architecture or after.parameters != before.parameters:
            raise ModelUnavailable(f"{target.name} came out as another model than {source.name}; nothing was kept")
        _publish(work, target)
    return Quantized(before, replace(after, file=target.name))


def _acceptable(source: Path, target: Path, file_type: str, *, allow_requantize: bool) -> GgufHeader:
    if file_type not in OFFERED:
        raise ModelRefused(f"{file_type} is not offered; choose one of {', '.join(OFFERED)}")
    if target.exists():
        raise ModelRefused(f"{target} exists; name a file that does not")
    if not target.parent.is_dir():
        raise ModelRefused(f"{target.parent} is not a folder; make it first")
    header = read_header(source)
    if not allow_requantize and not FULL.issuperset(header.tensor_types):
        raise ModelRefused(
            f"{source.name} is {header.file_type} already, and quantising it again loses more than it needs to. Take "
            "the f16 file, or allow it with --allow-requantize."
        )
    free = shutil.disk_usage(target.parent).free
    needed = quantized_bytes(header, file_type) + SPARE_BYTES
    if needed > free:
        raise ModelRefused(
            f"{target.parent} has {free / 2**30:.2f} GiB free; {file_type} may take {needed / 2**30:.2f} GiB. Free "
            "some space, write elsewhere, or take a smaller form."
        )
    return header


def _run(job: Job, command: tuple[str, ...], progress: QuantizeProgress, most_s: float | None) -> None:
    environment = {"PYTHONPATH": str(PACKAGE_ROOT), "LANG": "C.UTF-8"}
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise ModelUnavailable(f"the quantising process cannot be started: {error.strerror}") from error
    with contextlib.ExitStack() as stack:
        stack.callback(_end, process)
        is_late = threading.Event()
        if most_s is not None:
            watch = threading.Timer(most_s, _kill, (process, is_late))
            watch.start()
            stack.callback(watch.cancel)
        is_done = _listen(process, job, progress)
    if is_late.is_set():
        raise ModelUnavailable(f"the quantising process took longer than {most_s:g} s and was ended")
    if not is_done:
        ending = f"signal {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
        raise ModelUnavailable(f"the quantising process ended early ({ending}); is there enough memory?")


def _listen(process: "subprocess.Popen[bytes]", job: Job, progress: QuantizeProgress) -> bool:
    """Returns whether the process said that it is done."""
    if process.stdin is None or process.stdout is None:
        raise ModelUnavailable("the quantising process has no pipes. This is a bug.")
    try:
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        for line in process.stdout:
            match msgspec.json.decode(line, type=Said):
                case Step(done=done, total=total):
                    progress(done, total)
                case Failed(reason=reason):
                    raise ModelRefused(f"llama.cpp cannot quantise {Path(job.source).name}: {reason}")
                case Done():
                    return True
    except BrokenPipeError:
        return False
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"the quantising process broke off: {error}") from error
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the process, also in the middle of its work."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        _kill(process)
        process.wait()


def _kill(process: "subprocess.Popen[bytes]", is_late: threading.Event | None = None) -> None:
    if is_late is not None:
        is_late.set()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _reserved(work: Path) -> Iterator[None]:
    """Keeps a second quantisation off the same file, and leaves none behind that was not finished."""
    try:
        descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ModelRefused(f"{work} exists: another run writes it, or one broke off; remove it in that case") from error
    except OSError as error:
        raise ModelUnavailable(f"{work} cannot be written: {error.strerror}") from error
    os.close(descriptor)
    try:
        yield
    finally:
        work.unlink(missing_ok=True)


def _publish(work: Path, target: Path) -> None:
    try:
        _sync(work)
        os.link(work, target)  # unlike a rename, it replaces nothing that appeared meanwhile
        _sync(target.parent)
    except FileExistsError as error:
        raise ModelRefused(f"{target} appeared meanwhile and stays; name another file") from error
    except OSError as error:
        raise ModelUnavailable(f"{target} cannot be written: {error.strerror}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
