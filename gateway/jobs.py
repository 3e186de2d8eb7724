"""What runs in the background and what came of it last: imports, runs of the gate, and the fit of the matcher."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.administration import Administration
from gateway.publisher import Publisher
from store.catalog import live_revision
from store.changes.evidence import GateRun, RunState
from store.errors import NotFound
from store.people import Actor
from store.repositories.imports import OPEN_STATES, ImportState


class JobKind(StrEnum):
    """What kind of work it is."""

    IMPORT = "import"
    GATE = "gate"
    PUBLISH = "publish"
    """Making the newest revision live."""


class JobState(StrEnum):
    """How far it is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """Some work, whoever began it."""

    kind: JobKind
    name: str
    """Of the file or the change; empty where there is none."""
    state: JobState
    at: dt.datetime | None
    """When it ended, or began."""
    share: float | None
    """Of what is done, 0 to 1; None where nobody can say."""
    words: str
    """In English, for an operator."""
    of: str
    """Id of the import or of the change."""


class Jobs:
    """Reads what runs. Blocks: use a thread."""

    def __init__(self, administration: Administration, publisher: Publisher | None, serving: int) -> None:
        """`serving` is the revision that answers."""
        self._administration = administration
        self._publisher = publisher
        self._serving = serving

    def newest(self, actor: Actor, *, limit: int) -> tuple[Job, ...]:
        """Returns what runs, then what ended last, as far as the actor may know of it."""
        found = [*self._publishing(), *self._imports(actor, limit), *self._gates(actor, limit)]
        return tuple(sorted(found, key=_order)[:limit])

    def _publishing(self) -> Iterator[Job]:
        published = live_revision(self._administration.database)
        if self._publisher is not None and published > self._serving:
            words = self._publisher.progress_of(published)
            state = JobState.FAILED if "cannot" in words else JobState.RUNNING
            yield Job(JobKind.PUBLISH, "", state, None, None, words, "")

    def _imports(self, actor: Actor, limit: int) -> Iterator[Job]:
        for job in self._administration.importing.all(actor, limit=limit):
            stored, progress = job.stored, job.progress
            share = progress.bytes_done / progress.bytes_all if progress.bytes_all else None
            state = JobState.RUNNING if stored.state in OPEN_STATES else JobState.DONE
            if stored.state is ImportState.FAILED:
                state = JobState.FAILED
            name, at = str(stored.order.get("file") or ""), stored.ended_at or stored.created_at
            yield Job(JobKind.IMPORT, name, state, at, share, stored.problem, stored.id)

    def _gates(self, actor: Actor, limit: int) -> Iterator[Job]:
        changing = self._administration.changing
        for run in changing.runs.recent(limit=limit):
            try:
                title = changing.drafts.get(actor, run.change_id).change.title
            except NotFound:
                continue
            share = run.done / run.total if run.total else None
            yield Job(
                JobKind.GATE,
                title,
                _state_of(run),
                run.finished_at or run.started_at,
                share,
                run.phase,
                str(run.change_id),
            )


def _state_of(run: GateRun) -> JobState:
    if run.state is RunState.RUNNING:
        return JobState.RUNNING
    return JobState.DONE if run.state is RunState.PASSED else JobState.FAILED


def _order(job: Job) -> tuple[bool, float]:
    return job.state is not JobState.RUNNING, -(job.at.timestamp() if job.at else float("inf"))
