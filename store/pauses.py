"""Keeps a long computation in one thread from holding up the others: the collector's pauses, and turns of the lock."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SWITCH_S = 0.0005
"""How long a thread that computes keeps the interpreter while another one waits; Python's own 5 ms are spent at each of
the ten hand-overs of a message. While a rail computed, the event loop waited 13 to 15 ms a turn with 5 ms, and 6 to 7
with 1 ms, on two busy cores."""

_guard = Lock()
_builders = 0


def settle() -> None:
    """Takes what is loaded by now out of what the collector looks through, and has threads take turns more often.

    For a process that is about to serve: a million objects that stay would be looked through again and again, for a
    tenth of a second and more, during which nothing else runs.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Keeps the collector away while much is made that stays; what goes by reference counts goes all the same."""
    global _builders  # noqa: PLW0603 - the collector is one for the process
    with _guard:
        _builders += 1
        gc.disable()
    try:
        yield
    finally:
        with _guard:
            _builders -= 1
            if not _builders:
                gc.enable()
