"""What test sets came to when the gate last asked them, for whoever may see the change that it was for."""

from dataclasses import dataclass
from uuid import UUID

from store.changes.desk import Desk
from store.changes.evidence import GateRun, GateRuns, SuiteEvidence
from store.database import Transaction
from store.errors import NotFound
from store.people import Actor

MOST_RUNS = 50
"""The newest runs, among which results are looked for."""


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The result of a test set, and the run that found it."""

    evidence: SuiteEvidence
    run: GateRun


class SuiteResults:
    """Reads results. Every method blocks: use a thread."""

    def __init__(self, desk: Desk, runs: GateRuns) -> None:
        self._desk = desk
        self._runs = runs

    def last(self, actor: Actor) -> dict[str, SuiteResult]:
        """Returns the last result of each test set by its name; none of those that no late run asked."""
        found: dict[str, SuiteResult] = {}
        seen: dict[UUID, bool] = {}
        with self._desk.database.reading() as session:
            for run in self._runs.last_results(limit=MOST_RUNS, session=session):
                for evidence in run.result.suites if run.result else ():
                    is_wanted = evidence.name not in found and actor.may_see(evidence.assistant)
                    if is_wanted and self._sees(actor, run.change_id, seen, session):
                        found[evidence.name] = SuiteResult(evidence, run)
        return found

    def _sees(self, actor: Actor, change_id: UUID, seen: dict[UUID, bool], session: Transaction) -> bool:
        if change_id not in seen:
            try:
                self._desk.open(actor, change_id, session)
                seen[change_id] = True
            except NotFound:
                seen[change_id] = False
        return seen[change_id]
