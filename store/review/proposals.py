"""Searches for new sentences, and the sentences that were proposed: what was declined is remembered."""

import datetime as dt
from collections.abc import Collection, Mapping

import uuid_utils
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.audit import AuditTrail
from store.database import Database
from store.errors import Conflict, NotFound
from store.people import Actor
from store.phrases import fold
from store.review.drafting import SUGGESTIONS, Drafting
from store.review.drafts import Drafts
from store.review.reading import MAX_PAGE, Page, read_cursor
from store.review.suggested import (
    OVER,
    Found,
    Job,
    JobState,
    Proposal,
    ProposalKind,
    ProposalState,
    job_of,
    proposal_of,
)
from store.tables import SuggestionJobRow, SuggestionRow

ABANDONED_AFTER = dt.timedelta(minutes=5)
"""A job of which nothing was heard for so long went down with its gateway."""


class Proposals:
    """Keeps jobs and proposals."""

    def __init__(self, database: Database, audit: AuditTrail, drafts: Drafts) -> None:
        self._database = database
        self._audit = audit
        self._drafting = Drafting(drafts, SUGGESTIONS)

    def begin(self, actor: Actor, prompt: str, *, now: dt.datetime) -> Job:
        """Queues a search. Raises `Conflict` when one for this prompt is not over."""
        with self._database.writing() as session:
            over = [one.value for one in OVER]
            query = select(SuggestionJobRow.id).where(
                SuggestionJobRow.prompt == prompt, SuggestionJobRow.state.not_in(over)
            )
            if session.scalar(query.limit(1)) is not None:
                raise Conflict("a search for this prompt is on its way. Wait for it or cancel it.")
            row = SuggestionJobRow(
                id=str(uuid_utils.uuid7()),
                prompt=prompt,
                actor=actor.id,
                state=JobState.QUEUED.value,
                made_at=now,
                updated_at=now,
                done=0,
                total=0,
                proposed=0,
                dropped={},
                problem=None,
            )
            session.add(row)
            target = f"suggestion job {row.id}"
            self._audit.append(actor, "suggestion_job.begun", target, {"prompt": prompt}, session=session)
            return job_of(row)

    def claim(self, *, now: dt.datetime) -> Job | None:
        """Takes the next queued job to work on it; one that its gateway left behind has failed."""
        with self._database.writing() as session:
            abandoned = (
                update(SuggestionJobRow)
                .where(
                    SuggestionJobRow.state == JobState.RUNNING.value,
                    SuggestionJobRow.updated_at < now - ABANDONED_AFTER,
                )
                .values(state=JobState.FAILED.value, problem="The gateway stopped. Begin again.")
            )
            session.execute(abandoned)
            queued = select(SuggestionJobRow).where(SuggestionJobRow.state == JobState.QUEUED.value)
            row = session.scalar(queued.order_by(SuggestionJobRow.id).limit(1).with_for_update(skip_locked=True))
            if row is None:
                return None
            row.state, row.updated_at = JobState.RUNNING.value, now
            return job_of(row)

    def has_queued(self) -> bool:
        """Whether there is something to claim; cheaper than trying."""
        waiting = (JobState.QUEUED.value, JobState.RUNNING.value)
        query = select(SuggestionJobRow.id).where(SuggestionJobRow.state.in_(waiting)).limit(1)
        with self._database.reading() as session:
            return session.scalar(query) is not None

    def progress(self, job: str, *, done: int, total: int, dropped: Mapping[str, int], now: dt.datetime) -> bool:
        """Notes how far a job is; returns False when somebody cancelled it."""
        with self._database.writing(waits_for_disk=False) as session:
            row = _locked_job(session, job)
            if row.state != JobState.RUNNING.value:
                return False
            row.done, row.total, row.dropped, row.updated_at = done, total, dict(dropped), now
            return True

    def finish(
        self, job: str, state: JobState, found: Collection[Found], *, now: dt.datetime, problem: str = ""
    ) -> int:
        """Ends a job and stores what it found that is not known yet; returns how many are new."""
        with self._database.writing() as session:
            row = _locked_job(session, job)
            if row.state != JobState.RUNNING.value:
                return 0
            known = set(self._known(row.prompt, session))
            new = 0
            for one in found:
                mark = (one.kind.value, fold(one.text))
                if mark not in known:
                    known.add(mark)
                    session.add(_new(row, one, now))
                    new += 1
            row.state, row.proposed, row.updated_at, row.problem = state.value, new, now, problem or None
            return new

    def known(self, prompt: str) -> frozenset[tuple[str, str]]:
        """Returns kind and folded text of everything that was ever proposed for the prompt."""
        with self._database.reading() as session:
            return frozenset(self._known(prompt, session))

    def job(self, job: str) -> Job:
        """Returns a job. Raises `NotFound`."""
        with self._database.reading() as session:
            row = session.get(SuggestionJobRow, job)
            if row is None:
                raise NotFound("there is no such job")
            return job_of(row)

    def cancel(self, actor: Actor, job: str, *, now: dt.datetime) -> Job:
        """Stops a job that is not over. Raises `NotFound`, `Conflict`."""
        with self._database.writing() as session:
            row = _locked_job(session, job)
            if JobState(row.state) in OVER:
                raise Conflict("the search is over already.")
            row.state, row.updated_at = JobState.CANCELLED.value, now
            self._audit.append(actor, "suggestion_job.cancelled", f"suggestion job {job}", session=session)
            return job_of(row)

    def proposals(
        self,
        prompts: Collection[str],
        *,
        state: ProposalState | None,
        kind: ProposalKind | None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Proposal]:
        """Returns a page of the prompts' proposals, the latest first."""
        limit = max(1, min(limit, MAX_PAGE))
        query = select(SuggestionRow).where(SuggestionRow.prompt.in_(sorted(prompts)))
        if state is not None:
            query = query.where(SuggestionRow.state == state.value)
        if kind is not None:
            query = query.where(SuggestionRow.kind == kind.value)
        if after is not None:
            query = query.where(SuggestionRow.id < read_cursor(after)[1])
        query = query.order_by(SuggestionRow.id.desc()).limit(limit + 1)
        with self._database.reading() as session:
            rows = [proposal_of(row) for row in session.scalars(query)]
        return Page(tuple(rows[:limit]), f"0.{rows[limit - 1].id}" if len(rows) > limit else None)

    def proposal(self, proposal: str) -> Proposal:
        """Returns a proposal. Raises `NotFound`."""
        with self._database.reading() as session:
            row = session.get(SuggestionRow, proposal)
            if row is None:
                raise NotFound("there is no such suggestion")
            return proposal_of(row)

    def accept(self, actor: Actor, proposal: str, rev: int, *, change: str | None, now: dt.datetime) -> Proposal:
        """Puts a sentence into a change. Raises `NotFound`, `Conflict`, `InvalidContent`."""
        with self._database.writing() as session:
            row = _undecided(session, proposal, rev)
            field_name = ProposalKind(row.kind).field
            lines = [row.text]
            drafted = self._drafting.add_lines(actor, row.prompt, field_name, lines, change=change, session=session)
            row.change = drafted.change
            return self._decide(actor, row, ProposalState.ACCEPTED, now, session)

    def decline(self, actor: Actor, proposal: str, rev: int, *, now: dt.datetime) -> Proposal:
        """Says no to a sentence; it is not proposed again. Raises `NotFound`, `Conflict`."""
        with self._database.writing() as session:
            return self._decide(actor, _undecided(session, proposal, rev), ProposalState.DECLINED, now, session)

    def _decide(
        self, actor: Actor, row: SuggestionRow, state: ProposalState, now: dt.datetime, session: Session
    ) -> Proposal:
        row.state, row.decided_by, row.decided_at, row.rev = state.value, actor.id, now, row.rev + 1
        details = {"prompt": row.prompt, "kind": row.kind, "change": row.change}
        self._audit.append(actor, f"suggestion.{state.value}", f"suggestion {row.id}", details, session=session)
        return proposal_of(row)

    @staticmethod
    def _known(prompt: str, session: Session) -> list[tuple[str, str]]:
        query = select(SuggestionRow.kind, SuggestionRow.canonical).where(SuggestionRow.prompt == prompt)
        return [(kind, canonical) for kind, canonical in session.execute(query)]


def _locked_job(session: Session, job: str) -> SuggestionJobRow:
    row = session.scalar(select(SuggestionJobRow).where(SuggestionJobRow.id == job).with_for_update())
    if row is None:
        raise NotFound("there is no such job")
    return row


def _undecided(session: Session, proposal: str, rev: int) -> SuggestionRow:
    row = session.scalar(select(SuggestionRow).where(SuggestionRow.id == proposal).with_for_update())
    if row is None:
        raise NotFound("there is no such suggestion")
    if row.rev != rev or row.state != ProposalState.PROPOSED.value:
        raise Conflict(f"the suggestion is {row.state} meanwhile. Read it again; nothing was changed.")
    return row


def _new(job: SuggestionJobRow, found: Found, now: dt.datetime) -> SuggestionRow:
    return SuggestionRow(
        id=str(uuid_utils.uuid7()),
        prompt=job.prompt,
        kind=found.kind.value,
        text=found.text,
        canonical=fold(found.text),
        provenance=dict(found.provenance),
        state=ProposalState.PROPOSED.value,
        job=job.id,
        made_at=now,
        decided_by=None,
        decided_at=None,
        change=None,
        rev=1,
    )
