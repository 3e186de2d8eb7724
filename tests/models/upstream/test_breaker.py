"""The breaker: opens after failures that are near each other, lets one through, closes when that worked."""

import pytest

from models.upstream.breaker import Breaker, BreakerLimits, Pass, Verdict

LIMITS = BreakerLimits(failures=3, window_s=10.0, open_s=5.0)


def fail(breaker, now_s):
    given = breaker.admit(now_s)
    assert given is not None
    return breaker.give_back(given, Verdict.FAILED, now_s)


def opened(now_s=0.0):
    breaker = Breaker(LIMITS)
    assert [fail(breaker, now_s) for _ in range(3)] == [False, False, True]
    return breaker


def test_it_opens_at_the_third_failure_within_the_window():
    breaker = opened()
    assert breaker.is_open()
    assert breaker.admit(4.9) is None


def test_failures_far_from_each_other_do_not_open_it():
    breaker = Breaker(LIMITS)
    assert not any(fail(breaker, now_s) for now_s in (0.0, 6.0, 12.0, 18.0, 24.0))
    assert not breaker.is_open()


def test_an_answer_between_failures_forgets_them():
    breaker = Breaker(LIMITS)
    fail(breaker, 0.0)
    fail(breaker, 0.1)
    breaker.give_back(breaker.admit(0.2), Verdict.WORKED, 0.2)
    assert not fail(breaker, 0.3)
    assert not breaker.is_open()


def test_one_request_at_a_time_tries_when_the_pause_is_over():
    breaker = opened()
    probe = breaker.admit(5.0)
    assert probe == Pass(is_probe=True)
    assert breaker.admit(5.0) is None
    assert breaker.give_back(probe, Verdict.WORKED, 5.1)
    assert not breaker.is_open()
    assert breaker.admit(5.2) == Pass(is_probe=False)


def test_a_try_that_fails_opens_it_for_another_pause():
    breaker = opened()
    assert not breaker.give_back(breaker.admit(5.0), Verdict.FAILED, 6.0)
    assert breaker.admit(10.9) is None
    assert breaker.admit(11.0) is not None


def test_a_try_whose_caller_left_lets_the_next_one_try():
    breaker = opened()
    assert not breaker.give_back(breaker.admit(5.0), Verdict.NONE, 5.1)
    assert breaker.is_open()
    assert breaker.admit(5.1) == Pass(is_probe=True)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_request_from_before_the_opening_decides_nothing(verdict):
    breaker = Breaker(LIMITS)
    early = breaker.admit(0.0)
    for _ in range(3):
        fail(breaker, 0.0)
    probe = breaker.admit(5.0)
    assert not breaker.give_back(early, verdict, 5.0)
    assert breaker.is_open()
    assert breaker.admit(5.0) is None
    assert breaker.give_back(probe, Verdict.WORKED, 5.0)


@pytest.mark.parametrize("values", [{"failures": 0}, {"window_s": 0.0}, {"open_s": -1.0}, {"open_s": float("nan")}])
def test_limits_without_meaning_do_not_exist(values):
    with pytest.raises(ValueError, match="breaker"):
        BreakerLimits(**values)
