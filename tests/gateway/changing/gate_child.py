"""A process whose gate is at work when it is killed: `python -m tests.gateway.changing.gate_child URL`."""

import sys
import threading

from store.database import open_database
from tests.gateway.changing.gate_world import ADA, GateWorld, until


def main(url: str) -> None:
    """Begins a run that waits for ever, and says of which change it is once it is at work."""
    gating = GateWorld(open_database(url))
    gating.trials.held = threading.Event()
    change = gating.submitted()
    run = gating.gate.start(ADA, change.id, rev=change.rev)
    until(lambda: gating.runs.get(run.id).phase == "trying")
    sys.stdout.write(f"{change.id} {run.id}\n")
    sys.stdout.flush()
    gating.trials.held.wait(60)


if __name__ == "__main__":
    main(sys.argv[1])
