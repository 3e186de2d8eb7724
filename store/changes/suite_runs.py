"""Runs of test sets against what is live: how far each is, and what its cases came to."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.changes.evidence import LOST_AFTER
from store.changes.repository import new_id
from store.database import Database
from store.people import Actor
from store.tables import SuiteRunRow

KEPT = 20
"""Runs of a test set; older ones are forgotten."""


class SuiteRunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    DONE = "done"
    BROKEN = "broken"
    """It could not be finished, which says nothing about the test set."""


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one case came to, in words."""

    case: str
    expected: str
    got: str
    is_right: bool
    is_unasked: bool = False
    """Whether nothing is known of it because a part did not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One run."""

    id: UUID
    suite: str
    assistant: str
    live_revision: int
    state: SuiteRunState
    started_by: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    done: int
    total: int
    cases: tuple[CaseResult, ...]

    @property
    def right(self) -> int:
        """How many cases came to what is wanted."""
        return sum(one.is_right for one in self.cases)


class SuiteRuns:
    """Keeps runs. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(
        self, actor: Actor, suite: str, assistant: str, *, live_revision: int, total: int, at: dt.datetime
    ) -> tuple[SuiteRun, bool]:
        """Adds a run that has begun; gives the one that is going on instead, if there is one, and whether it is new."""
        with self._database.writing() as session:
            self._give_up(suite, at, session)
            going = _of(suite).where(SuiteRunRow.state == SuiteRunState.RUNNING.value).limit(1)
            if (row := session.scalar(going)) is not None:
                return _run(row, at), False
            row = SuiteRunRow(
                id=new_id(),
                suite=suite,
                assistant=assistant,
                live_revision=live_revision,
                state=SuiteRunState.RUNNING.value,
                started_by=actor.person,
                started_at=at,
                beat_at=at,
                finished_at=None,
                done=0,
                total=total,
                cases=None,
            )
            session.add(row)
            session.flush()
            old = session.scalars(_of(suite).offset(KEPT)).all()
            session.execute(delete(SuiteRunRow).where(SuiteRunRow.id.in_([one.id for one in old])))
            return _run(row, at), True

    def tell(self, run_id: UUID, done: int, *, at: dt.datetime) -> None:
        """Says how far a run is. Need not survive a loss of power."""
        with self._database.writing(waits_for_disk=False) as session:
            session.execute(update(SuiteRunRow).where(SuiteRunRow.id == run_id).values(done=done, beat_at=at))

    def finish(self, run_id: UUID, cases: tuple[CaseResult, ...] | None, *, at: dt.datetime) -> None:
        """Ends a run; broken without cases."""
        state = SuiteRunState.BROKEN if cases is None else SuiteRunState.DONE
        values: dict[str, Any] = {"state": state.value, "finished_at": at, "beat_at": at}
        if cases is not None:
            values |= {"cases": msgspec.to_builtins(cases), "done": len(cases)}
        with self._database.writing() as session:
            session.execute(update(SuiteRunRow).where(SuiteRunRow.id == run_id).values(**values))

    def newest(self, suite: str, *, at: dt.datetime) -> tuple[SuiteRun, ...]:
        """Returns the runs of a test set, newest first; one that died with its process is broken."""
        with self._database.reading() as session:
            return tuple(_run(row, at) for row in session.scalars(_of(suite).limit(KEPT)))

    def _give_up(self, suite: str, at: dt.datetime, session: Session) -> None:
        lost = (
            SuiteRunRow.suite == suite,
            SuiteRunRow.state == SuiteRunState.RUNNING.value,
            SuiteRunRow.beat_at <= at - LOST_AFTER,
        )
        broken = {"state": SuiteRunState.BROKEN.value, "finished_at": at}
        session.execute(update(SuiteRunRow).where(*lost).values(**broken))


def _of(suite: str) -> Any:
    return select(SuiteRunRow).where(SuiteRunRow.suite == suite).order_by(SuiteRunRow.id.desc())


def _run(row: SuiteRunRow, at: dt.datetime) -> SuiteRun:
    state = SuiteRunState(row.state)
    if state is SuiteRunState.RUNNING and at - row.beat_at >= LOST_AFTER:
        state = SuiteRunState.BROKEN
    return SuiteRun(
        id=row.id,
        suite=row.suite,
        assistant=row.assistant,
        live_revision=row.live_revision,
        state=state,
        started_by=row.started_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        done=row.done,
        total=row.total,
        cases=msgspec.convert(row.cases or [], tuple[CaseResult, ...]),
    )
