"""What the services of changes need of the gate."""

from typing import Protocol
from uuid import UUID

from store.changes.evidence import GateRun
from store.people import Actor


class Gate(Protocol):
    """Tries what a change would make of the gateway, beside serving."""

    def start(self, actor: Actor, change_id: UUID, *, rev: int) -> GateRun:
        """Begins a run for the content that the change has at `rev`, or returns the one that is going on for it.

        Returns at once; `GateRuns.get` tells how far the run is. Raises `Refused`, `NotFound`, `Conflict` when the
        change is at another rev or what it was drafted from has moved.
        """

    async def follow(self) -> None:
        """Ends the runs of processes that died, for ever."""

    def close(self) -> None:
        """Ends the run at work; it is broken, and never passed."""
