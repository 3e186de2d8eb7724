"""The limit that keeps wrong answers rare, from few of them."""

import numpy as np
import pytest

from store.learning.limits import NEVER, loosest_limit


def drawn(count, seed):
    random = np.random.default_rng(seed)
    wrong = random.random(count) < 0.3
    logits = np.where(wrong, random.normal(-1.5, 1.3, count), random.normal(2.0, 1.5, count))
    return 1 / (1 + np.exp(-logits)), wrong


def realised(limit, seed=99):
    scores, wrong = drawn(200_000, seed)
    return float(((scores >= limit) & wrong).mean())


@pytest.mark.parametrize("rate", [0.01, 0.05])
@pytest.mark.parametrize("seed", range(5))
def test_on_new_messages_wrong_answers_stay_within_twice_the_rate(rate, seed):
    scores, wrong = drawn(600, seed)
    limit = loosest_limit(scores, wrong, np.ones(600), rate)
    assert 0.3 * rate < realised(limit) < 2 * rate


def test_a_lower_rate_never_gets_a_looser_limit():
    scores, wrong = drawn(400, 3)
    limits = [loosest_limit(scores, wrong, np.ones(400), rate) for rate in (0.005, 0.01, 0.02, 0.05, 0.1)]
    assert limits == sorted(limits, reverse=True)


def test_weights_move_the_limit_as_copies_of_the_rows_would():
    scores, wrong = drawn(300, 4)
    weighted = loosest_limit(scores, wrong, np.where(wrong, 3.0, 1.0), 0.03)
    copies = np.repeat(np.arange(300), np.where(wrong, 3, 1))
    assert weighted == pytest.approx(loosest_limit(scores[copies], wrong[copies], np.ones(len(copies)), 0.03), abs=0.02)


def test_when_hardly_anything_is_wrong_everything_is_answered():
    scores = np.linspace(0.2, 0.9, 50)
    assert loosest_limit(scores, np.zeros(50, dtype=np.bool_), np.ones(50), 0.01) == 0.2


def test_when_everything_is_wrong_nothing_is_answered():
    scores = np.linspace(0.2, 0.9, 50)
    limit = loosest_limit(scores, np.ones(50, dtype=np.bool_), np.ones(50), 0.001)
    assert (scores >= limit).sum() == 0


def test_without_sentences_or_weights_nothing_is_answered():
    assert loosest_limit(np.empty(0), np.empty(0, dtype=np.bool_), np.empty(0), 0.01) == NEVER
    assert loosest_limit(np.ones(3), np.zeros(3, dtype=np.bool_), np.zeros(3), 0.01) == NEVER


def test_a_score_that_ranks_wrong_answers_first_answers_nothing():
    scores = np.linspace(0.01, 0.99, 100)
    assert loosest_limit(scores, scores > 0.5, np.ones(100), 0.01) == NEVER


def test_right_and_wrong_answers_that_do_not_overlap_are_told_apart():
    scores = np.append(np.linspace(0.01, 0.2, 50), np.linspace(0.8, 0.99, 50))
    wrong = scores < 0.5
    limit = loosest_limit(scores, wrong, np.ones(100), 0.01)
    assert 0.1 < limit <= 0.81


def test_scores_of_exactly_0_and_1_and_equal_scores_do_no_harm():
    scores = np.array([0.0, 1.0, 1.0, 0.5, 0.5, 0.5, -0.3])
    wrong = np.array([1, 0, 0, 1, 0, 0, 1], dtype=np.bool_)
    limit = loosest_limit(scores, wrong, np.ones(7), 0.2)
    assert 0.0 < limit <= 0.5
    assert ((scores >= limit) & wrong).sum() == 1, "one of seven is what 0.2 allows"
