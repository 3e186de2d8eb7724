"""Keeps the live state equal to what the database says is published."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from threading import Lock

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.activation import PATIENCE
from gateway.errors import GatewayError, SettingsInvalid
from gateway.faults import Faults
from gateway.faulty_parts import FaultyRunner
from gateway.fitting.matchers import Matchers
from gateway.licences import require_acknowledged
from gateway.live import Live, LiveState
from gateway.readiness import without_paths
from gateway.repeated_log import RepeatedLog
from gateway.settings import Settings
from models.errors import ModelError
from rails.definition import RailServices
from rails.engine import RailsPolicy, compile_policy
from rails.errors import RailsError
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner
from store.catalog import Catalog, live_revision, load_catalog
from store.database import Database
from store.errors import StoreError, StoreUnavailable
from store.repositories.policies import StoredPolicy
from store.signals import RevisionSignal

POLL_S = 1.0
"""How soon a publish by another process is live here; one look-up of a number each."""
MOST_PUBLISH_RETRY_S = 60.0
"""Between two tries of a revision that cannot be made; the first is tried again after `POLL_S`."""
IMPROVE_RETRY_S = 60.0
MOST_IMPROVE_RETRY_S = 3600.0
"""After a fit in the background failed, and after it failed again and again."""

DATABASE_FAILED = "the database failed; the log says how"
"""Where anybody may read: the driver's own words name addresses, accounts and tables."""

_LOG = logging.getLogger(__name__)

OURS = (StoreError, RailsError, ModelError, GatewayError)


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be made of a revision, and when it is tried again: ever later, another revision at once."""

    revision: int
    words: str
    pause_s: float
    due: float
    """On the clock."""
    clock: Callable[[], float]

    @classmethod
    def after(
        cls,
        last: "Failure | None",
        revision: int,
        words: str,
        first_s: float,
        most_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> "Failure":
        """Returns the failure after `last`."""
        is_again = last is not None and last.revision == revision
        pause_s = min(2 * last.pause_s, most_s) if last is not None and is_again else first_s
        return cls(revision, words, pause_s, clock() + pause_s, clock)

    def delays(self, revision: int) -> bool:
        """Whether it is too early to try this revision."""
        return revision == self.revision and self.clock() < self.due

    def __str__(self) -> str:
        return f"{without_paths(self.words)}; tried again in {max(0.0, self.due - self.clock()):.0f} s"


class Publisher:
    """Builds live states and swaps them in; building happens beside serving and is all or nothing."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        matchers: Matchers,
        services: RailServices,
        *,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes it; `clock` says when what could not be made is tried again."""
        self._settings = settings
        self._clock = clock
        self._database = database
        self._matchers = matchers
        self._runner = rail_runner(settings, faults)
        self._services = services
        self._signal = RevisionSignal(database)
        self._waiting = CapacityLimiter(1)
        self._guard = Lock()
        self._policies: Mapping[str, tuple[StoredPolicy, RailsPolicy]] = {}
        self._making = 0
        self._not_live: Failure | None = None
        self._not_improved: Failure | None = None
        self._failures = RepeatedLog(_LOG, "revision_not_live", "revision_followed_again", clock=clock)

    def load(self) -> LiveState:
        """Builds the state of what is published now. Blocks, for seconds where its matcher must be fitted first."""
        return self.state_of(load_catalog(self._database))

    def state_of(self, catalog: Catalog) -> LiveState:
        """Makes the matcher and compiles the policies of a catalog. Raises our errors; nothing is swapped."""
        require_acknowledged(self._settings, catalog)
        with ThreadPoolExecutor(1) as beside:
            policies = beside.submit(self._compile, catalog)
            return LiveState(catalog, self._matchers.make(catalog), policies.result())

    def _compile(self, catalog: Catalog) -> Mapping[str, RailsPolicy]:
        """Compiles what changed; a policy that says the same at the same revision is the one that serves already."""
        live = catalog.policies
        known = {name: policy for name, (stored, policy) in self._policies.items() if live.get(name) == stored}
        with closing(RailRunner(PATIENCE)) as tries:
            policies = compile_policies(catalog, self._runner, self._services, known, tries=tries)
        self._policies = {name: (live[name], policy) for name, policy in policies.items()}
        return policies

    def advance(self, live: Live) -> None:
        """Makes what is published now live. Blocks; one at a time, so what was read first is never swapped in last."""
        with self._guard:
            live.swap(self.load())

    def progress_of(self, revision: int) -> str:
        """Returns how far a published revision is that is not live, in words for an operator."""
        failure = self._not_live
        if self._making == revision:
            doing = self._matchers.doing
            return f"revision {revision} is being made" + (f" ({doing})" if doing else "")
        if failure is not None and failure.revision == revision:
            return f"revision {revision} cannot be made: {failure}"
        return f"revision {revision} is about to be made"

    @property
    def matching(self) -> str:
        """What serves, what is being fitted, and why nothing better is, in words for an operator."""
        failure = self._not_improved
        told = (self._matchers.status, f"no better fit: {failure}" if failure is not None else "")
        return "; ".join(filter(None, told))

    async def follow(self, live: Live) -> None:
        """Swaps in each newer revision, for ever. One that cannot be built is reported and tried again."""
        try:
            while True:
                while await self._publish(live):
                    pass  # making it took time, in which the next one may have been published
                await self._until_next_look()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2 * POLL_S):
                await to_thread.run_sync(self._signal.close, abandon_on_cancel=True, limiter=self._waiting)

    async def _until_next_look(self) -> None:
        if self._database.is_sqlite:
            await anyio.sleep(POLL_S)
        else:
            wait = partial(self._signal.wait, POLL_S)
            await to_thread.run_sync(wait, abandon_on_cancel=True, limiter=self._waiting)

    async def improve(self, live: Live) -> None:
        """Fits a better matcher for whatever is live, for ever, and swaps it in; a failure is tried again later."""
        done = 0
        while True:
            state = live.current
            if done != state.catalog.revision and await self._improve(live, state):
                done = state.catalog.revision
            await anyio.sleep(POLL_S)

    async def _publish(self, live: Live) -> bool:
        """Looks once what is published; whether something new is live now."""
        revision = 0
        try:
            revision = await to_thread.run_sync(_confirmed_revision, self._database, live)
            if revision > live.current.catalog.revision and not _delays(self._not_live, revision):
                self._making = revision
                await to_thread.run_sync(self.advance, live, abandon_on_cancel=True)
                self._not_live = None
                _LOG.info("revision_live", extra={"revision": live.current.catalog.revision})
                self._failures.went()
                return True
            if self._not_live is None or self._not_live.revision == 0:
                self._failures.went()  # only the question what is published had failed
        except Exception as error:  # noqa: BLE001 - a revision that breaks what makes it must not end following
            last, clock = self._not_live, self._clock
            self._not_live = Failure.after(last, revision, _told(error), POLL_S, MOST_PUBLISH_RETRY_S, clock=clock)
            self._failures.failed(_logged(error), unexpected=_unexpected(error), revision=revision or None)
        finally:
            self._making = 0
        return False

    async def _improve(self, live: Live, state: LiveState) -> bool:
        """Tries to fit a better matcher; whether nothing is left to do for this state."""
        catalog, serving = state.catalog, state.matcher.fingerprint
        if _delays(self._not_improved, catalog.revision):
            return False
        try:
            if await to_thread.run_sync(self._matchers.improve, catalog, serving, abandon_on_cancel=True):
                await to_thread.run_sync(self.advance, live, abandon_on_cancel=True)
                _LOG.info("matcher_improved", extra={"revision": live.current.catalog.revision})
        except Exception as error:  # noqa: BLE001 - as above: what serves goes on, and so does looking
            words, last = _told(error), self._not_improved
            failure = Failure.after(
                last, catalog.revision, words, IMPROVE_RETRY_S, MOST_IMPROVE_RETRY_S, clock=self._clock
            )
            self._not_improved = failure
            fields = {"error": _logged(error), "revision": catalog.revision, "again_s": failure.pause_s}
            _LOG.error("matcher_not_improved", exc_info=_unexpected(error), extra=fields)
            return False
        self._not_improved = None
        return True


def _confirmed_revision(database: Database, live: Live) -> int:
    """Returns what is published, and notes whether it is what serves. Blocks."""
    if live.confirmation is None:
        return live_revision(database)
    asked_at = live.confirmation.now
    revision = live_revision(database)
    live.confirmation.note(asked_at, is_newest=revision == live.current.catalog.revision)
    return revision


def _delays(failure: Failure | None, revision: int) -> bool:
    return failure is not None and failure.delays(revision)


def _told(error: Exception) -> str:
    """Returns what readiness says of an error."""
    return DATABASE_FAILED if isinstance(error, StoreUnavailable) else _logged(error)


def _logged(error: Exception) -> str:
    """Returns the words of an error of ours or of the system; the text of any other is not meant for readers."""
    if isinstance(error, (*OURS, OSError)):
        return str(error)
    return f"unexpected {type(error).__name__}, the log has the traceback"


def _unexpected(error: Exception) -> Exception | None:
    """Returns what the log needs the traceback of."""
    return None if isinstance(error, OURS) else error


def rail_runner(settings: Settings, faults: Faults | None = None) -> RailRunner:
    """Returns a runner with the deadlines of the settings; it starts its thread at the first check."""
    limits = RailLimits(rail_s=settings.rails.rail_s, stage_s=settings.rails.stage_s)
    return RailRunner(limits) if faults is None else FaultyRunner(limits, faults)


def compile_policies(
    catalog: Catalog,
    runner: RailRunner,
    services: RailServices,
    known: Mapping[str, RailsPolicy] | None = None,
    *,
    tries: RailRunner | None = None,
) -> dict[str, RailsPolicy]:
    """Compiles the policies of a catalog that are not `known`; `tries` runs their probes, with more time.

    Raises `RailsError`, and `SettingsInvalid` when an assistant has none.
    """
    policies = {
        name: (known or {}).get(name)
        or compile_policy(load_policy(stored.document), stored.revision, runner=runner, services=services, tries=tries)
        for name, stored in catalog.policies.items()
    }
    for assistant in catalog.assistants.values():
        if assistant.policy not in policies:
            raise SettingsInvalid(f"assistant {assistant.name} names policy {assistant.policy}, which is not live")
    return policies
