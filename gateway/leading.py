"""Work that one of several gateways on a database does for all."""

import logging
import time
from collections.abc import Awaitable, Callable

import anyio
from anyio import CapacityLimiter, to_thread

from store.signals import Lead

LOOK_S = 1.0
LEASE_S = 5.0
"""Without a confirmation for so long the work stops here: the database may have given the lead to another gateway."""

_LOG = logging.getLogger(__name__)


class Leading:
    """Runs work while this gateway leads. What the lead is, `Lead` says."""

    def __init__(self, lead: Lead, clock: Callable[[], float] = time.monotonic) -> None:
        self._lead = lead
        self._clock = clock
        self._thread = CapacityLimiter(1)
        self._until = -1.0
        self._led = False
        """What the log was told: a look that came late lets the lead lapse, and nobody else took it."""

    @property
    def is_leader(self) -> bool:
        """Whether this gateway leads now."""
        return self._clock() < self._until

    async def follow(self) -> None:
        """Takes and keeps the lead as far as it can be had, for ever; being cancelled gives it away."""
        try:
            while True:
                await self.look()
                await anyio.sleep(LOOK_S)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(LEASE_S):
                await to_thread.run_sync(self._lead.release, abandon_on_cancel=True, limiter=self._thread)

    async def look(self) -> None:
        """Asks once for the lead."""
        asked = self._clock()
        leads = await to_thread.run_sync(self._lead.look, abandon_on_cancel=True, limiter=self._thread)
        self._until = asked + LEASE_S if leads else -1.0
        if leads != self._led:
            self._led = leads
            _LOG.info("lead_taken" if leads else "lead_lost")

    def under(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Makes work that runs while this gateway leads, and is cancelled when it does no longer."""

        async def led() -> None:
            while True:
                if self.is_leader:
                    await self._run(work)
                await anyio.sleep(LOOK_S)

        return led

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        async with anyio.create_task_group() as group:

            async def watched() -> None:
                await work()
                group.cancel_scope.cancel()

            group.start_soon(watched)
            while self.is_leader:  # noqa: ASYNC110 - time ends a lead, and nothing tells of that
                await anyio.sleep(LOOK_S / 4)
            group.cancel_scope.cancel()
