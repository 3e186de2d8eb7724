"""How a child speaks: one JSON object a line comes in, one goes out; nothing of the gateway is imported.

Run by a rival's own interpreter, with its own packages alone. What a library prints goes to standard error, so that it
cannot be taken for an answer. A child ends when its standard input does.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Said = dict[str, Any]
WARM_UP = 5


def serve(verbs: Mapping[str, Callable[..., Said]]) -> None:
    """Answers each line by the function that its `do` names, called with its other fields."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            said = json.loads(line)
            answer = verbs[said.pop("do")](**said)
            out.write(json.dumps(answer) + "\n")
            out.flush()


def timed(ask: Callable[[str], object], messages: Sequence[str], *, warm_up: bool) -> list[float]:
    """Returns the milliseconds that each message took, one after another."""
    for message in messages[: WARM_UP if warm_up else 0]:
        ask(message)
    times = []
    for message in messages:
        started = time.perf_counter()
        ask(message)
        times.append((time.perf_counter() - started) * 1000)
    return times


def memory() -> Said:
    """Returns the resident memory of this process now."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    now = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
    return {"resident_mib": now}
