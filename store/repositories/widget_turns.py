"""What was said in widgets a moment ago, in the database: whichever gateway a visitor comes to knows it."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Row,
    Table,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import Conflict
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


_TURNS = cast("Table", WidgetTurnRow.__table__)
_NAMES = tuple(WidgetTurn.__slots__)
_COLUMNS = tuple(_TURNS.c[name] for name in _NAMES)


class WidgetTurns:
    """Adds, ends and forgets questions, each in one statement; none waits for the disk: nothing is kept for long.

    All methods block.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._add = _adding(sqlite.insert if database.is_sqlite else postgresql.insert)

    def add(self, turn: WidgetTurn) -> None:
        """Adds a question, in place of one that may come again. Raises `Conflict` when its key is at work or used."""
        if not self._database.run_alone(self._add, {name: getattr(turn, name) for name in turn.__slots__}):
            raise Conflict("a question with this key is there already.", rule="stored_differs")

    def end(self, place: Place, ended: bytes, *, may_come_again: bool) -> None:
        """Writes down what a question ended in; nothing, where it was forgotten meanwhile."""
        self._change(place, ended=ended, may_come_again=may_come_again)

    def stop(self, place: Place) -> None:
        """Asks whoever works on a question to stop."""
        self._change(place, is_stopped=True)

    def find(self, place: Place) -> WidgetTurn | None:
        """Returns a question."""
        rows = self._database.run_alone(select(*_COLUMNS).where(*_is_at(place)))
        return _load(rows[0]) if rows else None

    def said(self, holder: str, conversation: str, *, most: int) -> tuple[WidgetTurn, ...]:
        """Returns the newest questions of somebody's conversation, oldest first."""
        query = select(*_COLUMNS).where(*_of(holder, conversation))
        rows = self._database.run_alone(query.order_by(_TURNS.c.number.desc(), _TURNS.c.at.desc()).limit(most))
        return tuple(map(_load, rows))[::-1]

    def knows(self, holder: str, conversation: str) -> bool:
        """Whether anything was said in somebody's conversation."""
        return bool(self._database.run_alone(select(_TURNS.c.key).where(*_of(holder, conversation)).limit(1)))

    def wanted(self, places: Collection[Place]) -> frozenset[Place]:
        """Returns those of the questions that nobody stopped or forgot."""
        which = tuple_(_TURNS.c.holder, _TURNS.c.key).in_(tuple(places))
        query = select(_TURNS.c.holder, _TURNS.c.key).where(which, ~_TURNS.c.is_stopped)
        return frozenset((row.holder, row.key) for row in self._database.run_alone(query))

    def take_back(self, place: Place) -> None:
        """Forgets a question."""
        self._database.run_alone(delete(_TURNS).where(*_is_at(place)))

    def forget(self, holder: str, conversation: str) -> None:
        """Forgets what somebody said in a conversation."""
        self._database.run_alone(delete(_TURNS).where(*_of(holder, conversation)))

    def expire(self, *, before: dt.datetime) -> None:
        """Forgets conversations whose last question is older than that."""
        newer = _TURNS.alias()
        goes_on = select(newer.c.key).where(
            newer.c.conversation == _TURNS.c.conversation, newer.c.holder == _TURNS.c.holder, newer.c.at >= before
        )
        self._database.run_alone(delete(_TURNS).where(_TURNS.c.at < before, ~goes_on.exists()))

    def purge(self, person: str, *, session: Session) -> int:
        """Forgets what a person said; returns how many questions that were."""
        result = session.execute(delete(WidgetTurnRow).where(WidgetTurnRow.person == person))
        return result.rowcount if isinstance(result, CursorResult) else 0

    def _change(self, place: Place, **values: object) -> None:
        self._database.run_alone(update(_TURNS).where(*_is_at(place)).values(**values))


def _adding(insert: Callable[[Table], Any]) -> Executable:
    """Makes the statement that adds a question behind the last of its conversation, and gives a row when it did.

    The same message again is the same try, since each is sealed anew: to be run twice does no harm.
    """
    given = {name: bindparam(name, type_=_TURNS.c[name].type) for name in _NAMES}
    number = func.coalesce(func.max(_TURNS.c.number), 0) + 1
    last = select(*given.values(), number).where(
        _TURNS.c.conversation == given["conversation"], _TURNS.c.holder == given["holder"]
    )
    adding = insert(_TURNS).from_select([*_NAMES, "number"], last)
    new = {name: adding.excluded[name] for name in (*_NAMES, "number") if name not in ("holder", "key")}
    is_ours = _TURNS.c.may_come_again | (_TURNS.c.message == adding.excluded.message)
    on_conflict = adding.on_conflict_do_update(index_elements=["holder", "key"], set_=new, where=is_ours)
    returning: Executable = on_conflict.returning(_TURNS.c.number)
    return returning


def _is_at(place: Place) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    holder, key = place
    return _TURNS.c.holder == holder, _TURNS.c.key == key


def _of(holder: str, conversation: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _TURNS.c.conversation == conversation, _TURNS.c.holder == holder


def _load(row: Row[Any]) -> WidgetTurn:
    return WidgetTurn(**{name: getattr(row, name) for name in _NAMES})
