"""Stored decisions: shown without hidden text, revealed with a row in the audit trail, deleted when they are old."""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.errors import NotAllowed
from store.audit import AuditTrail
from store.content import Assistant, KeepsText
from store.database import Database
from store.errors import NotFound
from store.people import SYSTEM, Actor, Role
from store.repositories.assistants import Assistants
from store.repositories.decision_filters import DecisionFilter
from store.repositories.decisions import Decisions, Place
from store.review.purging import forget_decisions
from store.sorting import Order
from store.types import Decision, Outcome, Recorded, Words

RETENTION_DAYS = 365
"""Of decisions whose assistant is no longer live."""
EXPIRED_AT_ONCE = 500
"""Decisions deleted in one transaction: messages wait for it."""
PERIOD_S = 3600.0
PAUSE_S = 0.2
_PAGE = 200
_LOG = logging.getLogger(__name__)


class RevealReason(StrEnum):
    """Why somebody looks at hidden text; a closed list, since the audit trail holds nobody's words."""

    COMPLAINT = "complaint"
    INCIDENT = "incident"
    QUALITY = "quality"
    LEGAL = "legal"


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A decision as its readers see it: slot values and full texts are hidden, redacted texts are there."""

    decision: Decision
    """Its slots have names and no values."""
    kept: KeepsText
    words: Words | None


@dataclass(frozen=True, slots=True)
class RevealedDecision:
    """What is hidden of a decision."""

    decision: Decision
    words: Words | None


class DecisionArchive:
    """What was decided, for whoever may see the assistant. All methods but `follow` block: use a thread."""

    def __init__(self, database: Database, audit: AuditTrail) -> None:
        self._database = database
        self._audit = audit
        self._decisions = Decisions(database)
        self._thread = CapacityLimiter(1)

    def page(
        self, actor: Actor, wanted: DecisionFilter, *, limit: int, before: Place | None = None
    ) -> tuple[ShownDecision, ...]:
        """Returns decisions of the actor's assistants, newest first."""
        found = self._decisions.recorded(_within(actor, wanted), limit=limit, before=before)
        return tuple(map(_shown, found))

    def sorted_page(
        self, actor: Actor, wanted: DecisionFilter, order: Order, *, limit: int
    ) -> tuple[ShownDecision, ...]:
        """Returns decisions of the actor's assistants in an order of `SORTS`."""
        return tuple(map(_shown, self._decisions.sorted_page(_within(actor, wanted), order, limit=limit)))

    def kept_days(self) -> dict[str, int]:
        """Returns for how many days the decisions of each assistant are kept, with their texts."""
        return {one.name: one.retention_days for one in Assistants(self._database).all()}

    def count(self, actor: Actor, wanted: DecisionFilter) -> dict[Outcome, int]:
        """Returns how many decisions of the actor's assistants had each outcome."""
        return self._decisions.count(_within(actor, wanted))

    def get(self, actor: Actor, decision_id: str) -> ShownDecision:
        """Returns one decision. Raises `NotFound`, also for one of another tenant."""
        with self._database.reading() as session:
            decision = self._decisions.get(decision_id, session)
            words = self._decisions.words(decision_id, session)
        _require_seen(actor, decision)
        return _shown(Recorded(decision, words))

    def reveal(self, actor: Actor, decision_id: str, *, reason: RevealReason) -> RevealedDecision:
        """Returns what is hidden, and says so in the audit trail, with the reason, in the same transaction.

        Raises `NotFound`, and `NotAllowed` for whoever is neither auditor nor admin.
        """
        if not (actor.may(Role.AUDITOR) or actor.may(Role.ADMIN)):
            raise NotAllowed("insufficient_role", "Only auditors and admins see hidden text.")
        with self._database.writing() as session:
            decision = self._decisions.get(decision_id, session)
            _require_seen(actor, decision)
            words = self._decisions.words(decision_id, session)
            kept = words.kept if words else KeepsText.OFF
            details = {"assistant": decision.assistant, "kept": kept.value, "reason": reason.value}
            self._audit.append(actor, "decision.revealed", f"decision {decision_id}", details, session=session)
        return RevealedDecision(decision, words)

    def export(self, actor: Actor, wanted: DecisionFilter) -> Iterator[tuple[ShownDecision, ...]]:
        """Gives all decisions that are wanted, newest first, in pages, and says so in the audit trail at the first."""
        within = _within(actor, wanted)
        told = {
            "assistant": within.assistant,
            "outcome": within.outcome,
            "prompt": within.prompt,
            "rail": within.rail,
            "since": within.since,
            "until": within.until,
        }
        with self._database.writing() as session:
            details = {name: value for name, value in told.items() if value is not None}
            self._audit.append(actor, "decisions.exported", "decisions", details, session=session)
        before: Place | None = None
        while found := self._decisions.recorded(within, limit=_PAGE, before=before):
            yield tuple(map(_shown, found))
            before = (found[-1].decision.at, found[-1].decision.id)

    def expire(self, now: dt.datetime | None = None) -> int:
        """Deletes one batch of every assistant's decisions that are older than it keeps them; returns how many."""
        moment = now or dt.datetime.now(dt.UTC)
        assistants = Assistants(self._database).all()
        names = tuple(one.name for one in assistants)
        count = sum(self._expire(moment, one, names) for one in assistants)
        return count + self._expire(moment, None, names)

    async def follow(self) -> None:
        """Expires what is old, every hour; batch after batch, with a pause for the messages between them."""
        while True:
            count = await to_thread.run_sync(self.expire, limiter=self._thread)
            await anyio.sleep(PAUSE_S if count else PERIOD_S)

    def _expire(self, now: dt.datetime, assistant: Assistant | None, live: tuple[str, ...]) -> int:
        days = assistant.retention_days if assistant else RETENTION_DAYS
        before = now - dt.timedelta(days=days)
        name = assistant.name if assistant else None
        with self._database.writing() as session:
            old = self._decisions.old(before, limit=EXPIRED_AT_ONCE, assistant=name, but=live, session=session)
            if old:
                # In the queue too: once they are gone, the purge of a person finds nothing of theirs there.
                forget_decisions(self._database, old, session)
                self._decisions.delete(old, session=session)
                target = f"assistant {name}" if name else "assistants that are not live"
                details = {"count": len(old), "days": days, "before": before}
                self._audit.append(SYSTEM, "decisions.expired", target, details, session=session)
        if old:
            _LOG.info("decisions_expired: %d", len(old))
        return len(old)


def _within(actor: Actor, wanted: DecisionFilter) -> DecisionFilter:
    return replace(wanted, among=actor.assistants)


def _require_seen(actor: Actor, decision: Decision) -> None:
    if not actor.may_see(decision.assistant):
        raise NotFound("there is no such decision")


def _shown(row: Recorded) -> ShownDecision:
    words = row.words
    is_shown = words is not None and words.kept is KeepsText.REDACTED
    decision = replace(row.decision, slots=dict.fromkeys(row.decision.slots, ""))
    return ShownDecision(decision, words.kept if words else KeepsText.OFF, words if is_shown else None)
