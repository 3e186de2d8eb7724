"""The review queue as admin routes and pages call it. Every method blocks on the database: use a thread."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from anyio import CapacityLimiter

from gateway.reviewing.prospects import Prospecting, Prospects
from store.people import Actor
from store.review.acting import Acting
from store.review.actions import AnyAction, Done
from store.review.clusters import Clusters
from store.review.intake import Intake
from store.review.reading import Page, Reading
from store.review.types import Cluster, StoredQuestion, Target, Wanted
from store.sorting import Order

MAX_COMPARED = 50
"""Questions of a cluster that a dry run embeds."""
FIGURE_DAYS = 30


@dataclass(frozen=True, slots=True)
class ClusterDetail:
    """A cluster with its questions."""

    cluster: Cluster
    questions: tuple[StoredQuestion, ...]
    """At most 500, the most frequent first."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What came to the queue in the last 30 days, and what waits."""

    tallies: dict[str, int]
    """`new`, `again`, `over_bound`, `unreadable`, `lost`."""
    unplaced: int
    """Questions without a cluster yet, of all assistants."""


class Reviewing:
    """Everything about the queue that somebody may ask for or do."""

    def __init__(
        self, reading: Reading, acting: Acting, intake: Intake, clusters: Clusters, prospecting: Prospecting
    ) -> None:
        self._reading = reading
        self._acting = acting
        self._intake = intake
        self._clusters = clusters
        self._prospecting = prospecting
        self.threads = CapacityLimiter(4)
        """In which its methods are called."""

    def questions(self, actor: Actor, wanted: Wanted, *, after: str | None, limit: int) -> Page[StoredQuestion]:
        """Returns a page of questions, the last seen first. Raises `InvalidContent`."""
        return self._reading.questions(actor, wanted, now=_now(), after=after, limit=limit)

    def question(self, actor: Actor, question: str) -> StoredQuestion:
        """Returns a question. Raises `NotFound`."""
        return self._reading.question(actor, question, now=_now())

    def sorted_clusters(
        self, actor: Actor, wanted: Wanted, order: Order, *, least: int, limit: int
    ) -> tuple[Cluster, ...]:
        """Returns clusters in an order of `store.review.reading.SORTS`."""
        return self._reading.sorted_clusters(actor, wanted, order, least=least, now=_now(), limit=limit)

    def clusters(self, actor: Actor, wanted: Wanted, *, least: int, after: str | None, limit: int) -> Page[Cluster]:
        """Returns a page of clusters with at least so many messages, the largest first. Raises `InvalidContent`."""
        return self._reading.clusters(actor, wanted, least=least, now=_now(), after=after, limit=limit)

    def count_clusters(self, actor: Actor, wanted: Wanted, *, least: int, most: int) -> int:
        """Returns how many clusters have at least so many messages, counted up to `most`."""
        return self._reading.count_clusters(actor, wanted, least=least, now=_now(), most=most)

    def cluster(self, actor: Actor, cluster: str, wanted: Wanted) -> ClusterDetail:
        """Returns a cluster with its wanted questions. Raises `NotFound` when it has none of them."""
        now = _now()
        found = self._reading.cluster(actor, cluster, wanted, now=now)
        return ClusterDetail(found, self._reading.members(actor, cluster, wanted, now=now))

    def prospects(self, actor: Actor, question: str) -> Prospects:
        """Returns what the live matcher makes of a question. Raises `NotFound`, `NotServing`."""
        found = self.question(actor, question)
        others: tuple[StoredQuestion, ...] = ()
        if found.cluster is not None:
            others = self._reading.members(actor, found.cluster, Wanted(), now=_now())
        return self._of(found.text, found.assistant, [one for one in others if one.id != found.id])

    def cluster_prospects(self, actor: Actor, cluster: str) -> Prospects:
        """Returns what the live matcher makes of a cluster's most central question. Raises as `prospects` does."""
        detail = self.cluster(actor, cluster, Wanted(state=None))
        label = detail.cluster.label
        return self._of(label, detail.cluster.assistant, [one for one in detail.questions if one.text != label])

    def act(self, actor: Actor, action: AnyAction, targets: Sequence[Target]) -> Done:
        """Does something to all targets or to none. Raises `NotFound`, `Conflict`, `InvalidContent`."""
        return self._acting.act(actor, action, targets, now=_now())

    def undo(self, actor: Actor, action: str) -> Done:
        """Undoes an action. Raises `NotFound`, `Conflict`."""
        return self._acting.undo(actor, action, now=_now())

    def actions(self, actor: Actor, *, after: str | None, limit: int) -> Page[Done]:
        """Returns a page of what was done, the latest first. Raises `InvalidContent`."""
        return self._acting.actions(actor, after=after, limit=limit)

    def figures(self, actor: Actor) -> QueueFigures:
        """Returns what came of the last 30 days' messages, of the assistants that the actor may see."""
        since = _now().date() - dt.timedelta(days=FIGURE_DAYS)
        return QueueFigures(self._intake.figures(sorted(actor.assistants), since=since), self._clusters.waiting())

    def _of(self, text: str, assistant: str, others: Sequence[StoredQuestion]) -> Prospects:
        return self._prospecting.of(text, assistant, [one.text for one in others[:MAX_COMPARED]])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
