"""What is known about a content before people get it: runs of the gate, and what they found."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from store.changes.repository import new_id
from store.changes.types import Change
from store.database import Database
from store.errors import Conflict, NotFound
from store.people import Actor
from store.tables import GateRunRow

LOST_AFTER = dt.timedelta(minutes=2)
"""A run that has not said for so long that it goes on has died with its process."""
NOTHING_ELSE = "Nothing else was looked at."
"""The notice of a run that ended at the first problems. It is about no document."""


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    """Something that it found keeps the content from people."""
    BROKEN = "broken"
    """It could not be finished, which says nothing good about the content."""


class CaseEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a test set, whose result differs from live or is not the expected one."""

    suite: str
    case: str
    expected: str
    got: str
    before: str
    """What came of it live; empty where nothing could be asked."""
    was_right: bool | None
    is_right: bool

    @property
    def is_regression(self) -> bool:
        """Whether it was right, and is not any more."""
        return self.was_right is True and not self.is_right


class SuiteEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a test set, with the live ones as the baseline."""

    name: str
    assistant: str
    cases: int
    right: int
    right_before: int | None
    """None when there is no live state to ask."""
    differing: tuple[CaseEvidence, ...] = ()


class CalibrationEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """How far an assistant can be trusted, measured on its phrasings."""

    assistant: str
    stated_rate: float
    false_match: float | None
    """None where there are too few phrasings to measure it."""
    false_match_before: float | None
    coverage: float | None
    coverage_before: float | None
    is_over_rate: bool
    collisions: tuple[str, ...] = ()
    """Phrasings that are nearer to another prompt, in words."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run found."""

    problems: tuple[str, ...]
    """What blocks approval and publishing, in words with the place."""
    notices: tuple[str, ...] = ()
    """What an approver should know."""
    suites: tuple[SuiteEvidence, ...] = ()
    calibrations: tuple[CalibrationEvidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRun:
    """One run, for one content over one live revision."""

    id: UUID
    change_id: UUID
    content_hash: str
    live_revision: int
    state: RunState
    started_by: str
    started_at: dt.datetime
    beat_at: dt.datetime
    finished_at: dt.datetime | None
    phase: str
    done: int
    total: int
    result: GateResult | None


class GateRuns:
    """Keeps the runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, change: Change, live_revision: int, actor: Actor, *, at: dt.datetime, session: Session) -> GateRun:
        """Adds a run that has begun. Raises `Conflict` while one for the same content is going on."""
        if (last := self.newest(change.id, change.content_hash, session)) and last.state is RunState.RUNNING:
            if at - last.beat_at < LOST_AFTER:
                raise Conflict(
                    "the gate is running for this content already. Its result comes by itself.", rule="gate_running"
                )
            self._end(last.id, RunState.BROKEN, None, at=at, session=session)
        row = GateRunRow(
            id=new_id(),
            change_id=change.id,
            content_hash=change.content_hash,
            live_revision=live_revision,
            state=RunState.RUNNING.value,
            started_by=actor.person,
            started_at=at,
            beat_at=at,
            finished_at=None,
            phase="waiting",
            done=0,
            total=0,
            result=None,
        )
        session.add(row)
        session.flush()
        return _run(row)

    def tell(self, run_id: UUID, phase: str, done: int, total: int, *, at: dt.datetime) -> None:
        """Says how far a run is. Need not survive a loss of power."""
        with self._database.writing(waits_for_disk=False) as session:
            values: dict[str, Any] = {"phase": phase, "done": done, "total": total, "beat_at": at}
            session.execute(_going(run_id).values(**values))

    def finish(self, run_id: UUID, result: GateResult | None, *, at: dt.datetime, session: Session) -> RunState:
        """Ends a run: passed without problems, failed with some, broken without a result; one that ended stays so."""
        state = RunState.BROKEN if result is None else RunState.FAILED if result.problems else RunState.PASSED
        self._end(run_id, state, result, at=at, session=session)
        return self.get(run_id, session).state

    def lost(self, at: dt.datetime, session: Session | None = None) -> tuple[GateRun, ...]:
        """Returns the runs whose process has not been heard of for too long."""
        query = select(GateRunRow).where(
            GateRunRow.state == RunState.RUNNING.value, GateRunRow.beat_at <= at - LOST_AFTER
        )
        with self._database.reading(session) as opened:
            return tuple(map(_run, opened.scalars(query)))

    def get(self, run_id: UUID, session: Session | None = None) -> GateRun:
        """Returns a run. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(GateRunRow, run_id, populate_existing=True)
            if row is None:
                raise NotFound(f"there is no gate run {run_id}")
            return _run(row)

    def newest(self, change_id: UUID, content_hash: str, session: Session | None = None) -> GateRun | None:
        """Returns the newest run for a content, whatever became of it."""
        query = (
            select(GateRunRow)
            .where(GateRunRow.change_id == change_id, GateRunRow.content_hash == content_hash)
            .order_by(GateRunRow.id.desc())
            .limit(1)
            .execution_options(populate_existing=True)
        )
        with self._database.reading(session) as opened:
            row = opened.scalar(query)
            return None if row is None else _run(row)

    def page(
        self, change_id: UUID, *, limit: int, after: UUID | None = None, session: Session | None = None
    ) -> tuple[GateRun, ...]:
        """Returns the runs of a change, newest first, those older than `after`."""
        query = select(GateRunRow).where(GateRunRow.change_id == change_id).order_by(GateRunRow.id.desc()).limit(limit)
        if after is not None:
            query = query.where(GateRunRow.id < after)
        with self._database.reading(session) as opened:
            return tuple(_run(row) for row in opened.scalars(query))

    def recent(self, *, limit: int, session: Session | None = None) -> tuple[GateRun, ...]:
        """Returns the newest runs of whatever change, newest first."""
        with self._database.reading(session) as opened:
            rows = opened.scalars(select(GateRunRow).order_by(GateRunRow.id.desc()).limit(limit))
            return tuple(map(_run, rows))

    def last_results(self, *, limit: int, session: Session | None = None) -> tuple[GateRun, ...]:
        """Returns the newest runs that found something out, of whatever change, newest first."""
        ended = (RunState.PASSED.value, RunState.FAILED.value)
        query = select(GateRunRow).where(GateRunRow.state.in_(ended)).order_by(GateRunRow.id.desc()).limit(limit)
        with self._database.reading(session) as opened:
            return tuple(_run(row) for row in opened.scalars(query))

    def require_passed(self, change: Change, live_revision: int, session: Session | None = None) -> GateRun:
        """Returns the evidence for exactly this content over what is live now; that of another never counts.

        Raises `Conflict`, which says what is missing.
        """
        run = self.newest(change.id, change.content_hash, session)
        if run is None:
            raise Conflict("the gate has not run for this content. Run it first.", rule="gate_needed")
        if run.state is not RunState.PASSED:
            raise Conflict(
                f"the gate's run for this content is {run.state.value}. See its result.", rule="gate_not_passed"
            )
        if run.live_revision != live_revision:
            raise Conflict(
                f"the gate ran over revision {run.live_revision}, and revision {live_revision} is live. Run it again.",
                rule="gate_old",
            )
        return run

    def _end(
        self, run_id: UUID, state: RunState, result: GateResult | None, *, at: dt.datetime, session: Session
    ) -> None:
        values: dict[str, Any] = {
            "state": state.value,
            "finished_at": at,
            "beat_at": at,
            "result": None if result is None else msgspec.to_builtins(result),
        }
        session.execute(_going(run_id).values(**values))


def _going(run_id: UUID) -> Update:
    """Begins a statement about a run that is going on: whatever ended stays as it ended."""
    is_it = (GateRunRow.id == run_id, GateRunRow.state == RunState.RUNNING.value)
    return update(GateRunRow).where(*is_it).execution_options(synchronize_session=False)


def _run(row: GateRunRow) -> GateRun:
    return GateRun(
        id=row.id,
        change_id=row.change_id,
        content_hash=row.content_hash,
        live_revision=row.live_revision,
        state=RunState(row.state),
        started_by=row.started_by,
        started_at=row.started_at,
        beat_at=row.beat_at,
        finished_at=row.finished_at,
        phase=row.phase,
        done=row.done,
        total=row.total,
        result=None if row.result is None else msgspec.convert(row.result, GateResult),
    )
