"""Publishes changes at their time."""

import logging
import time
from uuid import UUID

import anyio
from anyio import to_thread

from store.changes.publishing import PublishService
from store.changes.types import Change, ChangeState
from store.errors import Conflict, StoreError

POLL_S = 1.0
"""How late a change may go live; one short query each."""
AGAIN_S = 30.0
"""Between two tries of a change that something unexpected kept from going live."""

_LOG = logging.getLogger(__name__)


class Schedule:
    """Publishes what is due. Of several processes on one database one does it, and the others find it done."""

    def __init__(self, publishing: PublishService) -> None:
        self._publishing = publishing
        self._not_before: dict[UUID, float] = {}

    async def follow(self) -> None:
        """Publishes each change at its time, for ever. A failure is logged, and looked at again."""
        while True:
            await self.publish_due()
            await anyio.sleep(POLL_S)

    async def publish_due(self) -> None:
        """Publishes what is due now."""
        try:
            due = await to_thread.run_sync(self._publishing.due)
        except StoreError as error:
            _LOG.warning("schedule_not_read: %s", error)
            return
        now = time.monotonic()
        self._not_before = {one.id: self._not_before[one.id] for one in due if one.id in self._not_before}
        for change in due:
            if self._not_before.get(change.id, now) <= now:
                await self._publish(change)

    async def _publish(self, change: Change) -> None:
        try:
            done = await to_thread.run_sync(self._publishing.publish_due, change)
        except Conflict:
            return  # another process was quicker, or somebody wrote the change; what is due then is seen anew
        except Exception:  # noqa: BLE001 - one change must not keep the others from going live
            _LOG.exception("schedule_failed, tried again in %d s: change %s", AGAIN_S, change.id)
            self._not_before[change.id] = time.monotonic() + AGAIN_S
            return
        if done.state is ChangeState.LIVE:
            _LOG.info("schedule_published: change %s, revision %s", change.id, done.published_revision)
        else:
            _LOG.warning("schedule_given_up: change %s", change.id)
