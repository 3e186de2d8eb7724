"""Decisions in the database."""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import NotFound
from store.tables import DecisionRow
from store.types import Decision, Outcome

_FIELDS = tuple(field.name for field in dataclasses.fields(Decision))
MAX_PAGE = 200


class Decisions:
    """Adds and reads decisions; none is ever changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decision: Decision, session: Session | None = None) -> None:
        """Stores a decision; when this returns, it survives a crash. Raises `Conflict`, `StoreUnavailable`.

        A person waits for it, so it does not wait for SQLite's disk: a loss of power may take the last seconds'.
        """
        values: dict[str, Any] = {name: getattr(decision, name) for name in _FIELDS}
        values |= {
            "outcome": decision.outcome.value,
            "slots": dict(decision.slots),
            "rails": [dict(rail) for rail in decision.rails],
            "timings_ms": dict(decision.timings_ms),
        }
        with self._database.writing(session, waits_for_disk=False) as opened:
            opened.add(DecisionRow(**values))
            opened.flush()

    def get(self, decision_id: str, session: Session | None = None) -> Decision:
        """Returns one decision. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(DecisionRow, decision_id)
            if row is None:
                raise NotFound(f"there is no decision {decision_id[:64]}")
            return _load(row)

    def last_of_conversation(
        self, conversation: str, principal: str, session: Session | None = None
    ) -> Decision | None:
        """Returns the newest decision of a conversation; another principal's with the same name is not seen."""
        query = (
            select(DecisionRow)
            .where(DecisionRow.conversation == conversation, DecisionRow.principal == principal)
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

    def page(
        self, *, limit: int, before: tuple[dt.datetime, str] | None = None, session: Session | None = None
    ) -> tuple[Decision, ...]:
        """Returns up to `limit` decisions, newest first, older than `before` (time and id of the last one seen)."""
        query = select(DecisionRow).order_by(DecisionRow.at.desc(), DecisionRow.id.desc())
        if before is not None:
            query = query.where(tuple_(DecisionRow.at, DecisionRow.id) < before)
        with self._database.reading(session) as opened:
            return tuple(_load(row) for row in opened.scalars(query.limit(max(1, min(limit, MAX_PAGE)))))


def _load(row: DecisionRow) -> Decision:
    values: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    values["outcome"] = Outcome(row.outcome)
    values["rails"] = tuple(row.rails)
    return Decision(**values)
