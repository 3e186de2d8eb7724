import numpy as np
import pytest

from store.learning.spelling import SpelledMessage, build_lexicon, spell

TEXTS = ("reset my password", "forgot the password", "???", "book a room")
LABELS = np.array([0, 0, 1, 2])


@pytest.fixture
def lexicon():
    return build_lexicon([spell(text) for text in TEXTS], LABELS, [spell("sing a song")])


def likeness(message, lexicon):
    return SpelledMessage(message, lexicon).likeness(np.arange(4), np.ones(4, dtype=np.int64))


def test_the_same_words_are_alike_whatever_their_case(lexicon):
    assert likeness("Reset MY password!", lexicon)[0] == pytest.approx(1, abs=1e-5)


def test_a_typing_error_stays_near_and_other_words_do_not(lexicon):
    found = likeness("reset my pasword", lexicon)
    assert found[0] > 0.6
    assert found[3] < 0.1
    assert found[2] == 0


def test_the_order_of_characters_counts():
    assert not set(spell("ab").runs) >= set(spell("ba").runs)


def test_runs_do_not_reach_over_words():
    apart, together = set(spell("ab cd").runs.tolist()), set(spell("abcd").runs.tolist())
    assert len(apart) == len(set(spell("ab").runs.tolist()) | set(spell("cd").runs.tolist()))
    assert apart != together


def test_rare_words_weigh_more_than_common_ones(lexicon):
    both = SpelledMessage("forgot password", lexicon)
    assert both.known_share(np.array([0, 2])).tolist() == [pytest.approx(1), 0]
    assert (
        both.covered_share(np.array([1]))[0] > SpelledMessage("the password", lexicon).covered_share(np.array([0]))[0]
    )


@pytest.mark.parametrize("message", ["", "???", "\ud800", "\u0645\u0631\u062d", "x" * 5000, "\U0001f600 \u00e9"])
def test_any_text_can_be_spelled(message, lexicon):
    found = SpelledMessage(message, lexicon)
    for values in (
        found.likeness(np.arange(4), np.ones(4, dtype=np.int64)),
        found.known_share(np.arange(3)),
        found.covered_share(np.arange(4)),
    ):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        assert (values <= 1 + 1e-5).all()
