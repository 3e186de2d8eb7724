"""What a search for new sentences is, and a sentence that was proposed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from store.tables import SuggestionJobRow, SuggestionRow


class ProposalKind(StrEnum):
    """What a sentence is proposed as."""

    PHRASING = "phrasing"
    COUNTEREXAMPLE = "counterexample"

    @property
    def field(self) -> str:
        """The prompt's list that it would be added to."""
        return f"{self.value}s"


class ProposalState(StrEnum):
    """What a person said to it."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class JobState(StrEnum):
    """How far a search is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


OVER = (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A search for sentences of one prompt."""

    id: str
    prompt: str
    actor: str
    state: JobState
    made_at: dt.datetime
    updated_at: dt.datetime
    done: int
    total: int
    proposed: int
    dropped: Mapping[str, int]
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposed sentence."""

    id: str
    prompt: str
    kind: ProposalKind
    text: str
    provenance: Mapping[str, Any]
    """Where it comes from and how it was checked."""
    state: ProposalState
    job: str
    made_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    change: str | None
    rev: int


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that passed all checks."""

    kind: ProposalKind
    text: str
    provenance: Mapping[str, Any] = field(default_factory=dict)


def job_of(row: SuggestionJobRow) -> Job:
    """Returns a row as a job."""
    return Job(
        id=row.id,
        prompt=row.prompt,
        actor=row.actor,
        state=JobState(row.state),
        made_at=row.made_at,
        updated_at=row.updated_at,
        done=row.done,
        total=row.total,
        proposed=row.proposed,
        dropped=row.dropped,
        problem=row.problem,
    )


def proposal_of(row: SuggestionRow) -> Proposal:
    """Returns a row as a proposal."""
    return Proposal(
        id=row.id,
        prompt=row.prompt,
        kind=ProposalKind(row.kind),
        text=row.text,
        provenance=row.provenance,
        state=ProposalState(row.state),
        job=row.job,
        made_at=row.made_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        change=row.change,
        rev=row.rev,
    )
