"""What a ranking of prompts is good for, counted."""

import numpy as np
import pytest

from benchmarks.rivals.curves import Ranked, at_limit, held_out, limit_for, operating_curve, ranked_of, some_strangers
from store.learning.metrics import NONE

FOUND = [("a", 0.9), ("b", 0.8), ("a", 0.7), ("b", 0.6), (None, -1.0)]
TRUTHS = ["a", "b", "b", None, "a"]


def test_rates_at_a_limit_are_of_the_messages_that_they_name() -> None:
    rates = at_limit(ranked_of(FOUND, TRUTHS), 0.65)
    assert rates == {"right": 0.5, "wrong": 0.2, "refused": 0.25, "outside_answered": 0.0}


def test_a_message_without_a_prompt_that_is_answered_is_wrong() -> None:
    rates = at_limit(ranked_of(FOUND, TRUTHS), 0.0)
    assert rates["wrong"] == pytest.approx(0.4)
    assert rates["outside_answered"] == 1.0


def test_the_limit_is_the_lowest_that_keeps_wrong_answers_within_the_rate() -> None:
    ranked = ranked_of(FOUND, TRUTHS)
    assert limit_for(ranked, 0.0) == 0.8
    assert limit_for(ranked, 0.2) == 0.7
    assert limit_for(ranked, 0.4) == -1.0


def test_a_limit_above_every_score_answers_nothing_where_the_best_message_is_wrong() -> None:
    ranked = ranked_of([("a", 0.9), ("b", 0.2)], ["b", "b"])
    assert at_limit(ranked, limit_for(ranked, 0.0))["wrong"] == 0.0


def test_the_curve_reaches_what_the_best_limit_answers_and_its_range_holds_it() -> None:
    curve = operating_curve(Ranked(np.zeros(100, dtype=np.int64), np.linspace(1, 0, 100), _half_right()))
    middle, low, high = curve["reachable"]["0.05"]
    assert low <= middle <= high
    assert middle == 1.0
    assert curve["best_right"] == 1.0


def test_held_out_phrasings_leave_every_prompt_in_the_trial_store() -> None:
    sentences = [(f"{key} {number}", key) for key in ("a", "b") for number in range(5)] + [("alone", "c")]
    known, asked = held_out(sentences)
    assert sorted(known + asked) == sorted(sentences)
    assert [key for _, key in asked] == ["a", "a", "b", "b"]
    assert {key for _, key in known} == {"a", "b", "c"}


def test_strangers_come_from_everywhere_and_in_the_expected_share() -> None:
    strangers = [str(number) for number in range(100)]
    assert len(some_strangers(strangers, 50)) == 20
    assert some_strangers(strangers, 50)[-1] == "99"
    assert some_strangers(strangers, 10_000) == strangers


def _half_right() -> np.ndarray:
    """The first half is answered by the only prompt, the other half by none."""
    return np.where(np.arange(100) < 50, 0, NONE).astype(np.int64)
