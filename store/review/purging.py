"""Takes back what a person's messages brought to the review queue."""

from collections.abc import Collection, Mapping

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from store.database import Database
from store.repositories.decisions import decisions_of
from store.review.intake import IS_SIGHTED, remove_empty_clusters
from store.review.locking import hold_queue
from store.tables import QuestionRow, QuestionSightingRow


class QuestionPurger:
    """Deletes questions that nobody else asked; stands before the decisions, which then forget whose they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def purge(self, person: str, *, among: frozenset[str], session: Session) -> Mapping[str, int]:
        """Deletes them in the session's transaction and returns how many. `among` names assistants; empty means all."""
        return {"questions": forget_decisions(self._database, decisions_of(person, among), session)}


def forget_decisions(database: Database, decisions: Collection[str] | Select[str], session: Session) -> int:
    """Takes back what those decisions brought; returns how many questions went.

    A question that others asked too stays, without the share of these, as long as one of their decisions is known to
    the queue: of older ones it has the count alone.
    """
    hold_queue(database, session)
    found = session.scalars(select(QuestionSightingRow).where(QuestionSightingRow.decision.in_(decisions))).all()
    rows = {one.question: session.get_one(QuestionRow, one.question) for one in found}
    for sighting in found:
        row = rows[sighting.question]
        session.delete(sighting)
        row.count -= 1
        row.reasons = {**row.reasons, sighting.reason: row.reasons[sighting.reason] - 1}
        if row.last_decision == sighting.decision:
            row.last_decision = ""
    session.flush()
    unsighted = select(QuestionRow.id).where(~IS_SIGHTED)
    gone = [row for row in rows.values() if session.scalar(unsighted.where(QuestionRow.id == row.id))]
    for row in gone:
        session.delete(row)
    session.flush()
    remove_empty_clusters(session)
    return len(gone)
