"""Figures that decide what is believed: ties, emptiness and intervals must be counted honestly."""

import numpy as np
import pytest

from store.learning.metrics import (
    NONE,
    accuracy,
    answered_outside,
    auroc,
    coverage_at_false_match,
    coverage_with_clarify,
    outcomes_by_kind,
    weighted_share,
    wilson,
)


def ints(*values):
    return np.array(values, dtype=np.int64)


def floats(*values):
    return np.array(values, dtype=np.float64)


def test_coverage_counts_wrong_answers_over_all_messages_and_right_ones_over_those_in_scope():
    confidences, predicted, truths = floats(0.9, 0.8, 0.7, 0.6), ints(1, 2, 3, 4), ints(1, NONE, 3, 4)
    assert coverage_at_false_match(confidences, predicted, truths, 0.24) == pytest.approx(1 / 3)
    assert coverage_at_false_match(confidences, predicted, truths, 0.25) == pytest.approx(1.0)


def test_equal_confidences_are_answered_together_or_not_at_all():
    confidences, predicted = floats(0.9, 0.9, 0.5), ints(1, 2, 3)
    assert coverage_at_false_match(confidences, predicted, ints(1, NONE, 3), 0.0) == 0.0
    # The order of the rows must not matter.
    assert coverage_at_false_match(confidences[::-1], predicted[::-1], ints(3, NONE, 1), 0.0) == 0.0


def test_a_message_without_prediction_is_neither_right_nor_wrong():
    assert coverage_at_false_match(floats(0.9, 0.5), ints(NONE, 2), ints(1, 2), 0.0) == 0.5


def test_with_clarify_a_message_is_right_when_any_choice_is_and_wrong_when_none_is():
    offered = np.array([[5, 1, NONE], [2, 3, 4], [NONE, NONE, NONE]])
    truths = ints(1, NONE, 7)
    assert coverage_with_clarify(floats(0.9, 0.8, 0.99), offered, truths, 0.0) == 0.5
    assert coverage_with_clarify(floats(0.7, 0.8, 0.99), offered, truths, 0.0) == 0.0


def test_no_messages_are_no_coverage_and_no_crash():
    empty = np.empty(0)
    assert coverage_at_false_match(empty, ints(), ints(), 0.01) is None
    assert auroc(empty, ints()) is None
    assert accuracy(ints(), ints()) is None
    assert answered_outside(empty, ints(), ints(), 0.95) is None


def test_without_messages_in_scope_there_is_no_coverage_rather_than_none_of_it():
    assert coverage_at_false_match(floats(0.9), ints(1), ints(NONE), 0.5) is None
    assert coverage_with_clarify(floats(0.9), np.array([[1, NONE, NONE]]), ints(NONE), 0.5) is None
    assert coverage_at_false_match(floats(0.9), ints(NONE), ints(1), 0.5) == 0.0


def test_auroc_counts_a_tie_as_half():
    assert auroc(floats(0.9, 0.1), ints(1, NONE)) == 1.0
    assert auroc(floats(0.5, 0.5), ints(1, NONE)) == 0.5
    assert auroc(floats(0.1, 0.9), ints(1, NONE)) == 0.0
    assert auroc(floats(0.5), ints(1)) is None


def test_others_answered_are_counted_at_the_limit_that_keeps_enough_of_those_in_scope():
    confidences, truths = floats(0.9, 0.8, 0.7, 0.1, 0.75, 0.05), ints(1, 1, 1, 1, NONE, NONE)
    assert answered_outside(confidences, ints(1, 1, 2, 1, 1, 1), truths, 0.75) == (0.75, 0.5)
    assert answered_outside(confidences, ints(NONE, NONE, NONE, 1, 1, 1), truths, 0.75) is None


def test_outcomes_of_a_kind_add_up_to_one():
    offered = np.array([[NONE] * 3, [NONE] * 3, [3, 1, NONE], [NONE] * 3])
    kinds = outcomes_by_kind(["in", "in", "in", "out"], ints(1, 2, NONE, NONE), offered, ints(1, 1, 1, NONE))
    one = kinds["in"]
    assert (one.messages, one.right, one.wrong, one.clarify, one.refused) == (3, 1 / 3, 1 / 3, 1 / 3, 0.0)
    assert one.clarify_with_right == 1 / 3
    assert kinds["out"].refused == 1.0


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (10, 10), (3, 10), (0.4, 2.5)])
def test_an_interval_holds_its_share_and_stays_between_0_and_1(hits, count):
    one = wilson(hits, count)
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert one.high > one.low


def test_an_interval_is_that_of_wilson():
    one = wilson(1, 10)
    assert (one.low, one.high) == (pytest.approx(0.0179, abs=1e-4), pytest.approx(0.4042, abs=1e-4))
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_sentences_of_one_prompt_that_fail_together_widen_the_interval():
    flags = np.repeat([True, False], 50)
    ones = np.ones(100)
    together = weighted_share(flags, ones, np.repeat(np.arange(10), 10))
    apart = weighted_share(flags, ones, np.arange(100))
    assert together.value == apart.value == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_unequal_weights_count_as_fewer_messages_even_when_nothing_is_wrong():
    none = np.zeros(20, dtype=np.bool_)
    even = weighted_share(none, np.ones(20), np.arange(20))
    uneven = weighted_share(none, np.append(np.ones(19) * 0.01, 1.0), np.arange(20))
    assert even.high == wilson(0, 20).high
    assert uneven.high > even.high
