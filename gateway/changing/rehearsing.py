"""Asks single questions of what a change would make of the gateway, whole and beside serving; nothing is recorded."""

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from uuid import UUID

from anyio import to_thread

from gateway.activation import PATIENCE
from gateway.answer_cache import AnswerCache
from gateway.changing.evidence import Trials
from gateway.changing.servable import Servable
from gateway.changing.suite_runs import Unrecorded
from gateway.errors import GatewayError
from gateway.fitting.process import Progress
from gateway.limits import Admission
from gateway.live import Live, LiveState
from gateway.pipeline import ChatPipeline
from gateway.publisher import compile_policies
from gateway.settings import Settings
from models.errors import ModelError
from models.ports import LanguageModel
from rails.errors import RailsError
from rails.runner import RailRunner
from store.catalog import Catalog, live_revision, load_catalog
from store.changes.documents import bundle_of, removed_by
from store.changes.types import Change
from store.changes.viewing import ChangeViews
from store.database import Database
from store.errors import InvalidContent, Refused, StoreError
from store.people import Actor, Role

_KEPT = 2
"""States at most that are made, the last ones that were asked: each holds an index of its own."""
_ASKERS = (Role.EDITOR, Role.APPROVER, Role.ADMIN)
_OURS = (StoreError, RailsError, ModelError, GatewayError)
_Key = tuple[str, int]
"""The hash of a change's content, and the revision that it is on top of."""
_LOG = logging.getLogger(__name__)


class Candidates(Protocol):
    """Makes the states that changes would lead to."""

    def state_of(self, live: Catalog, ahead: Catalog, runner: RailRunner, step: Progress) -> LiveState:
        """Returns the state of `ahead`, its rails on `runner`. Blocks, for up to a minute.

        Raises `InvalidContent` with a line for everything that keeps it from being served.
        """


@dataclass(frozen=True, slots=True)
class TriedCandidates:
    """Makes them as the gate does: nothing is built in this process that the sandbox has not let through."""

    servable: Servable
    trials: Trials

    def state_of(self, live: Catalog, ahead: Catalog, runner: RailRunner, step: Progress) -> LiveState:
        step("checking the documents", 0, 1)
        if problems := self.servable.problems(live, ahead):
            raise InvalidContent("\n".join(problems))
        policies = compile_policies(ahead, runner, self.servable.services)
        return LiveState(ahead, self.trials.try_out(ahead, progress=step).matcher, policies)


@dataclass(slots=True, eq=False)
class Rehearsal:
    """The state of a change, made or being made."""

    phase: str = "waiting"
    done: int = 0
    total: int = 1
    pipeline: ChatPipeline | None = None
    """Answers from the state; None as long as it is not made."""
    problems: tuple[str, ...] = ()
    """Why it cannot be made, a line each; `Rehearsing.told` says which of them somebody may read."""
    making: Future[None] | None = None
    runner: RailRunner = field(default_factory=lambda: RailRunner(PATIENCE))

    @property
    def is_settled(self) -> bool:
        """Whether the state is made, or cannot be."""
        return self.pipeline is not None or bool(self.problems)

    @property
    def share(self) -> float:
        """How far the phase is, as a share of 1."""
        return min(1.0, self.done / max(1, self.total))


class Rehearsing:
    """Keeps the states of the last changes that were asked; `close` ends what is being made."""

    def __init__(
        self,
        database: Database,
        views: ChangeViews,
        candidates: Candidates,
        live: Live,
        model: LanguageModel,
        *,
        admission: Admission,
        settings: Settings,
    ) -> None:
        """The admission is that of every question: a rehearsal takes its places and counts against its rates."""
        self._database = database
        self._views = views
        self._candidates = candidates
        self._model = model
        self._admission = admission
        self._settings = settings
        self._kept: OrderedDict[_Key, Rehearsal] = OrderedDict()
        self._guard = threading.Lock()
        self._work = ThreadPoolExecutor(1, thread_name_prefix="canongate-rehearsal")
        self.live = self._pipeline(live)
        """Answers from what is live, like people get them, but records nothing and keeps no answer."""

    def of(self, actor: Actor, change_id: UUID) -> Rehearsal:
        """Returns the state of a change as it stands now, and begins to make it where nobody has. Blocks for a read.

        Raises `NotFound`, and `Refused` for whoever neither drafts nor approves.
        """
        if not any(actor.may(role) for role in _ASKERS):
            raise Refused("insufficient_role", "Your roles do not allow to ask a draft.")
        change = self._views.get(actor, change_id).change
        key = (change.content_hash, live_revision(self._database))
        with self._guard:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
            made = Rehearsal()
            made.making = self._work.submit(self._make, key, change, made)
            self._kept[key] = made
        return made

    async def settled(self, actor: Actor, change_id: UUID, *, within_s: float) -> Rehearsal:
        """Returns the state of a change, made or not, after waiting for it for some seconds. Raises as `of` does."""
        found = await to_thread.run_sync(self.of, actor, change_id)
        if found.making is not None and not found.is_settled:
            await asyncio.wait([asyncio.wrap_future(found.making)], timeout=within_s)
        return found

    def told(self, actor: Actor, change_id: UUID, found: Rehearsal) -> tuple[str, ...]:
        """Returns why a state cannot be made, as the actor may be told it. Raises `NotFound`."""
        return self._views.lines(actor, change_id, found.problems)

    def close(self) -> None:
        """Makes nothing more. Close the matchers first: that ends the fit at work."""
        self._work.shutdown(wait=False, cancel_futures=True)
        with self._guard:
            kept, self._kept = tuple(self._kept.values()), OrderedDict()
        for one in kept:
            one.runner.close()

    def _make(self, key: _Key, change: Change, made: Rehearsal) -> None:
        try:
            live = load_catalog(self._database)
            ahead = live.after(bundle_of(change.edits), removed=removed_by(change.edits))
            state = self._candidates.state_of(live, ahead, made.runner, partial(_tell, made))
            made.pipeline = self._pipeline(Live(state))
        except _OURS as error:
            made.problems = tuple(str(error).splitlines()) or (type(error).__name__,)
        except Exception:  # noqa: BLE001 - whatever it is, somebody waits for the word that it did not work
            _LOG.exception("rehearsal_broke: change %s", change.id)
            made.problems = ("it broke in a way that nobody foresaw; the log has the traceback.",)
        for one in self._dropped(key, made):
            one.runner.close()

    def _dropped(self, key: _Key, made: Rehearsal) -> list[Rehearsal]:
        """Takes out what is no longer kept, and returns it. What others wait for is not dropped before it is made."""
        with self._guard:
            if made.problems or key not in self._kept:  # what was away may be back with the next question
                self._kept.pop(key, None)
                return [made]
            self._kept.move_to_end(key)
            settled = [one for one, kept in self._kept.items() if kept.is_settled]
            return [self._kept.pop(one) for one in settled[:-_KEPT]]

    def _pipeline(self, live: Live) -> ChatPipeline:
        return ChatPipeline(
            live=live,
            model=self._model,
            decisions=Unrecorded(),
            admission=self._admission,
            answers=AnswerCache(entries=0, max_bytes=0, clock=time.monotonic),
            match_s=self._settings.limits.match_s,
            output_rails_s=self._settings.rails.stage_s,
            model_places=1,
        )


def _tell(made: Rehearsal, phase: str, done: int, total: int) -> None:
    made.phase, made.done, made.total = phase, done, total
