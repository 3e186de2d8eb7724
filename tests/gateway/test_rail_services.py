"""What rails are handed of the embedder and the index."""

import asyncio

import msgspec
import numpy as np
import pytest

from gateway.rail_services import REMEMBERED, RecentVectors, rail_services
from models.fakes import FakeEmbedder
from rails.checks import grounding, relevance, topic
from rails.nemo import compile_stage
from rails.types import RailContext, Stage


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


WHALES = "The whales of the north sing " + "and sing " * 20 + "at night."
TOPIC = {"name": "t", "examples": ["one a", "two b", "three c"], "counterexamples": ["four d"], "limit": 0.8}


@pytest.mark.parametrize(
    ("rail", "params", "usual"),
    [
        (relevance.RAIL, {"min_similarity": 0.9}, "relevance.elsewhere"),
        (grounding.RAIL, {"min_similarity": 0.9}, "grounding.support"),
        (topic.RAIL, {"topics": [TOPIC]}, None),
    ],
    ids=["relevance", "grounding", "topic"],
)
def test_a_rail_embeds_beside_the_event_loop_and_stops_what_the_embedder_does_not_read(rail, params, usual):
    services = rail_services(lambda: FakeEmbedder(max_tokens=16))  # it raises on the thread of an event loop
    given = msgspec.convert({"rail": rail.name, **params}, rail.params)
    (compiled,) = compile_stage([(rail, given)], Stage.OUTPUT, services)
    context = RailContext(prompt="Replace a lost badge", facts="The desk replaces a lost badge.")
    for text, reason in (("Whales sing at night.", usual), (WHALES, f"{rail.name}.too_long")):
        said = asyncio.run(compiled.run(text, context))
        assert (said.has_failed, said.reason, said.is_blocked) == (False, reason, reason is not None)
