"""How much waits for somebody, as the numbers beside the navigation: read now and then, and at no page twice."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from threading import Lock

from gateway.changing.queue import ChangeQueue
from gateway.changing.services import Changing
from gateway.feedback import FeedbackDesk
from gateway.reviewing.service import Reviewing
from store.feedback import Verdict
from store.people import Actor, Role
from store.repositories.feedback import FeedbackFilter
from store.review.types import LISTED_FROM, Wanted

MOST = 99
"""Nobody needs to know more: from here on it is told as that many and more, and no more is counted."""
FEEDBACK_WITHIN = dt.timedelta(days=7)
"""Of the answers that are counted because they did not help."""
_KEPT_S = 15.0
_MOST_KEPT = 500
"""People whose numbers are remembered."""
_MAKERS = (Role.EDITOR, Role.APPROVER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for somebody, each number at most `MOST + 1`; a kind that they can do nothing about is not there."""

    numbers: Mapping[str, int]
    """By the name that the navigation has for the page: `changes`, `unmatched`, `feedback`."""


@dataclass(frozen=True, slots=True)
class _Kept:
    work: Work
    read_at: float
    writes: int


class OpenWork:
    """Counts, and remembers what it counted for some seconds, or until somebody did something here."""

    def __init__(
        self,
        changing: Changing,
        reviewing: Reviewing,
        feedback: FeedbackDesk,
        *,
        now: Callable[[], dt.datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = ChangeQueue(changing)
        self._reviewing = reviewing
        self._feedback = feedback
        self._now = now
        self._clock = clock
        self._kept: dict[Actor, _Kept] = {}
        self._guard = Lock()
        self._numbers = count(1)
        self._writes = 0

    def kept(self, actor: Actor) -> Work:
        """Returns what was counted last, however long ago: for a page that waits for nothing."""
        found = self._kept.get(actor)
        return found.work if found else Work({})

    def is_fresh(self, actor: Actor) -> bool:
        """Whether `of` would read nothing."""
        found = self._kept.get(actor)
        return found is not None and found.writes == self._writes and self._clock() - found.read_at < _KEPT_S

    def of(self, actor: Actor) -> Work:
        """Returns what waits for the actor. Blocks unless it is fresh; raises `StoreUnavailable`."""
        if self.is_fresh(actor):
            return self.kept(actor)
        begun, writes = self._clock(), self._writes  # before reading: what is written meanwhile makes it old at once
        work = Work(self._counted(actor))
        with self._guard:
            self._kept.pop(actor, None)
            self._kept[actor] = _Kept(work, begun, writes)
            while len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return work

    def changed(self) -> None:
        """Has everything counted anew, because somebody did something."""
        self._writes = next(self._numbers)

    def _counted(self, actor: Actor) -> dict[str, int]:
        found: dict[str, int] = {}
        if any(actor.may(role) for role in _MAKERS):
            found["changes"] = len(self._queue.waiting_for(actor, limit=MOST + 1).changes)
            wanted = FeedbackFilter(verdict=Verdict.DOWN, since=self._now() - FEEDBACK_WITHIN)
            found["feedback"] = self._feedback.count(actor, wanted, most=MOST + 1)
        if actor.may(Role.EDITOR) or actor.may(Role.ADMIN):
            found["unmatched"] = self._reviewing.count_clusters(actor, Wanted(), least=LISTED_FROM, most=MOST + 1)
        return found
