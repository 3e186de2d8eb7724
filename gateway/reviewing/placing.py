"""Places new questions among the clusters and removes old ones, in the background."""

import datetime as dt
import logging

import anyio
from anyio import CapacityLimiter, to_thread

from models.errors import ModelError
from store.errors import StoreError
from store.review.clusters import Clusters
from store.review.intake import Intake

PAUSE_S = 20.0
REST_S = 0.05
"""Between two batches, so that decisions come to be written."""
RETRY_S = 60.0
FORGET_S = 3600.0

_LOG = logging.getLogger(__name__)


class QuestionPlacing:
    """Its one thread takes turns with messages for the embedder; without it the queue is a list without groups."""

    def __init__(self, clusters: Clusters, intake: Intake) -> None:
        self._clusters = clusters
        self._intake = intake
        self._thread = CapacityLimiter(1)

    async def follow(self) -> None:
        """Does so for ever."""
        forgotten = -FORGET_S
        while True:
            try:
                if anyio.current_time() - forgotten >= FORGET_S:
                    forgotten = anyio.current_time()
                    await to_thread.run_sync(self._intake.forget_old, _now(), limiter=self._thread)
                await self.place_all()
                await anyio.sleep(PAUSE_S)
            except (StoreError, ModelError) as error:
                _LOG.warning("questions_not_placed, tried again in %d s: %s", RETRY_S, error)
                await anyio.sleep(RETRY_S)

    async def place_all(self) -> int:
        """Places all questions that have no place yet; returns how many. Raises `StoreError`, `ModelError`."""
        placed = 0
        while True:
            step = await to_thread.run_sync(self._clusters.place_some, _now(), limiter=self._thread)
            placed += step.placed
            if not step.has_more:
                return placed
            await anyio.sleep(REST_S)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
