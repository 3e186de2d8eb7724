"""The worker as a child process: started with next to nothing in its environment, and never left behind."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.child import PACKAGE_ROOT
from models.device import CUDA_ORDER, SMI_ORDER
from models.errors import ModelUnavailable
from models.worker.messages import FromWorker, ToWorker, encode_frame, read_from_worker

SEND_TIMEOUT_S = 1.0
"""A worker reads its pipe at once, whatever else it does; one that does not is stopped or broken."""

END_POLL_S = 0.005

SPIN = {"GOMP_SPINCOUNT": "10000"}
"""How long a thread of llama.cpp turns in circles before it sleeps at one of the hundreds of barriers of a step. With a
tenth of it a step took 7 % longer on two idle cores, and no longer with the default, which is thirty times as much and
made two threads beside other work some ten times slower."""


@dataclass(frozen=True, slots=True)
class WorkerProgram:
    """What is run as a worker, with which environment and where its stderr goes."""

    command: tuple[str, ...] = (sys.executable, "-P", "-m", "models.worker.llama")
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the little that a worker gets; such as LD_LIBRARY_PATH where a GPU's libraries need it."""
    log: Path | None = None
    """Takes what llama.cpp says on stderr; None drops it."""


class WorkerProcess:
    """One run of the worker. `on_event` is called from a thread of its own, with None at the end."""

    def __init__(self, program: WorkerProgram, on_event: Callable[["WorkerProcess", FromWorker | None], None]) -> None:
        # The very package that runs here, found without the current folder (-P); no secret of the gateway's
        # environment goes along.
        ours = {"PYTHONPATH": str(PACKAGE_ROOT), "LANG": "C.UTF-8", **SPIN, CUDA_ORDER: SMI_ORDER}
        environment = ours | dict(program.environment)
        with contextlib.ExitStack() as stack:
            try:
                log = (
                    stack.enter_context(open(program.log, "ab", opener=_open_private))
                    if program.log
                    else subprocess.DEVNULL
                )
                self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    program.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                raise ModelUnavailable(f"the model worker cannot be started: {error.strerror}") from error
        self.pid = self._process.pid
        self._on_event = on_event
        if self._process.stdin is None or self._process.stdout is None:
            raise ModelUnavailable("the model worker has no pipes. This is a bug.")
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        self._reader = threading.Thread(target=self._read, name=f"worker-{self.pid}", daemon=True)
        self._reader.start()

    def send(self, message: ToWorker) -> None:
        """Sends a message; raises `ModelUnavailable` when the worker is gone or does not read."""
        frame = memoryview(encode_frame(message))
        give_up_s = time.monotonic() + SEND_TIMEOUT_S
        try:
            stdin = select.poll()  # `select` takes no descriptor from 1,024 on
            stdin.register(self._stdin, select.POLLOUT)
            while frame:
                if not stdin.poll(max(0.0, give_up_s - time.monotonic()) * 1000):
                    raise ModelUnavailable("the model worker does not read its messages")
                frame = frame[os.write(self._stdin.fileno(), frame) :]
        except (OSError, ValueError) as error:
            raise ModelUnavailable("the model worker is gone") from error

    def has_ended(self, wait_s: float = 0.0) -> bool:
        """Whether the process ended by itself, at once or soon; then `kill` keeps its own exit status."""
        give_up_s = time.monotonic() + wait_s
        # Not waited for: until `kill` the number stays this worker's.
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() >= give_up_s:
                return False
            time.sleep(END_POLL_S)
        return True

    @property
    def ending(self) -> str:
        """How the process ended, in words; known after `kill` or `close`."""
        status = self._process.returncode
        if status is None:
            return "still running"
        return f"exit status {status}" if status >= 0 else f"signal {-status}"

    def kill(self) -> None:
        """Ends the worker and everything it may have started, also when it is stopped or hangs."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._release()

    def close(self, grace_s: float) -> None:
        """Closes the worker's pipe, which ends it; kills it when it does not end in time."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            # Not killed as well: the number of a process that was waited for may belong to another one.
            self._release()

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._process.wait()
        self._reader.join()
        self._stdout.close()

    def _read(self) -> None:
        # Nonsense on the pipe ends the worker exactly as its death does.
        with contextlib.suppress(ModelUnavailable, OSError, ValueError):
            while (message := read_from_worker(self._stdout)) is not None:
                self._on_event(self, message)
        self._on_event(self, None)


def _open_private(path: str, flags: int) -> int:
    """Opens a file that, when it is new, only its owner reads."""
    return os.open(path, flags, 0o600)
