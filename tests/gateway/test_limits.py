"""Admission: what a request is counted against, and deadlines."""

import time
from dataclasses import replace

import anyio
import pytest

from gateway.errors import RateLimited
from gateway.limit_settings import LimitSettings
from gateway.limits import Deadline, make_admission
from tests.building import CALLER


def admission(**limits):
    return make_admission(LimitSettings(**limits), model_places=1, model_waiting=1)


def test_a_deadline_counts_down_to_zero_and_not_below():
    deadline = Deadline.after(60.0)
    assert 59.0 < deadline.remaining_s <= 60.0
    assert deadline.at > time.monotonic()
    assert Deadline.after(-1.0).remaining_s == 0.0


def test_time_in_a_line_counts_against_the_deadline():
    assert Deadline.after(60.0, since=time.monotonic() - 50.0).remaining_s <= 10.0


def test_each_request_is_counted_until_the_rate_is_used_up():
    here, caller = admission(), replace(CALLER, requests_per_minute=3)
    states = [anyio.run(here.charge, caller, "desk").requests for _ in range(3)]
    assert [(state.limit, state.remaining) for state in states] == [(3, 2), (3, 1), (3, 0)]
    with pytest.raises(RateLimited) as stopped:
        anyio.run(here.charge, caller, "desk")
    assert stopped.value.code == "rate_limit_exceeded"
    assert 0 < stopped.value.retry_after_s <= 20


def test_an_assistant_has_a_rate_of_its_own_over_all_who_ask_it():
    here = admission(assistant_requests_per_minute=2)
    for name in ("one", "two"):
        anyio.run(here.charge, replace(CALLER, id=name), "desk")
    with pytest.raises(RateLimited, match="this assistant"):
        anyio.run(here.charge, replace(CALLER, id="three"), "desk")
    anyio.run(here.charge, replace(CALLER, id="three"), "another")
    anyio.run(here.charge, replace(CALLER, id="three"), "")


def test_an_address_is_counted_before_anything_is_looked_up():
    here = admission(address_requests_per_minute=1)
    anyio.run(here.look_up, "192.0.2.7")
    with pytest.raises(RateLimited, match="this address"):
        anyio.run(here.look_up, "192.0.2.7")
    anyio.run(here.look_up, "192.0.2.8")
