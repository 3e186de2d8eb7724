"""Tries are counted for a minute, told honestly, and given back when they were good."""

import pytest

from gateway.access.tries import Failures, Tries, network_of
from gateway.errors import RateLimited


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_the_sixth_try_within_a_minute_is_told_when_the_next_one_is_free() -> None:
    clock = Clock()
    tries = Tries(clock=clock)
    for _ in range(5):
        tries.take(["account ada"])
        clock.at += 2
    with pytest.raises(RateLimited) as told:
        tries.take(["account ada"])
    assert told.value.retry_after_s == 50.0
    clock.at += 49.9
    with pytest.raises(RateLimited):
        tries.take(["account ada"])
    clock.at += 0.1
    tries.take(["account ada"])


def test_a_try_that_is_refused_counts_nowhere() -> None:
    clock = Clock()
    tries = Tries(clock=clock)
    for _ in range(5):
        tries.take(["account ada"])
    for _ in range(9):
        with pytest.raises(RateLimited):
            tries.take(["address 1", "account ada"])
    for _ in range(5):
        tries.take(["address 1"])


def test_good_tries_are_given_back() -> None:
    tries = Tries(clock=Clock())
    for _ in range(50):
        tries.take(["account ada", "address 1"])
        tries.give_back(["account ada", "address 1"])


def test_the_names_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.access.tries._MOST_KEPT", 10)
    tries = Tries(clock=Clock())
    for number in range(100):
        tries.take([f"address {number}"])
    assert len(tries._tried) == 10


def test_refused_tries_are_not_kept_and_push_out_nobodys_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.access.tries._MOST_KEPT", 10)
    tries = Tries(clock=Clock())
    tries.take(["account ada"])
    for _ in range(5):
        tries.take(["address 1"])
    for number in range(100):
        with pytest.raises(RateLimited):
            tries.take([f"account {number}", "address 1"])
    assert set(tries._tried) == {"account ada", "address 1"}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("nonsense", "", True),
    ],
)
def test_of_ipv6_a_network_is_one_address(one, other, is_same) -> None:
    assert (network_of(one) == network_of(other)) is is_same


def test_failures_are_counted_since_the_last_success() -> None:
    failures = Failures()
    assert [failures.add("ada"), failures.add("ada"), failures.add("bob")] == [1, 2, 1]
    failures.forget("ada")
    assert failures.count("ada") == 0
    assert failures.count("bob") == 1
