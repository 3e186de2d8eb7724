"""Deletes what there is of a person, wherever it is kept, by the user id that callers gave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from store.audit import AuditTrail
from store.database import Database
from store.people import Actor
from store.repositories.decisions import Decisions
from store.repositories.feedback import FeedbackStore

Pseudonym = Callable[[str], str | None]


class Purger(Protocol):
    """A part that keeps something of people under their pseudonyms."""

    def purge(self, person: str, *, among: frozenset[str], session: Session) -> Mapping[str, int]:
        """Deletes it in the session's transaction and returns how much of what that was.

        `among` are the assistants of the tenant; empty means all.
        """


class DecisionPurger:
    """Deletes texts of decisions, and whose they were; the decisions stay as figures."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions

    def purge(self, person: str, *, among: frozenset[str], session: Session) -> Mapping[str, int]:
        texts, decisions = self._decisions.forget(person, among=among, session=session)
        return {"texts": texts, "decisions": decisions}


class FeedbackPurger:
    """Deletes what a person said beside verdicts; stands before the decisions, which then forget whose they are."""

    def __init__(self, feedback: FeedbackStore) -> None:
        self._feedback = feedback

    def purge(self, person: str, *, among: frozenset[str], session: Session) -> Mapping[str, int]:
        return {"feedback_texts": self._feedback.forget(person, among=among, session=session)}


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What was deleted, or cut loose from the person."""

    person: str
    """The beginning of the pseudonym, as in the audit trail."""
    counts: Mapping[str, int]


class Purging:
    """All that is kept of a person goes in one transaction, with a row in the audit trail. Blocks: use a thread."""

    def __init__(self, database: Database, audit: AuditTrail, pseudonym: Pseudonym, purgers: Sequence[Purger]) -> None:
        self._database = database
        self._audit = audit
        self._pseudonym = pseudonym
        self._purgers = tuple(purgers)

    def purge(self, actor: Actor, user: str) -> PurgeReport:
        """Purges a user id within the actor's assistants. One that is not known is no error: counts are 0."""
        person = self._pseudonym(user) or ""
        counts: dict[str, int] = {}
        with self._database.writing() as session:
            for purger in self._purgers if person else ():
                for what, count in purger.purge(person, among=actor.assistants, session=session).items():
                    counts[what] = counts.get(what, 0) + count
            # The whole pseudonym would be a link again, for whoever has the pepper.
            report = PurgeReport(person[:12], counts)
            details = {**counts, "assistants": sorted(actor.assistants)}
            self._audit.append(actor, "person.purged", f"person {report.person}", details, session=session)
        return report
