"""Admission: permits, rates and deadlines, and that nothing waits for a place."""

import math
import time
from dataclasses import replace

import pytest

from gateway.errors import NotServing, RateLimited
from gateway.limits import Admission, Deadline
from tests.building import CALLER


def test_a_deadline_counts_down_to_zero_and_not_below():
    deadline = Deadline.after(60.0)
    assert 59.0 < deadline.remaining_s <= 60.0
    assert deadline.at > time.monotonic()
    assert Deadline.after(-1.0).remaining_s == 0.0


def test_permits_are_given_back_also_after_an_error():
    admission = Admission(concurrent=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="broken"), admission.permit():
            raise RuntimeError("broken")
    with admission.permit():
        pass


def test_when_all_places_are_taken_the_next_is_refused_at_once():
    admission = Admission(concurrent=2)
    with admission.permit(), admission.permit():
        with pytest.raises(NotServing) as stopped, admission.permit():
            pytest.fail("a third place was given")
        assert stopped.value.code == "queue_full"
        assert stopped.value.retry_after_s > 0
    with admission.permit(), admission.permit():
        pass


def test_a_refused_one_does_not_take_a_place():
    admission = Admission(concurrent=1)
    with admission.permit():
        for _ in range(3):
            with pytest.raises(NotServing), admission.permit():
                pytest.fail("a second place was given")
    with admission.permit():
        pass


def test_the_time_to_wait_follows_the_time_requests_take():
    admission = Admission(concurrent=1)
    for _ in range(60):
        with admission.permit():
            pass
    with admission.permit(), pytest.raises(NotServing) as stopped, admission.permit():
        pytest.fail("a second place was given")
    assert 0 <= stopped.value.retry_after_s < 0.2


def test_each_request_is_counted_until_the_rate_is_used_up():
    admission = Admission(concurrent=1)
    caller = replace(CALLER, requests_per_minute=3)
    states = [admission.charge(caller) for _ in range(3)]
    assert [(state.limit, state.remaining) for state in states] == [(3, 2), (3, 1), (3, 0)]
    assert all(0 < state.reset_s <= 60.5 for state in states)
    with pytest.raises(RateLimited) as stopped:
        admission.charge(caller)
    assert stopped.value.code == "rate_limit_exceeded"
    assert 0 < stopped.value.retry_after_s <= 60.5
    assert f"Wait {math.ceil(stopped.value.retry_after_s)} s" in stopped.value.message


def test_the_window_moves_on_request_by_request():
    now = [1000.0]
    admission = Admission(concurrent=1, clock=lambda: now[0])
    caller = replace(CALLER, requests_per_minute=2)
    assert admission.charge(caller).reset_s == 60.0
    now[0] += 40.0
    assert admission.charge(caller).reset_s == 20.0
    now[0] += 19.9
    with pytest.raises(RateLimited) as stopped:
        admission.charge(caller)
    assert stopped.value.retry_after_s == pytest.approx(0.1)
    now[0] += 0.1
    assert admission.charge(caller).remaining == 0
    now[0] += 60.0
    assert admission.charge(caller).remaining == 1


def test_one_credential_does_not_use_up_the_rate_of_another():
    admission = Admission(concurrent=1)
    one, other = (replace(CALLER, id=name, requests_per_minute=1) for name in ("one", "other"))
    admission.charge(one)
    assert admission.charge(other).remaining == 0
    with pytest.raises(RateLimited):
        admission.charge(one)
