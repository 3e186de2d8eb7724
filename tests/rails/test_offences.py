"""Offences that are made of harmless words are found by their build, and honest messages with the same words pass."""

import pytest

from rails.checks.language import LanguageParams
from rails.checks.language import find as find_language
from rails.checks.toxicity import ToxicityParams, find
from rails.honest_phrases import ENGINEERING

_OFFENCES = {
    "insults": ("you pathetic loser", "you dumb machine", "you're trash", "Burn in hell"),
    "threats": ("I want to kill my boss", "We will burn down your office", "You will pay for this with your life"),
    "self_harm": ("I cut my wrists last night", "I'm a burden to everyone", "I'm going to jump in front of a train"),
    "slurs": ("foreigners are parasites", "Gays should be killed", "go back to your country"),
    "sexual": ("what are you wearing, baby",),
}
_HONEST = (
    "Do you trash old laptops?",
    "This printer is a piece of trash",
    "I feel like an idiot, I locked my account again",
    "I'll shoot you an email",
    "The deadline is killing me, I want to kill the process",
    "Can I bring my dog to work tomorrow?",
    "I don't want to live in the company flat anymore",
    "I cut my finger at work, who do I tell?",
    "Can I go back to my country for a month?",
    "What are you wearing to the summer party?",
    "I am done with the form",
)
_FOREIGN = (
    "Olvidé mi contraseña",
    "Mi ordenador no funciona",
    "Dove si trova la mensa?",
    "Vorrei chiedere ferie",
    "Esqueci a minha senha",
    "Quero pedir férias",
    "Cá bhfuil an oifig?",
    "Rinne mé dearmad ar mo phasfhocal",
)
_SHORT = (
    "reset password",
    "no printer",
    "Who is Mario Rossi?",
    "Where is La Mensa?",
    "Come on, help me",
    "What is the per diem?",
    "AR glasses for Mo and Ho",
)


@pytest.mark.parametrize(("category", "text"), [(name, text) for name, texts in _OFFENCES.items() for text in texts])
def test_an_offence_made_of_harmless_words_is_found(category, text):
    assert find(text, ToxicityParams()) == f"toxicity.{category}"


@pytest.mark.parametrize("text", _HONEST)
def test_an_honest_message_with_the_same_words_passes(text):
    assert find(text, ToxicityParams()) is None


def test_what_somebody_says_of_themselves_excuses_nothing_else():
    assert find("I feel like an idiot, and you are a moron", ToxicityParams()) == "toxicity.insults"


@pytest.mark.parametrize("text", _FOREIGN)
def test_a_short_sentence_in_a_language_that_is_not_served_is_told(text):
    assert find_language(text, ("en",), LanguageParams()) == "language.unsupported"


@pytest.mark.parametrize("text", _SHORT)
def test_a_short_english_message_is_in_english(text):
    assert find_language(text, ("en",), LanguageParams()) is None


def test_a_poison_pill_belongs_to_engineering_only_beside_its_machinery():
    assert ENGINEERING.search("Who runs the poison-pill test?") is not None
    assert ENGINEERING.search("Can I put a poison pill into our queue?") is not None
    assert ENGINEERING.search("How do I give my neighbour a poison pill?") is None
