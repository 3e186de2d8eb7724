"""Keeps the live state equal to what the database says is published."""

import logging
from concurrent.futures import ThreadPoolExecutor

import anyio
from anyio import to_thread

from gateway.errors import GatewayError, SettingsInvalid
from gateway.fitting.matchers import Matchers
from gateway.live import Live, LiveState
from gateway.settings import Settings
from models.errors import ModelError
from rails.engine import RailsPolicy, compile_policy
from rails.errors import RailsError
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner
from store.catalog import Catalog, live_revision, load_catalog
from store.database import Database
from store.errors import StoreError

RETRY_S = 60.0
MOST_RETRY_S = 3600.0
"""After a fit in the background failed, and after it failed again and again."""
POLL_S = 1.0
"""How soon a publish by another process is live here; one look-up of a number each."""

_LOG = logging.getLogger(__name__)


class Publisher:
    """Builds live states and swaps them in; building happens beside serving and is all or nothing."""

    def __init__(self, settings: Settings, database: Database, matchers: Matchers) -> None:
        self._database = database
        self._matchers = matchers
        self._runner = rail_runner(settings)

    def load(self) -> LiveState:
        """Builds the state of what is published now. Blocks, for seconds where its matcher must be fitted first."""
        return self.state_of(load_catalog(self._database))

    def state_of(self, catalog: Catalog) -> LiveState:
        """Makes the matcher and compiles the policies of a catalog. Raises our errors; nothing is swapped."""
        with ThreadPoolExecutor(1) as beside:
            policies = beside.submit(compile_policies, catalog, self._runner)
            return LiveState(catalog, self._matchers.make(catalog), policies.result())

    async def follow(self, live: Live) -> None:
        """Swaps in each newer revision, for ever. One that cannot be built is reported and tried again."""
        while True:
            await anyio.sleep(POLL_S)
            try:
                if await to_thread.run_sync(live_revision, self._database) != live.current.catalog.revision:
                    live.swap(await to_thread.run_sync(self.load, abandon_on_cancel=True))
                    _LOG.info("revision_live: %d", live.current.catalog.revision)
            except (StoreError, RailsError, ModelError, GatewayError) as error:
                _LOG.error("revision_not_live: %s", error)

    async def improve(self, live: Live) -> None:
        """Fits a better matcher for whatever is live, for ever, and swaps it in; a failure is tried again later."""
        done, retry_s = 0, RETRY_S
        while True:
            catalog, serving = live.current.catalog, live.current.matcher.fingerprint
            if done != catalog.revision:
                try:
                    if await to_thread.run_sync(self._matchers.improve, catalog, serving, abandon_on_cancel=True):
                        live.swap(await to_thread.run_sync(self.load, abandon_on_cancel=True))
                        _LOG.info("matcher_improved: revision %d", live.current.catalog.revision)
                    done, retry_s = catalog.revision, RETRY_S
                except (StoreError, RailsError, ModelError, GatewayError) as error:
                    _LOG.error("matcher_not_improved, tried again in %d s: %s", retry_s, error)
                    await anyio.sleep(retry_s)
                    retry_s = min(2 * retry_s, MOST_RETRY_S)
            await anyio.sleep(POLL_S)


def rail_runner(settings: Settings) -> RailRunner:
    """Returns a runner with the deadlines of the settings; it starts its thread at the first check."""
    return RailRunner(RailLimits(rail_s=settings.rails.rail_s, stage_s=settings.rails.stage_s))


def compile_policies(catalog: Catalog, runner: RailRunner) -> dict[str, RailsPolicy]:
    """Compiles the policies of a catalog. Raises `RailsError`, and `SettingsInvalid` when an assistant has none."""
    policies = {
        name: compile_policy(load_policy(stored.document), stored.revision, runner=runner)
        for name, stored in catalog.policies.items()
    }
    for assistant in catalog.assistants.values():
        if assistant.policy not in policies:
            raise SettingsInvalid(f"assistant {assistant.name} names policy {assistant.policy}, which is not live")
    return policies
