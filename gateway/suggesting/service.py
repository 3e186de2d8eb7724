"""Suggestions for prompts: begins and follows searches, and keeps what people said to the proposals."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import replace

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.live import Live
from gateway.suggesting.search import Search, SearchPlan
from models.errors import ModelError
from models.ports import Cancellation
from store.content import Assistant, PromptVersion
from store.errors import NotFound, Refused, StoreError
from store.people import Actor, Role
from store.review.proposals import Proposals
from store.review.reading import Page
from store.review.suggested import Job, JobState, Proposal, ProposalKind, ProposalState

OF_ANOTHER_AREA = "a prompt of another area"
"""In place of a key that is not for everybody who sees the suggestion."""
POLL_S = 2.0
RETRY_S = 30.0
_LOG = logging.getLogger(__name__)


class Suggesting:
    """What admin routes call. All methods but `follow` block on the database: use a thread."""

    def __init__(self, live: Live, proposals: Proposals, search: Search, *, wanted: int = 20) -> None:
        self._live = live
        self._proposals = proposals
        self._search = search
        self._wanted = wanted
        self._thread = CapacityLimiter(1)
        self.threads = CapacityLimiter(4)
        """In which admin routes call its methods."""

    def begin(self, actor: Actor, prompt: str) -> Job:
        """Queues a search for a live prompt. Raises `NotFound`, `Conflict`."""
        self._require_seen(actor, prompt)
        return self._proposals.begin(actor, prompt, now=_now())

    def job(self, actor: Actor, job: str) -> Job:
        """Returns a search. Raises `NotFound`."""
        found = self._proposals.job(job)
        self._require_seen(actor, found.prompt, "there is no such job")
        return found

    def cancel(self, actor: Actor, job: str) -> Job:
        """Stops a search. Raises `NotFound`, `Conflict`."""
        self.job(actor, job)
        return self._proposals.cancel(actor, job, now=_now())

    def proposals(
        self,
        actor: Actor,
        prompt: str | None,
        *,
        state: ProposalState | None,
        kind: ProposalKind | None,
        after: str | None,
        limit: int,
    ) -> Page[Proposal]:
        """Returns a page of proposals of one live prompt, or of all that the actor may see. Raises `NotFound`."""
        if prompt is not None:
            self._require_seen(actor, prompt)
            prompts = {prompt}
        else:
            prompts = {key for key in self._live.current.catalog.prompts if self._assistants(actor, key)}
        found = self._proposals.proposals(prompts, state=state, kind=kind, after=after, limit=limit)
        return replace(found, items=tuple(self._shown(actor, one) for one in found.items))

    def proposal(self, actor: Actor, proposal: str) -> Proposal:
        """Returns a proposal. Raises `NotFound`."""
        found = self._proposals.proposal(proposal)
        self._require_seen(actor, found.prompt, "there is no such suggestion")
        return self._shown(actor, found)

    def accept(self, actor: Actor, proposal: str, rev: int, change: str | None) -> Proposal:
        """Puts a sentence into a change of the actor. Raises `NotFound`, `Conflict`, `InvalidContent`."""
        self.proposal(actor, proposal)
        return self._shown(actor, self._proposals.accept(actor, proposal, rev, change=change, now=_now()))

    def decline(self, actor: Actor, proposal: str, rev: int) -> Proposal:
        """Says no, for good. Raises `NotFound`, `Conflict`, `Refused` for somebody who edits in other areas."""
        area = self._live.current.catalog.prompts[self.proposal(actor, proposal).prompt].content.area
        if not (actor.may(Role.EDITOR, area) or actor.may(Role.ADMIN, area)):
            raise Refused("insufficient_role", "Your roles do not hold in the area of this prompt.")
        return self._shown(actor, self._proposals.decline(actor, proposal, rev, now=_now()))

    async def follow(self) -> None:
        """Works on queued searches, one at a time, for ever."""
        while True:
            try:
                if not await self.work_once():
                    await anyio.sleep(POLL_S)
            except StoreError as error:
                _LOG.warning("suggestions_wait, tried again in %d s: %s", RETRY_S, error)
                await anyio.sleep(RETRY_S)

    async def work_once(self) -> bool:
        """Works on the next search to its end; returns False when there is none. Being cancelled cancels it."""
        job = await to_thread.run_sync(self._claim, limiter=self._thread)
        if job is None:
            return False
        cancellation = Cancellation()
        try:
            await to_thread.run_sync(self._run, job, cancellation, abandon_on_cancel=True, limiter=self._thread)
        except anyio.get_cancelled_exc_class():
            cancellation.cancel()
            with anyio.CancelScope(shield=True), anyio.move_on_after(5.0):
                await to_thread.run_sync(self._stopped, job)
            raise
        return True

    def _claim(self) -> Job | None:
        return self._proposals.claim(now=_now()) if self._proposals.has_queued() else None

    def _run(self, job: Job, cancellation: Cancellation) -> None:
        state = self._live.current
        prompt = state.catalog.prompts.get(job.prompt)
        assistants = [one.name for one in state.catalog.assistants.values() if _has(one, prompt)]
        if prompt is None or not assistants:
            words = "The prompt is no longer live for any assistant."
            self._proposals.finish(job.id, JobState.FAILED, (), now=_now(), problem=words)
            return

        def progress(done: int, total: int, dropped: Mapping[str, int]) -> bool:
            return self._proposals.progress(job.id, done=done, total=total, dropped=dropped, now=_now())

        plan = SearchPlan(prompt, min(assistants), self._wanted)
        try:
            known = self._proposals.known(job.prompt)
            found, dropped = self._search.run(state, plan, known, progress, cancellation)
        except ModelError:
            words = "The embedder could not be asked. Begin again."
            self._proposals.finish(job.id, JobState.FAILED, (), now=_now(), problem=words)
            return
        if not cancellation.is_cancelled and progress(1, 1, dropped):
            self._proposals.finish(job.id, JobState.DONE, found, now=_now())

    def _stopped(self, job: Job) -> None:
        words = "The gateway stopped. Begin again."
        self._proposals.finish(job.id, JobState.CANCELLED, (), now=_now(), problem=words)

    def _shown(self, actor: Actor, proposal: Proposal) -> Proposal:
        """Returns the proposal without the name of a prompt that is not the actor's.

        A search is made for one assistant of the prompt, perhaps another tenant's, which may have more prompts.
        """
        nearest = proposal.provenance.get("nearest_other")
        if nearest is None or self._assistants(actor, str(nearest)):
            return proposal
        return replace(proposal, provenance={**proposal.provenance, "nearest_other": OF_ANOTHER_AREA})

    def _require_seen(self, actor: Actor, key: str, words: str = "there is no such live prompt") -> None:
        if not self._assistants(actor, key):
            raise NotFound(words)

    def _assistants(self, actor: Actor, key: str) -> list[str]:
        """Returns the actor's assistants that have the prompt."""
        catalog = self._live.current.catalog
        prompt = catalog.prompts.get(key)
        mine = (one for one in catalog.assistants.values() if actor.may_see(one.name))
        return [one.name for one in mine if _has(one, prompt)]


def _has(assistant: Assistant, prompt: PromptVersion | None) -> bool:
    return prompt is not None and prompt.content.area in assistant.areas


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
