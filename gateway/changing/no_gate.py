"""Stands where nothing can try a change: no run begins, so nothing is approved, and says so."""

from uuid import UUID

from store.changes.evidence import GateRun
from store.errors import Conflict
from store.people import Actor


class NoGate:
    """Begins no run."""

    def start(self, actor: Actor, change_id: UUID, *, rev: int) -> GateRun:
        """Raises `Conflict`."""
        raise Conflict("this gateway cannot try changes, so none can be approved. Nothing was changed.")
