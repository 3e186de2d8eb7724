"""A gate that is done at once, and finds what a test tells it to."""

from store.changes.desk import Desk
from store.changes.evidence import GateResult, GateRun, GateRuns
from store.errors import Conflict
from store.people import Actor


class FinishedGate:
    """Passes every content, unless a test put problems down."""

    def __init__(self, desk: Desk, runs: GateRuns) -> None:
        self._desk = desk
        self._runs = runs
        self.problems: tuple[str, ...] = ()

    def start(self, actor: Actor, change_id, *, rev: int) -> GateRun:
        desk = self._desk
        with desk.database.writing() as session:
            change = desk.open(actor, change_id, session).change
            if change.rev != rev:
                raise Conflict("the change is at another rev.", found={"rev": change.rev})
            desk.require_unmoved(change, session)
            at = desk.clock()
            run = self._runs.start(change, desk.live_revision(session), actor, at=at, session=session)
            self._runs.finish(run.id, GateResult(problems=self.problems), at=at, session=session)
        return self._runs.get(run.id)

    async def follow(self) -> None:
        """No run outlives its start."""

    def close(self) -> None:
        """No run is at work."""
