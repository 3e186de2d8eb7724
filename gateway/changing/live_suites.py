"""Asks a test set of what is live, on a thread beside serving, and compares a run with an earlier one."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from gateway.changing.suite_evidence import wanted_of
from gateway.changing.suite_runs import SuiteAsker
from gateway.errors import GatewayError
from gateway.live import Live, LiveState
from models.errors import ModelError
from models.ports import LanguageModel
from rails.errors import RailsError
from store.changes.contents import ContentService
from store.changes.desk import Clock
from store.changes.evidence import CaseEvidence, SuiteEvidence
from store.changes.suite_runs import CaseResult, SuiteRun, SuiteRuns, SuiteRunState
from store.changes.types import EditKind, Item
from store.errors import InvalidContent, Refused, StoreError
from store.formats.bundle import convert_document
from store.formats.suite import Suite
from store.people import Actor, Role

_ASKERS = (Role.EDITOR, Role.ADMIN)
_OURS = (StoreError, RailsError, ModelError, GatewayError)
_TELL_EVERY = 5
"""Cases between two words about how far it is."""
_LOG = logging.getLogger(__name__)


class _Stopped(Exception):
    """The gateway is shutting down."""


class LiveSuites:
    """Runs test sets one after another; nothing is recorded but the result. `close` ends the run at work."""

    def __init__(
        self, runs: SuiteRuns, contents: ContentService, live: Live, model: LanguageModel, *, clock: Clock
    ) -> None:
        self._runs = runs
        self._contents = contents
        self._live = live
        self._model = model
        self._clock = clock
        self._closing = threading.Event()
        self._work = ThreadPoolExecutor(1, thread_name_prefix="canongate-suites")

    def start(self, actor: Actor, name: str) -> SuiteRun:
        """Begins a run of a live test set; gives the one that is going on. Raises `InvalidContent`, `NotFound`.

        Raises `Refused` for whoever drafts nothing.
        """
        if not any(actor.may(role) for role in _ASKERS):
            raise Refused("insufficient_role", "Your roles do not allow to run a test set.")
        found = self._contents.get(actor, Item(EditKind.SUITE, name))
        suite, state = convert_document(found.document, Suite), self._live.current
        assistants = state.catalog.assistants
        only = next(iter(assistants)) if len(assistants) == 1 else ""
        assistant = suite.assistant or only
        if assistant not in assistants:
            raise InvalidContent("the test set asks no assistant that is live.", rule="suite_asks_nobody")
        run, is_new = self._runs.start(
            actor,
            name,
            assistant,
            live_revision=state.catalog.revision,
            total=len(suite.cases),
            at=self._clock(),
        )
        if is_new:
            self._work.submit(self._ask, run, suite, state)
        return run

    def of(self, actor: Actor, name: str) -> tuple[SuiteRun, ...]:
        """Returns the runs of a live test set, newest first, those of an assistant that the actor may see."""
        return tuple(one for one in self._runs.newest(name, at=self._clock()) if actor.may_see(one.assistant))

    def close(self) -> None:
        """Ends the run at work, which is then broken, and takes no more."""
        self._closing.set()
        self._work.shutdown(cancel_futures=True)

    def _ask(self, run: SuiteRun, suite: Suite, state: LiveState) -> None:
        done = 0

        def asked() -> None:
            nonlocal done
            done += 1
            if self._closing.is_set():
                raise _Stopped
            if done % _TELL_EVERY == 0:
                self._runs.tell(run.id, done, at=self._clock())

        cases: tuple[CaseResult, ...] | None = None
        try:
            verdicts = SuiteAsker(state, self._model, state.matcher.vectors_of).ask(suite, run.assistant, asked)
            cases = tuple(
                CaseResult(
                    case=one.id,
                    expected=wanted_of(one),
                    got=verdicts[one.id].got,
                    is_right=verdicts[one.id].is_right,
                    is_unasked=verdicts[one.id].is_unasked,
                )
                for one in suite.cases
            )
        except _Stopped:
            _LOG.info("suite_run_stopped: %s", run.suite)
        except _OURS:
            _LOG.exception("suite_run_broke: %s", run.suite)
        self._runs.finish(run.id, cases, at=self._clock())


def compared(run: SuiteRun, baseline: SuiteRun | None) -> SuiteEvidence:
    """Returns what a run came to beside an earlier one: the cases that are not right, or came to something else."""
    before = {one.case: one for one in baseline.cases} if baseline else {}
    rows = [_beside(run.suite, one, before.get(one.case)) for one in run.cases]
    return SuiteEvidence(
        name=run.suite,
        assistant=run.assistant,
        cases=len(run.cases),
        right=run.right,
        right_before=sum(before[one.case].is_right for one in run.cases if one.case in before) if baseline else None,
        differing=tuple(one for one in rows if not one.is_right or (one.before and one.before != one.got)),
    )


def baselines_of(runs: tuple[SuiteRun, ...]) -> tuple[SuiteRun, ...]:
    """Returns the runs that the newest finished one can be held against, newest first."""
    return tuple(one for one in runs if one.state is SuiteRunState.DONE)[1:]


def _beside(suite: str, now: CaseResult, before: CaseResult | None) -> CaseEvidence:
    return CaseEvidence(
        suite=suite,
        case=now.case,
        expected=now.expected,
        got=now.got,
        before=before.got if before else "",
        was_right=None if before is None or before.is_unasked else before.is_right,
        is_right=now.is_right,
    )
