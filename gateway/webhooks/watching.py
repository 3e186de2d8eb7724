"""Finds what there is to tell: in the audit trail, among the decisions, and in the clusters of the review queue."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread

from gateway.reviewing.recorder import DecisionListener
from gateway.webhooks.delivering import Deliveries
from gateway.webhooks.events import OF_THE_TRAIL, Event, event_of_cluster, event_of_decision, event_of_entry
from store.audit import AuditFilter, AuditTrail
from store.errors import StoreError
from store.review.types import Cluster
from store.types import Decision

TRAIL_S: Final = 2.0
"""How late an event of a change may be; one short query each."""
CLUSTERS_S: Final = 60.0
_BATCH: Final = 100
_LOG = logging.getLogger(__name__)


class TrailWatch:
    """Tells what the audit trail has of changes, whichever process did it.

    How far everybody was told is kept in a file, so that nothing of it is lost when this process ends at a bad moment:
    some of it may then be told twice, with the same id.
    """

    def __init__(self, trail: AuditTrail, deliveries: Deliveries, place: Path) -> None:
        self._trail = trail
        self._deliveries = deliveries
        self._place = place
        self._read = -1
        self._kept = -1

    async def follow(self) -> None:
        """Looks for ever."""
        while True:
            try:
                await self.look()
            except (StoreError, OSError) as error:
                _LOG.warning("webhook_trail_not_read: %s", type(error).__name__)
            await anyio.sleep(TRAIL_S)

    async def look(self) -> None:
        """Tells what came since the last look, as far as there is place, and notes how far everybody was told."""
        if self._read < 0:
            self._read = await to_thread.run_sync(self._begin)
        while not self._deliveries.is_full(OF_THE_TRAIL):
            found = await to_thread.run_sync(self._after, self._read)
            for number, event in found:
                if event is not None:
                    self._deliveries.tell(event)
                self._read = number
                if self._deliveries.is_full(OF_THE_TRAIL):
                    break
            if len(found) < _BATCH:
                break
        oldest = self._deliveries.oldest_row
        told = self._read if oldest is None else oldest - 1
        if told != self._kept:
            await to_thread.run_sync(self._keep, told)

    def _after(self, number: int) -> list[tuple[int, Event | None]]:
        found: list[tuple[int, Event | None]] = []
        for entry in self._trail.entries(after=number):
            found.append((entry.number, event_of_entry(entry)))
            if len(found) == _BATCH:
                break
        return found

    def _begin(self) -> int:
        """Returns where to go on. Without a file, or with one that cannot be read, with what comes from now on."""
        last = next((one.number for one in self._trail.page(AuditFilter(), limit=1)), 0)
        try:
            return min(max(0, int(self._place.read_text(encoding="ascii"))), last)
        except FileNotFoundError:
            return last
        except (OSError, ValueError):
            _LOG.warning("webhook_place_not_read: what came while the gateway was down is not told")
            return last

    def _keep(self, number: int) -> None:
        new = self._place.with_suffix(".new")
        new.write_text(f"{number}\n", encoding="ascii")
        os.replace(new, self._place)  # noqa: PTH105 -- one step: a reader sees the old or the new number
        self._kept = number


class HandoffWatch:
    """Listens to decisions beside another listener, and tells of those that hand over. They are in memory alone."""

    def __init__(self, deliveries: Deliveries, other: DecisionListener) -> None:
        self._deliveries = deliveries
        self._other = other

    def decided(self, decision: Decision, message: str) -> None:
        """Passes everything on; of the message nothing is told."""
        self._other.decided(decision, message)
        event = event_of_decision(decision)
        if event is not None:
            self._deliveries.tell(event)


class ClusterWatch:
    """Tells when a cluster reaches one of the sizes. What was as large when the gateway started is not told again."""

    def __init__(
        self, largest: Callable[[int], Sequence[Cluster]], deliveries: Deliveries, sizes: Sequence[int]
    ) -> None:
        """`largest` returns the clusters with at least so many messages; it may block."""
        self._largest = largest
        self._deliveries = deliveries
        self._sizes = sorted(sizes)
        self._reached: dict[str, int] | None = None

    async def follow(self) -> None:
        """Looks for ever."""
        while self._sizes:
            try:
                await self.look()
            except StoreError as error:
                _LOG.warning("webhook_clusters_not_read: %s", type(error).__name__)
            await anyio.sleep(CLUSTERS_S)
        await anyio.sleep_forever()

    async def look(self) -> None:
        """Tells what grew since the last look."""
        found = await to_thread.run_sync(self._largest, self._sizes[0])
        reached = {one.id: max(size for size in self._sizes if size <= one.messages) for one in found}
        if self._reached is not None:
            for cluster in reversed(found):
                if reached[cluster.id] > self._reached.get(cluster.id, 0):
                    self._deliveries.tell(event_of_cluster(cluster, reached[cluster.id]))
        # One that shrank, because questions were answered, and grows again was told before.
        before = self._reached or {}
        self._reached = {one: max(size, before.get(one, 0)) for one, size in reached.items()} | {
            one: size for one, size in before.items() if one not in reached
        }
