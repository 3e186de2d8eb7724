import datetime as dt

import numpy as np
import pytest
from queue_parts import AT, NOW, Queue, editor, noted
from store_content import embed

from store.database import Database
from store.errors import InvalidContent, NotFound
from store.review.clusters import Clusters
from store.review.grouping import Nearness
from store.review.types import Wanted

ADA = editor()
NEAR = Nearness(join=0.6, merge=0.8)


def placed(queue: Queue) -> dict[str, str]:
    return {one.text: one.cluster for one in queue.all()}


def test_questions_that_mean_the_same_share_a_cluster_and_later_ones_join_it(database: Database) -> None:
    queue = Queue(database)
    queue.take("the vpn is broken", "my vpn is broken", "what is for lunch")
    assert queue.clusters.waiting() == 3
    assert queue.clusters.place_some(NOW).placed == 3
    before = placed(queue)
    assert before["the vpn is broken"] == before["my vpn is broken"] != before["what is for lunch"]
    queue.take("our vpn is broken", "where may bikes be parked")
    assert queue.clusters.place_some(NOW).placed == 2
    after = placed(queue)
    assert {text: after[text] for text in before} == before
    assert after["our vpn is broken"] == before["my vpn is broken"]
    assert queue.clusters.place_some(NOW).has_more is False


def test_clusters_of_two_assistants_are_apart(database: Database) -> None:
    queue = Queue(database)
    queue.take("the vpn is broken")
    queue.take("my vpn is broken", assistant="other")
    while queue.clusters.place_some(NOW).has_more:
        pass
    assert len(set(placed(queue).values())) == 2


def test_a_cluster_tells_its_label_sizes_and_trend(database: Database) -> None:
    queue = Queue(database)
    week = dt.timedelta(days=7)
    queue.intake.take(
        [
            noted("d1", "the vpn is broken", at=AT - week),
            noted("d2", "the vpn is broken"),
            noted("d3", "the vpn is broken here", at=AT - 2 * week),
            noted("d4", "the vpn is broken again"),
        ]
    )
    queue.clusters.place_some(NOW)
    (found,) = queue.reading.clusters(ADA, Wanted(), least=3, now=NOW).items
    assert found.label == "the vpn is broken"
    assert (found.size, found.messages) == (3, 4)
    assert (found.first_seen, found.last_seen) == (AT - 2 * week, AT)
    assert found.trend == (0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2)
    assert queue.reading.clusters(ADA, Wanted(), least=5, now=NOW).items == ()
    assert queue.reading.members(ADA, found.id, Wanted(), now=NOW)[0].count == 2


def test_clusters_come_largest_first_page_by_page(database: Database) -> None:
    queue = Queue(database)
    queue.take("lunch", "bikes", "parking")
    queue.intake.take([noted("again", "bikes")])
    queue.clusters.place_some(NOW)
    first = queue.reading.clusters(ADA, Wanted(), least=1, now=NOW, limit=2)
    second = queue.reading.clusters(ADA, Wanted(), least=1, now=NOW, after=first.next, limit=2)
    labels = [one.label for one in (*first.items, *second.items)]
    assert labels[0] == "bikes"
    assert sorted(labels) == ["bikes", "lunch", "parking"]
    assert second.next is None
    with pytest.raises(InvalidContent):
        queue.reading.clusters(ADA, Wanted(), least=1, now=NOW, after="1")


def test_another_embedder_gives_new_vectors_and_old_places_stay(database: Database) -> None:
    queue = Queue(database)
    queue.take("the vpn is broken", "what is for lunch")
    queue.clusters.place_some(NOW)
    before = placed(queue)

    def turned(texts: list[str]) -> np.ndarray:
        return np.ascontiguousarray(embed(texts)[:, ::-1])

    other = Clusters(database, turned, "turned", NEAR)
    queue.take("my vpn is broken")
    assert other.waiting() == 3
    other.place_some(NOW)
    after = placed(queue)
    assert {text: after[text] for text in before} == before
    assert after["my vpn is broken"] == before["the vpn is broken"]


def test_another_tenants_cluster_is_not_there(database: Database) -> None:
    queue = Queue(database)
    queue.take("the vpn is broken")
    queue.clusters.place_some(NOW)
    (cluster,) = placed(queue).values()
    eve = editor("eve", "other")
    with pytest.raises(NotFound):
        queue.reading.cluster(eve, cluster, Wanted(), now=NOW)
    assert queue.reading.members(eve, cluster, Wanted(), now=NOW) == ()
    assert queue.reading.clusters(eve, Wanted(), least=1, now=NOW).items == ()
