"""Decisions in the database."""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Select, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from store.content import KeepsText
from store.database import Database
from store.errors import NotFound
from store.repositories.decision_filters import DecisionFilter, conditions
from store.sorting import Order, Sort, in_order, sort_of
from store.tables import DecisionRow, DecisionTextRow
from store.types import Decision, Outcome, Recorded, TokenSubject, Words

_FIELDS = tuple(field.name for field in dataclasses.fields(Decision))
MAX_PAGE = 200


Place = tuple[dt.datetime, str]
"""Time and id of a decision, which is where a page ends."""


class HasDecision(Protocol):
    """What lists of decisions hold."""

    @property
    def decision(self) -> Decision:
        """The decision."""


SORTS: Mapping[str, Sort[HasDecision]] = {
    "at": Sort(dt.datetime, lambda one: one.decision.at, DecisionRow.at),
    "score": Sort(float, lambda one: _sorted_score(one.decision), DecisionRow.sorted_score),
    "latency": Sort(float, lambda one: one.decision.total_ms, DecisionRow.total_ms),
}
"""Columns that lists are sorted by."""


class Decisions:
    """Adds and reads decisions; none is ever changed, but to forget whose it was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decision: Decision, session: Session | None = None) -> None:
        """Stores a decision; when this returns, it survives a crash. Raises `Conflict`, `StoreUnavailable`.

        A person waits for it, so it does not wait for SQLite's disk: a loss of power may take the last seconds'.
        """
        with self._database.writing(session, waits_for_disk=False) as opened:
            opened.execute(insert(DecisionRow), [row_values(Recorded(decision))])

    def get(self, decision_id: str, session: Session | None = None) -> Decision:
        """Returns one decision. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(DecisionRow, decision_id)
            if row is None:
                raise NotFound("there is no such decision")
            return _load(row)

    def hold(self, decision_id: str, *, session: Session) -> None:
        """Keeps everybody else from changing the decision, a purge too, until the transaction ends."""
        session.execute(select(DecisionRow.id).where(DecisionRow.id == decision_id).with_for_update())

    def words(self, decision_id: str, session: Session | None = None) -> Words | None:
        """Returns what is kept of a decision's words."""
        with self._database.reading(session) as opened:
            row = opened.get(DecisionTextRow, decision_id)
            return _words(row)

    def of_ids(self, ids: Collection[str], session: Session | None = None) -> dict[str, Recorded]:
        """Returns those of the named decisions that are still there, with what is kept of the words."""
        query = select(DecisionRow, DecisionTextRow).where(DecisionRow.id.in_(tuple(ids)))
        query = query.join(DecisionTextRow, DecisionTextRow.decision == DecisionRow.id, isouter=True)
        with self._database.reading(session) as opened:
            return {row.id: Recorded(_load(row), _words(text)) for row, text in opened.execute(query)}

    def last_of_conversation(
        self, conversation: str, principal: str, session: Session | None = None
    ) -> Decision | None:
        """Returns the newest decision of a conversation, but for failures, after which people try again.

        Another principal's with the same name is not seen.
        """
        query = (
            select(DecisionRow)
            .where(DecisionRow.conversation == conversation, DecisionRow.principal == principal)
            .where(DecisionRow.failed.is_(False))
            .order_by(DecisionRow.at.desc(), DecisionRow.id.desc())
            .limit(1)
        )
        with self._database.reading(session) as opened:
            row = opened.scalar(query)
            return _load(row) if row else None

    def most_answered(
        self, *, since: dt.datetime, limit: int, session: Session | None = None
    ) -> tuple[tuple[str, str], ...]:
        """Returns the assistants and keys of the prompts with the most answers since then, the most first."""
        query = (
            select(DecisionRow.assistant, DecisionRow.prompt_key)
            .where(DecisionRow.at >= since, DecisionRow.outcome == Outcome.ANSWERED.value)
            .where(DecisionRow.prompt_key.is_not(None))
            .group_by(DecisionRow.assistant, DecisionRow.prompt_key)
            .order_by(func.count().desc(), DecisionRow.assistant, DecisionRow.prompt_key)
            .limit(limit)
        )
        with self._database.reading(session) as opened:
            return tuple((assistant, key) for assistant, key in opened.execute(query) if key is not None)

    def count(self, wanted: DecisionFilter, session: Session | None = None) -> dict[Outcome, int]:
        """Returns how many decisions had each outcome."""
        query = select(DecisionRow.outcome, func.count()).where(*conditions(wanted)).group_by(DecisionRow.outcome)
        with self._database.reading(session) as opened:
            found = {row[0]: row[1] for row in opened.execute(query)}
        return {outcome: found.get(outcome.value, 0) for outcome in Outcome}

    def tokens_since(self, kind: TokenSubject, name: str, since: dt.datetime, session: Session | None = None) -> int:
        """Returns the tokens, read and written, of the decisions of an API key or an assistant since then."""
        whose = DecisionRow.principal if kind == "principal" else DecisionRow.assistant
        used = func.sum(DecisionRow.prompt_tokens + DecisionRow.completion_tokens)
        with self._database.reading(session) as opened:
            return int(opened.scalar(select(used).where(whose == name, DecisionRow.at >= since)) or 0)

    def page(
        self,
        wanted: DecisionFilter | None = None,
        *,
        limit: int,
        before: Place | None = None,
        session: Session | None = None,
    ) -> tuple[Decision, ...]:
        """Returns up to `limit` decisions, newest first, older than `before` (time and id of the last one seen)."""
        return tuple(row.decision for row in self.recorded(wanted, limit=limit, before=before, session=session))

    def recorded(
        self,
        wanted: DecisionFilter | None = None,
        *,
        limit: int,
        before: Place | None = None,
        session: Session | None = None,
    ) -> tuple[Recorded, ...]:
        """Returns the same page with what is kept of the words."""
        query = select(DecisionRow, DecisionTextRow).where(*conditions(wanted or DecisionFilter()))
        query = query.join(DecisionTextRow, DecisionTextRow.decision == DecisionRow.id, isouter=True)
        query = query.order_by(DecisionRow.at.desc(), DecisionRow.id.desc()).limit(max(1, min(limit, MAX_PAGE)))
        if before is not None:
            query = query.where(tuple_(DecisionRow.at, DecisionRow.id) < before)
        with self._database.reading(session) as opened:
            return tuple(Recorded(_load(row), _words(text)) for row, text in opened.execute(query))

    def sorted_page(
        self, wanted: DecisionFilter, order: Order, *, limit: int, session: Session | None = None
    ) -> tuple[Recorded, ...]:
        """Returns a page in any of the orders of `SORTS`, with what is kept of the words."""
        by = sort_of(SORTS, order).by
        # The ids first: rows are wide, and those that are not on the page would be sorted whole.
        narrowed = conditions(wanted, leads=order.column == "at")
        ids = in_order(select(DecisionRow.id).where(*narrowed), order, by, DecisionRow.id)
        query = select(DecisionRow, DecisionTextRow).where(DecisionRow.id.in_(ids.limit(max(1, min(limit, MAX_PAGE)))))
        query = query.join(DecisionTextRow, DecisionTextRow.decision == DecisionRow.id, isouter=True)
        with self._database.reading(session) as opened:
            rows = opened.execute(in_order(query, replace(order, after=None), by, DecisionRow.id)).all()
            return tuple(Recorded(_load(row), _words(text)) for row, text in rows)

    def old(
        self,
        before: dt.datetime,
        *,
        limit: int,
        session: Session,
        assistant: str | None = None,
        but: Collection[str] = (),
    ) -> Sequence[str]:
        """Returns the ids of up to `limit` decisions older than that, the oldest first.

        Of one assistant, or of all but those named.
        """
        old = select(DecisionRow.id).where(DecisionRow.at < before).order_by(DecisionRow.at).limit(limit)
        old = (
            old.where(DecisionRow.assistant == assistant)
            if assistant
            else old.where(DecisionRow.assistant.not_in(tuple(but)))
        )
        return session.scalars(old).all()

    def delete(self, ids: Collection[str], *, session: Session) -> None:
        """Deletes decisions with their texts."""
        session.execute(delete(DecisionTextRow).where(DecisionTextRow.decision.in_(ids)))
        session.execute(delete(DecisionRow).where(DecisionRow.id.in_(ids)))

    def forget(self, person: str, *, among: frozenset[str] = frozenset(), session: Session) -> tuple[int, int]:
        """Deletes what a person said, and whose the decisions are; returns how many texts and decisions that were.

        The decisions stay as figures, without conversation and slot values.
        """
        theirs = decisions_of(person, among)
        texts = session.execute(delete(DecisionTextRow).where(DecisionTextRow.decision.in_(theirs)))
        decisions = session.execute(
            update(DecisionRow)
            .where(DecisionRow.id.in_(theirs))
            .values(person=None, conversation=None, slots={})
            .execution_options(synchronize_session=False)
        )
        return _count(texts), _count(decisions)


def decisions_of(person: str, among: frozenset[str]) -> Select[str]:
    """Returns the query for the ids of a person's decisions, of those assistants; empty means all."""
    theirs = select(DecisionRow.id).where(DecisionRow.person == person)
    return theirs.where(DecisionRow.assistant.in_(tuple(among))) if among else theirs


def row_values(row: Recorded) -> dict[str, Any]:
    """Returns a decision as the columns of its table."""
    decision = row.decision
    values = {name: getattr(decision, name) for name in decision.__slots__}
    values["outcome"] = decision.outcome.value
    values["slots"] = dict(decision.slots)
    values["rails"] = [dict(rail) for rail in decision.rails]
    values["timings_ms"] = dict(decision.timings_ms)
    values["stopped_by"] = decision.stopped_by
    values["total_ms"] = decision.total_ms
    values["sorted_score"] = _sorted_score(decision)
    return values


def _sorted_score(decision: Decision) -> float:
    return -1.0 if decision.score is None else decision.score


def _words(row: DecisionTextRow | None) -> Words | None:
    return None if row is None else Words(KeepsText(row.kept), row.message, row.answer, row.context)


def _count(result: Any) -> int:
    return int(result.rowcount)


def _load(row: DecisionRow) -> Decision:
    values: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    values["outcome"] = Outcome(row.outcome)
    values["rails"] = tuple(row.rails)
    return Decision(**values)
