"""Words that a policy gives to its rails: found however they are written, and tried before the policy is live."""

import pytest

from rails.checks.topic import RAIL as TOPIC
from rails.checks.topic import Topic, TopicParams
from rails.checks.toxicity import RAIL as TOXICITY
from rails.checks.toxicity import ToxicityParams, find
from rails.disguises import plain


def topic(name, *words):
    return Topic(
        name=name,
        examples=(f"first of {name}", f"second of {name}", f"third of {name}"),
        counterexamples=(f"welcome beside {name}",),
        limit=0.5,
        words=words,
    )


@pytest.mark.parametrize(("word", "text"), [("Ärzte", "zwei ÄRZTE"), ("Übung*", "übungen"), ("Bank", "the bank.")])
def test_words_of_a_topic_are_found_in_any_case_and_with_their_umlauts(word, text):
    assert topic("some", word).may_concern(plain(text))
    assert not topic("some", word).may_concern(plain("nothing of the kind"))


def test_every_topic_is_tried_with_an_example_and_a_counterexample():
    probes = TOPIC.probes(TopicParams(topics=(topic("one"), topic("two", "Second"))))
    assert [probe.text for probe in probes.must_block] == ["first of one", "second of two"]
    assert [probe.text for probe in probes.must_pass] == ["welcome beside one", "welcome beside two"]


def test_a_policys_own_offensive_words_are_tried():
    params = ToxicityParams(words=("Flimsy", "gadget*"))
    blocked = [probe.text for probe in TOXICITY.probes(params).must_block]
    assert {"Flimsy", "gadget"} <= set(blocked)
    assert all(find(text, params) for text in blocked)


def test_a_word_that_would_never_be_found_is_among_those_tried_wherever_it_stands():
    params = ToxicityParams(words=(*(f"thingummy{number}" for number in range(30)), "++"))
    assert "++" in [probe.text for probe in TOXICITY.probes(params).must_block]
    assert find("++", params) is None
