"""The gate: tries what a change would make of the gateway, one change after another, on a thread beside serving."""

import datetime as dt
import logging
import threading
import time
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Protocol
from uuid import UUID

import anyio
from anyio import to_thread

from gateway.fitting.process import Progress
from gateway.live import Live
from store.catalog import Catalog, load_catalog
from store.changes.desk import Desk, Opened
from store.changes.documents import bundle_of, removed_by
from store.changes.evidence import LOST_AFTER, GateResult, GateRun, GateRuns, RunState
from store.changes.types import OPEN_STATES, Change
from store.database import Transaction
from store.errors import Conflict, InvalidContent, Refused, StoreError
from store.people import SYSTEM, Actor, Role

BEAT_S = 15.0
"""Between two signs of life of a run."""
TELL_S = 1.0
"""Between two words about how far it is."""
MOST_S = 3600.0
"""A run that takes longer hangs: it gives no more signs of life, and counts as lost."""
CLOSE_S = 5.0
"""How long `close` waits for the run at work."""
_STARTERS = (Role.EDITOR, Role.APPROVER, Role.ADMIN)

_LOG = logging.getLogger(__name__)


class Prover(Protocol):
    """Gathers evidence; `gateway/changing/evidence.py` has the real one."""

    def prove(self, live: Catalog, ahead: Catalog, step: Progress) -> GateResult:
        """Returns what is found. Whatever it raises, nothing is known of the catalog."""


@dataclass(slots=True)
class _Job:
    """A run that waits, or is at work."""

    run: GateRun
    change: Change
    until: float
    """On the monotonic clock."""
    phase: str = "waiting"
    done: int = 0
    total: int = 0
    told: float = 0.0


class _Stopped(Exception):
    """The gateway is shutting down, or the run has taken too long."""


class ChangeGate:
    """Runs the evidence of changes. `close` ends it; runs that it leaves are broken, and never passed."""

    def __init__(self, desk: Desk, runs: GateRuns, prover: Prover, live: Live) -> None:
        self._desk = desk
        self._runs = runs
        self._prover = prover
        self._live = live
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._jobs: dict[UUID, _Job] = {}
        self._worker: threading.Thread | None = None
        self._closing = threading.Event()

    def start(self, actor: Actor, change_id: UUID, *, rev: int) -> GateRun:
        desk = self._desk
        if self._closing.is_set():
            raise Conflict("the gateway is shutting down. Run the gate again once it is back.")
        with desk.database.writing() as session:
            desk.changes.hold(change_id, session)
            opened = desk.open(actor, change_id, session)
            _require_startable(actor, opened, rev)
            change = opened.change
            desk.require_unmoved(change, session)
            if desk.changes.content_hash(change_id, session) != change.content_hash:
                raise Conflict("the change's documents are not those that its hash was made of. Restore a backup.")
            at, live = desk.clock(), desk.live_revision(session)
            last = self._runs.newest(change_id, change.content_hash, session)
            if last is not None and last.state is RunState.RUNNING and at - last.beat_at < LOST_AFTER:
                if last.live_revision == live:
                    return last
                self._end(last, None, at=at, session=session)
            run = self._runs.start(change, live, actor, at=at, session=session)
            details = {"run": str(run.id), "content": change.content_hash, "live_revision": live}
            desk.audit.append(actor, "gate.started", f"change {change_id}", details, session=session, at=at)
        self._put(_Job(run, change, time.monotonic() + MOST_S))
        return run

    def break_lost(self) -> int:
        """Ends the runs whose process died; returns how many. Blocks."""
        desk = self._desk
        with desk.database.writing() as session:
            at = desk.clock()
            lost = self._runs.lost(at, session)
            for run in lost:
                self._end(run, None, at=at, session=session)
        return len(lost)

    async def follow(self) -> None:
        """Ends the runs of processes that died, at the beginning and from time to time, for ever."""
        while True:
            try:
                if count := await to_thread.run_sync(self.break_lost):
                    _LOG.warning("gate_runs_lost: %d", count)
            except StoreError as error:
                _LOG.warning("gate_runs_not_looked_at: %s", error)
            await anyio.sleep(LOST_AFTER.total_seconds() / 4)

    def close(self) -> None:
        """Ends the thread once its run notices, and breaks the runs that wait. Close the matchers first."""
        self._closing.set()
        self._queue.put(None)
        with self._guard:
            worker = self._worker
        if worker is not None:
            worker.join(CLOSE_S)
        with self._guard:
            left = tuple(self._jobs.values())
        for job in left:
            self._finish(job, None)

    def _put(self, job: _Job) -> None:
        with self._guard:
            self._jobs[job.run.id] = job
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name="canongate-gate", daemon=True)
                self._worker.start()
                threading.Thread(target=self._beat, args=(self._worker,), name="gate-beat", daemon=True).start()
        self._queue.put(job)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None and not self._closing.is_set():
            result = None
            try:
                result = self._result(job)
            except _Stopped:
                _LOG.warning("gate_run_stopped: run %s", job.run.id)
            except Exception:  # noqa: BLE001 - the run is broken, whatever it was; the next one is another
                _LOG.exception("gate_run_broke: run %s", job.run.id)
            self._finish(job, result)

    def _result(self, job: _Job) -> GateResult | None:
        """Returns what is found; None when it would be about another live revision than the run is for."""
        live = self._live.current.catalog
        if live.revision != job.run.live_revision:
            live = load_catalog(self._desk.database)
        if live.revision != job.run.live_revision:
            return None
        step = partial(self._step, job)
        step("checking the documents", 0, 1)
        try:
            ahead = live.after(bundle_of(job.change.edits), removed=removed_by(job.change.edits))
        except InvalidContent as error:
            return GateResult(problems=tuple(str(error).splitlines()))
        return self._prover.prove(live, ahead, step)

    def _step(self, job: _Job, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if self._closing.is_set() or now > job.until:
            raise _Stopped
        is_due = phase != job.phase or now - job.told >= TELL_S
        job.phase, job.done, job.total = phase, done, total
        if is_due:
            job.told = now
            self._tell(job)

    def _beat(self, worker: threading.Thread) -> None:
        """Gives signs of life of every run for as long as its thread lives."""
        while not self._closing.wait(BEAT_S) and worker.is_alive():
            with self._guard:
                jobs = tuple(self._jobs.values())
            for job in jobs:
                if time.monotonic() < job.until:
                    self._tell(job)

    def _tell(self, job: _Job) -> None:
        try:
            self._runs.tell(job.run.id, job.phase, job.done, job.total, at=self._desk.clock())
        except StoreError as error:
            _LOG.warning("gate_progress_not_told: %s", error)

    def _finish(self, job: _Job, result: GateResult | None) -> None:
        """Keeps the result. A database that does not take it leaves a run that is lost, and broken by and by."""
        try:
            with self._desk.database.writing() as session:
                self._end(job.run, result, at=self._desk.clock(), session=session)
        except StoreError as error:
            _LOG.error("gate_result_not_kept: run %s: %s", job.run.id, error)
        finally:
            with self._guard:
                self._jobs.pop(job.run.id, None)

    def _end(self, run: GateRun, result: GateResult | None, *, at: dt.datetime, session: Transaction) -> None:
        """Ends a run that is going on, with its audit row; one that ended before stays as it is."""
        if self._runs.get(run.id, session).state is not RunState.RUNNING:
            return
        state = self._runs.finish(run.id, result, at=at, session=session)
        details = {
            "run": str(run.id),
            "content": run.content_hash,
            "live_revision": run.live_revision,
            "problems": 0 if result is None else len(result.problems),
        }
        target = f"change {run.change_id}"
        self._desk.audit.append(SYSTEM, f"gate.{state.value}", target, details, session=session, at=at)


def is_startable(actor: Actor, opened: Opened) -> bool:
    """Whether the actor could run the gate now, for a page to offer it."""
    change = opened.change
    is_ready = change.state in OPEN_STATES and bool(change.edits)
    return is_ready and opened.touched.is_held_by(actor, *_STARTERS)


def _require_startable(actor: Actor, opened: Opened, rev: int) -> None:
    change = opened.change
    if not opened.touched.is_held_by(actor, *_STARTERS):
        raise Refused("insufficient_role", "Your roles do not allow to run the gate for this change.")
    if change.state not in OPEN_STATES:
        raise Conflict(f"a change that is {change.state.value} has nothing to try out.")
    if change.rev != rev:
        raise Conflict(
            f"somebody wrote this change meanwhile: it is at {change.rev}, and {rev} was read.",
            found={"rev": change.rev, "state": change.state.value},
        )
    if not change.edits:
        raise Conflict("there is nothing in this change to try out. Edit something first.")
