"""What rails are handed of the embedder and the index."""

import numpy as np

from gateway.rail_services import REMEMBERED, RecentVectors, rail_services
from models.fakes import FakeEmbedder


class Counting:
    def __init__(self):
        self.inner, self.asked = FakeEmbedder(), []

    def embed(self, texts):
        self.asked.append(tuple(texts))
        return self.inner.embed(texts)


def test_the_same_message_is_embedded_once():
    counting = Counting()
    recent = RecentVectors(counting)
    first, second = recent.embed(["a question"]), recent.embed(["a question"])
    assert counting.asked == [("a question",)]
    assert np.array_equal(first, second)
    assert np.array_equal(first, FakeEmbedder().embed(["a question"]))


def test_what_is_remembered_cannot_be_changed():
    remembered = RecentVectors(FakeEmbedder()).embed(["a question"])
    assert not remembered.flags.writeable


def test_only_the_last_messages_are_remembered():
    counting = Counting()
    recent = RecentVectors(counting)
    for number in range(REMEMBERED + 1):
        recent.embed([f"question {number}"])
    recent.embed([f"question {REMEMBERED}"])
    recent.embed(["question 0"])
    assert len(counting.asked) == REMEMBERED + 2


def test_the_nearest_examples_come_first():
    services = rail_services(FakeEmbedder)
    texts = ["reset my password", "print a page", "book a room"]
    neighbours = services.neighbours(services.embed(texts))
    similarities, rows = neighbours.nearest(services.embed(["print a page"])[0], 2)
    assert (rows[0], round(float(similarities[0]), 3)) == (1, 1.0)
    assert similarities[0] >= similarities[1]


def test_the_embedder_is_made_when_it_is_first_needed():
    made = []

    def embedder():
        made.append(1)
        return FakeEmbedder()

    services = rail_services(embedder)
    assert made == []
    services.embed(["a"])
    assert made == [1]
