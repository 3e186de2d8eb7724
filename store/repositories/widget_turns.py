"""What was said in widgets a moment ago, in the database: whichever gateway a visitor comes to knows it."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from store.database import Database
from store.tables import WidgetTurnRow

Place = tuple[str, str]
"""Whose a question is, and its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetTurn:
    """A question of a visitor and what it ended in, both encrypted."""

    holder: str
    key: str
    conversation: str
    person: str | None
    fingerprint: bytes
    message: bytes = field(repr=False)
    at: dt.datetime
    ended: bytes | None = field(default=None, repr=False)
    may_come_again: bool = False
    is_stopped: bool = False


class WidgetTurns:
    """Adds, ends and forgets questions. All methods block; none waits for the disk, since nothing is kept for long."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, turn: WidgetTurn) -> None:
        """Adds a question, in place of one that may come again. Raises `Conflict` when its key is at work or used."""
        with self._database.writing(waits_for_disk=False) as opened:
            mine = WidgetTurnRow.holder == turn.holder, WidgetTurnRow.key == turn.key
            opened.execute(delete(WidgetTurnRow).where(*mine, WidgetTurnRow.may_come_again))
            of_it = WidgetTurnRow.conversation == turn.conversation, WidgetTurnRow.holder == turn.holder
            last = opened.scalar(select(func.max(WidgetTurnRow.number)).where(*of_it)) or 0
            values = {name: getattr(turn, name) for name in turn.__slots__}
            opened.add(WidgetTurnRow(**values, number=last + 1))

    def end(self, place: Place, ended: bytes, *, may_come_again: bool) -> None:
        """Writes down what a question ended in; nothing, where it was forgotten meanwhile."""
        self._change(place, ended=ended, may_come_again=may_come_again)

    def stop(self, place: Place) -> None:
        """Asks whoever works on a question to stop."""
        self._change(place, is_stopped=True)

    def find(self, place: Place) -> WidgetTurn | None:
        """Returns a question."""
        with self._database.reading() as opened:
            row = opened.get(WidgetTurnRow, place)
            return _load(row) if row else None

    def said(self, holder: str, conversation: str, *, most: int) -> tuple[WidgetTurn, ...]:
        """Returns the newest questions of somebody's conversation, oldest first."""
        mine = WidgetTurnRow.conversation == conversation, WidgetTurnRow.holder == holder
        query = (
            select(WidgetTurnRow)
            .where(*mine)
            .order_by(WidgetTurnRow.number.desc(), WidgetTurnRow.at.desc())
            .limit(most)
        )
        with self._database.reading() as opened:
            return tuple(map(_load, opened.scalars(query)))[::-1]

    def knows(self, holder: str, conversation: str) -> bool:
        """Whether anything was said in somebody's conversation."""
        query = select(func.count()).select_from(WidgetTurnRow)
        query = query.where(WidgetTurnRow.conversation == conversation, WidgetTurnRow.holder == holder)
        with self._database.reading() as opened:
            return bool(opened.scalar(query))

    def wanted(self, places: Collection[Place]) -> frozenset[Place]:
        """Returns those of the questions that nobody stopped or forgot."""
        which = tuple_(WidgetTurnRow.holder, WidgetTurnRow.key).in_(tuple(places))
        query = select(WidgetTurnRow.holder, WidgetTurnRow.key).where(which, ~WidgetTurnRow.is_stopped)
        with self._database.reading() as opened:
            return frozenset((holder, key) for holder, key in opened.execute(query))

    def take_back(self, place: Place) -> None:
        """Forgets a question."""
        with self._database.writing(waits_for_disk=False) as opened:
            opened.execute(delete(WidgetTurnRow).where(_is_at(place)))

    def forget(self, holder: str, conversation: str) -> None:
        """Forgets what somebody said in a conversation."""
        mine = WidgetTurnRow.conversation == conversation, WidgetTurnRow.holder == holder
        with self._database.writing(waits_for_disk=False) as opened:
            opened.execute(delete(WidgetTurnRow).where(*mine))

    def expire(self, *, before: dt.datetime) -> None:
        """Forgets what is older than that."""
        with self._database.writing(waits_for_disk=False) as opened:
            opened.execute(delete(WidgetTurnRow).where(WidgetTurnRow.at < before))

    def purge(self, person: str, *, session: Session) -> int:
        """Forgets what a person said; returns how many questions that were."""
        result = session.execute(delete(WidgetTurnRow).where(WidgetTurnRow.person == person))
        return result.rowcount if isinstance(result, CursorResult) else 0

    def _change(self, place: Place, **values: object) -> None:
        with self._database.writing(waits_for_disk=False) as opened:
            query = update(WidgetTurnRow).where(_is_at(place)).values(**values)
            opened.execute(query.execution_options(synchronize_session=False))


def _is_at(place: Place) -> ColumnElement[bool]:
    return tuple_(WidgetTurnRow.holder, WidgetTurnRow.key) == place


def _load(row: WidgetTurnRow) -> WidgetTurn:
    return WidgetTurn(**{name: getattr(row, name) for name in WidgetTurn.__slots__})
