"""Rates: never more than a burst and the steady rate, with exactly when the next call is taken."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RateLimited
from gateway.rates import MemoryRates, Rate, RateKind

SECOND = 10**9
KEY, ADDRESS = RateKind.KEY, RateKind.ADDRESS


class Time:
    def __init__(self) -> None:
        self.at = 7 * SECOND

    def __call__(self) -> int:
        return self.at


def take(rates: MemoryRates, *asked: Rate) -> bool:
    try:
        rates.take_now(asked)
    except RateLimited:
        return False
    return True


@given(st.integers(1, 400), st.lists(st.one_of(st.just(0), st.integers(0, 90 * SECOND)), min_size=1, max_size=200))
def test_in_no_window_are_more_taken_than_a_burst_and_the_rate(per_minute: int, pauses: list[int]) -> None:
    clock = Time()
    rates, taken = MemoryRates(clock_ns=clock), []
    for pause in [*[0] * (per_minute // 2), *pauses]:
        clock.at += pause
        if take(rates, Rate(KEY, "a", per_minute)):
            taken.append(clock.at)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            span_ns = taken[last] - taken[first]
            assert (last - first + 1) * 60 * SECOND <= per_minute * (60 * SECOND + span_ns)


@given(st.integers(1, 10_000), st.lists(st.integers(0, 20 * SECOND), max_size=20))
def test_the_time_to_wait_is_exact_to_the_nanosecond(per_minute: int, pauses: list[int]) -> None:
    clock, rate = Time(), Rate(KEY, "a", per_minute)
    rates = MemoryRates(clock_ns=clock)
    for pause in pauses:
        clock.at += pause
        take(rates, rate)
    while take(rates, rate):
        pass
    with pytest.raises(RateLimited) as stopped:
        rates.take_now([rate])
    wait_ns = round(stopped.value.retry_after_s * SECOND)
    clock.at += wait_ns - 1
    assert not take(rates, rate)
    clock.at += 1
    assert take(rates, rate)


@given(st.integers(1, 1000), st.lists(st.integers(0, 5 * SECOND), max_size=50))
def test_what_is_said_to_remain_can_be_taken_and_no_more(per_minute: int, pauses: list[int]) -> None:
    clock, rate = Time(), Rate(KEY, "a", per_minute)
    rates = MemoryRates(clock_ns=clock)
    left = per_minute
    for pause in pauses:
        clock.at += pause
        try:
            (state,) = rates.take_now([rate])
        except RateLimited:
            left = 0
        else:
            left = state.remaining
            assert (state.limit, 0 < state.reset_s <= 61) == (per_minute, True)
    assert [take(rates, rate) for _ in range(left + 1)] == [True] * left + [False]


def test_of_several_names_none_is_counted_when_one_is_used_up() -> None:
    rates = MemoryRates(clock_ns=Time())
    narrow, wide = Rate(KEY, "narrow", 1), Rate(ADDRESS, "wide", 2)
    assert take(rates, narrow)
    assert [take(rates, wide, narrow) for _ in range(5)] == [False] * 5
    assert [take(rates, wide) for _ in range(3)] == [True, True, False]
    assert rates.refused == {"key": 5, "address": 1}


def test_the_longest_wait_is_told_with_the_rate_that_causes_it() -> None:
    rates = MemoryRates(clock_ns=Time())
    slow, fast = Rate(KEY, "slow", 1), Rate(ADDRESS, "fast", 2)
    assert take(rates, slow, fast)
    assert take(rates, fast)
    with pytest.raises(RateLimited) as stopped:
        rates.take_now([fast, slow])
    assert (stopped.value.retry_after_s, stopped.value.limit) == (60.0, 1)
    assert "Wait 60 s" in stopped.value.message


def test_one_name_does_not_use_up_the_rate_of_another() -> None:
    rates = MemoryRates(clock_ns=Time())
    assert take(rates, Rate(KEY, "a", 1))
    assert take(rates, Rate(KEY, "b", 1))
    assert take(rates, Rate(ADDRESS, "a", 1))
    assert not take(rates, Rate(KEY, "a", 1))


def test_names_that_are_many_take_no_more_room_and_push_out_none_of_another_kind() -> None:
    rates = MemoryRates(clock_ns=Time(), most_names=100)
    assert take(rates, Rate(KEY, "mine", 1))
    for number in range(1000):
        assert take(rates, Rate(ADDRESS, str(number), 1))
    assert rates.names == 101
    assert not take(rates, Rate(KEY, "mine", 1))
    assert not take(rates, Rate(ADDRESS, "999", 1))


def test_a_rate_may_change_while_it_is_counted() -> None:
    rates = MemoryRates(clock_ns=Time())
    assert take(rates, Rate(KEY, "a", 1))
    with pytest.raises(RateLimited) as stopped:
        rates.take_now([Rate(KEY, "a", 100)])
    assert stopped.value.retry_after_s == pytest.approx(0.6)


def test_the_contract_is_the_same_whether_it_is_awaited_or_not() -> None:
    rates = MemoryRates(clock_ns=Time())
    (state,) = anyio.run(rates.take, [Rate(KEY, "a", 3)])
    assert (state.limit, state.remaining, state.reset_s) == (3, 2, 20.0)
