"""The example help desk's dialog with the real embedder: it takes small talk, and leaves questions alone."""

from pathlib import Path

import pytest
import yaml

from gateway.fitting.corpora import EmbedderSource, load_source
from gateway.rail_services import rail_services
from models.embedding.embedder import PACKAGED_MINILM_SHA256, packaged_minilm
from rails.policy import load_policy
from rails.topics import Topics
from store.formats.bundle import read_bundle

EXAMPLE = Path(__file__).parents[2] / "examples" / "helpdesk"
SAID = {
    "greeting": ["hey, good morning!", "hello, is anyone there?", "Hi there :)"],
    "thanks": ["Thank you so much!", "ok, thanks for that", "brilliant, thank you"],
    "goodbye": ["bye!", "see you later then"],
    "abilities": ["what can you do for me?", "what kind of questions can I ask", "who are you"],
    "small_talk": ["how are you doing today?", "are you a robot", "tell me a good joke", "what's your name?"],
    "person": ["I want to speak with a human being", "can I talk to a real person please", "human please"],
}
QUESTIONS = [
    "how do I speak at a conference",
    "thanks to whom do I send the invoice",
    "help me with my laptop",
    "what about the weekend?",
    "is there a person in Leeds for keys",
    "can I call the service desk about the vpn",
    "goodbye letter for a colleague",
    "hello world program in python",
]


@pytest.fixture(scope="module")
def topics(embedder_cache: Path) -> Topics:
    embedder = load_source(EmbedderSource(packaged_minilm(), PACKAGED_MINILM_SHA256, embedder_cache), lambda *_: None)
    dialog = load_policy(read_bundle(EXAMPLE).policies["helpdesk"]).dialog
    assert dialog is not None
    return Topics.of(dialog, rail_services(lambda: embedder))


@pytest.mark.weights
def test_small_talk_is_told_from_questions(topics):
    found = {said: topics.topic_of(said) for texts in SAID.values() for said in texts}
    wrong = {
        said: topic.name
        for name, texts in SAID.items()
        for said in texts
        if (topic := found[said]) and topic.name != name
    }
    assert wrong == {}
    assert sum(topic is not None for topic in found.values()) >= 0.8 * len(found)
    assert [text for text in QUESTIONS if topics.topic_of(text)] == []


@pytest.mark.weights
def test_no_phrasing_and_no_question_of_the_test_set_is_small_talk(topics):
    phrasings = [text for prompt in read_bundle(EXAMPLE).prompts for text in prompt.phrasings]
    cases = yaml.safe_load((EXAMPLE / "suites" / "helpdesk.yaml").read_text(encoding="utf-8"))["cases"]
    asked = [case["message"] for case in cases if case["expect"] != "refuse" and len(case["message"]) < 400]
    assert [text for text in (*phrasings, *asked) if topics.topic_of(text)] == []
