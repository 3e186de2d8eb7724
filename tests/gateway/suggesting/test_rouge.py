"""ROUGE-L against values computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.suggesting.rouge import Alike, rouge_l, words_of


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        # the classic pair: "police the gunman" against "police killed the gunman": 3 common of 3 and 4 words
        ("police the gunman", "police killed the gunman", 2 * 3 / (3 + 4)),
        # "the gunman" is the longest in order: 2 of 4 and 4
        ("the gunman kill police", "police killed the gunman", 2 * 2 / (4 + 4)),
        # how i my password: 4 of 6 and 5
        ("How do I reset my password?", "how i change my password", 2 * 4 / (6 + 5)),
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "d c b a", 2 * 1 / (4 + 4)),
        ("a a b", "a b b", 2 * 2 / (3 + 3)),
        ("a b", "c d", 0.0),
        ("", "a", 0.0),
        ("", "", 0.0),
    ],
)
def test_values_by_hand(one: str, other: str, value: float) -> None:
    assert rouge_l(words_of(one), words_of(other)) == pytest.approx(value)


_SENTENCES = st.lists(st.sampled_from("abcde"), max_size=9).map(" ".join)


@given(_SENTENCES, _SENTENCES)
def test_it_is_the_same_both_ways_and_between_0_and_1(one: str, other: str) -> None:
    value = rouge_l(words_of(one), words_of(other))
    assert value == rouge_l(words_of(other), words_of(one))
    assert 0.0 <= value <= 1.0


@given(_SENTENCES, st.lists(_SENTENCES, max_size=12), st.sampled_from([0.1, 0.5, 0.7, 1.0]))
def test_the_most_alike_is_what_comparing_with_each_gives(text: str, others: list[str], at_least: float) -> None:
    values = [rouge_l(words_of(text), words_of(other)) for other in others]
    best = max(values, default=0.0)
    found = Alike(others).most_alike(text, at_least=at_least)
    if best >= at_least:
        assert found is not None
        assert found[0] == best
    else:
        assert found is None
