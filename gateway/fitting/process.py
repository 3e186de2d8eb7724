"""A fit in a process of its own: it needs torch, takes up to minutes, and may be ended at any time."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from gateway.errors import NotServing
from models.child import PACKAGE_ROOT, Parent
from models.errors import ModelError
from store.content import CanonicalPrompt
from store.errors import StoreError

Progress = Callable[[str, int, int], None]
"""Is told a phase, how much of it is done, and of how much."""

_NICENESS = 15
"""Whoever answers messages goes first."""


class FitJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is fitted, and where it is kept."""

    source: str
    """Folder of the sentence-transformers model."""
    sha256: str
    """Hash of its weights."""
    base: str
    """Fingerprint of its export, which the fit is found by."""
    languages: tuple[str, ...] | None
    """What the model reads; None when nobody knows."""
    exports: str
    """Folder of the exported embedders."""
    fits: str
    """Folder of the fits."""
    prompts: tuple[CanonicalPrompt, ...]
    scopes: tuple[tuple[str, ...], ...]
    """Areas of the assistants, each different set once."""
    is_tuned: bool
    """Whether the embedder is tuned first, which takes minutes."""
    threads: int
    is_urgent: bool = True
    """Whether somebody waits for it; one that can wait takes no processor from messages."""


class Step(msgspec.Struct, frozen=True, tag="step"):
    """How far the fit is."""

    phase: str
    done: int
    total: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no fit, in words for an operator."""

    reason: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The fit is in its folder."""


class FitProcess:
    """One fit. Its process ends with this one, whatever ends it."""

    def __init__(self, job: FitJob, *, log: Path | None) -> None:
        environment = {
            "PYTHONPATH": str(PACKAGE_ROOT),
            "LANG": "C.UTF-8",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": str(job.threads),
        }
        self.unlogged = ""
        """Why nothing of what it says on standard error is kept; empty when it is."""
        with contextlib.ExitStack() as stack:
            stderr: IO[bytes] | int = subprocess.DEVNULL
            try:
                stderr = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
            except OSError as error:
                self.unlogged = f"{log} cannot be written: {error.strerror}"
            try:
                self._process = subprocess.Popen(
                    (sys.executable, "-P", "-m", "gateway.fitting.process"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=environment,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                raise _not_fitted(f"its process cannot be started: {error.strerror}") from error
        self._job = job

    def wait(self, progress: Progress) -> None:
        """Returns when the fit is in its folder. Raises `NotServing` when there will be none."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise _not_fitted("its process has no pipes. This is a bug.")
        try:
            process.stdin.write(msgspec.json.encode(self._job) + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                match msgspec.json.decode(line, type=Step | Failed | Done):
                    case Step(phase=phase, done=done, total=total):
                        progress(phase, done, total)
                    case Failed(reason=reason):
                        raise _not_fitted(reason)
                    case Done():
                        return
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise _not_fitted("its process broke off") from error
        finally:
            self.end()
        raise _not_fitted(f"its process ended early (exit status {process.returncode})")

    def end(self) -> None:
        """Ends the process, also in the middle of its work; what it was writing is absent."""
        if self._process.returncode is None:  # once it was waited for, its number may belong to another process
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _not_fitted(reason: str) -> NotServing:
    return NotServing("matcher_not_fitted", f"the matcher could not be fitted: {reason}")


def main() -> None:
    """Reads a job from standard input, fits it, and says on standard output how far it is."""
    from gateway.fitting.kept import fit_job  # noqa: PLC0415 - what fits is loaded by the process that fits, not its parent

    parent = Parent()
    job = parent.job(FitJob)
    if job.is_tuned or not job.is_urgent:
        _give_way()
    try:
        fit_job(job, lambda phase, done, total: parent.say(Step(phase, done, total)))
    except (ModelError, StoreError) as error:
        parent.say(Failed(str(error)))
    except OSError as error:  # a folder that cannot be written, a full disk
        parent.say(Failed(f"{error.strerror}: {error.filename or job.fits}"))
    else:
        parent.say(Done())


def _give_way() -> None:
    """Lets others have the processor first.

    Linux may weigh whole sessions against each other, and this process has one of its own: its niceness alone then
    does nothing (sched(7), "The autogroup feature").
    """
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICENESS), encoding="ascii")


if __name__ == "__main__":
    main()
