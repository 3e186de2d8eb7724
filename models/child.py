"""What the main programs of canongate's own processes share: a job comes from the parent, messages go to it."""

import os
import sys
import threading
from pathlib import Path
from typing import TypeVar

import msgspec

_T = TypeVar("_T")

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
"""Where a process of our own finds our modules."""


class Parent:
    """The process that started this one; lines of JSON go both ways.

    Standard output is for these messages alone: what a library prints goes to standard error from now on.
    """

    def __init__(self) -> None:
        self._sink = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def job(self, kind: type[_T]) -> _T:
        """Returns the job that came; this process ends with its parent, or when that wants the work no more.

        Raises `msgspec.MsgspecError` for what is no such job.
        """
        job = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        return job

    def say(self, message: msgspec.Struct) -> None:
        """Sends one message."""
        self._sink.write(msgspec.json.encode(message) + b"\n")
        self._sink.flush()


def _end_with_parent() -> None:
    # Nothing comes after the job, so that this returns when the other side closes. Not through the buffered file: a
    # thread that sits in its lock breaks the end of the interpreter.
    while os.read(0, 1):
        pass
    os._exit(1)
