"""Keeps a long computation in one thread from holding up the others: the collector's pauses, and turns of the lock."""

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local

SWITCH_S = 0.0005
"""How long a thread that computes keeps the interpreter while another one waits; Python's own 5 ms are spent at each of
the ten hand-overs of a message. While a rail computed, the event loop waited 13 to 15 ms a turn with 5 ms, and 6 to 7
with 1 ms, on two busy cores."""

COLLECTED = (10_000, 20, 50)
"""How many new objects make the collector look at the youngest, how often of these at the older, and of these at all
that came since the process settled. By Python's own (700, 10, 10) pages that read thousands of rows had it look at all
of them in one call of twenty, for 70 ms; cycles are few here, and what has none goes by reference counts at once."""

_TURN_S, _REST_S = 0.002, 0.002
"""How long a computation goes on between two rests, and how long a rest is."""

_guard = Lock()
_builders = 0
_is_settled = False
_last = local()


def settle() -> None:
    """Takes what is loaded by now out of what the collector looks through, and has threads take turns more often.

    For a process that is about to serve: a million objects that stay would be looked through again and again, for a
    tenth of a second and more, during which nothing else runs.
    """
    global _is_settled  # noqa: PLW0603 - it is the process that settles
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    _is_settled = True
    gc.freeze()
    gc.set_threshold(*COLLECTED)


def give_way() -> None:
    """Rests now and then, for loops over everything that is live, in a process that serves.

    Who waits for an answer changes threads ten times, and has to get the interpreter back each time from a thread that
    computes: without rests that took up to 70 ms in place of 10.
    """
    if not _is_settled:
        return
    now = time.perf_counter()
    if now - getattr(_last, "rested", 0.0) >= _TURN_S:
        time.sleep(_REST_S)
        _last.rested = time.perf_counter()


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
