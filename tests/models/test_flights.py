"""Network calls for other threads: bounded, each ends at its deadline, and closing leaves nobody waiting."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import ModelTimeout, ModelUnavailable
from models.flights import Flights
from models.ports import Cancellation, Completion, FinishReason

DONE = Completion("ok", FinishReason.STOP, (1,), 1, 0.0, 0.0)


async def companion():
    await asyncio.Event().wait()


@pytest.fixture
def flights():
    made = Flights(4, companion)
    made.start()
    yield made
    made.close()


def run(flights, call, *, timeout_s=5.0, cancellation=None):
    return flights.run(call, deadline_s=time.monotonic() + timeout_s, cancellation=cancellation or Cancellation())


async def good():
    return DONE


async def endless():
    await asyncio.Event().wait()


def test_a_call_returns_what_it_came_to_and_starting_twice_is_starting_once(flights):
    flights.start()
    assert run(flights, good) is DONE


def test_a_bug_in_a_call_reaches_its_caller_and_nobody_else(flights):
    async def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(flights, broken)
    assert run(flights, good) is DONE


def test_a_call_that_blocks_the_loop_does_not_hold_its_caller_for_ever(monkeypatch):
    monkeypatch.setattr("models.flights.GRACE_S", 0.1)
    made, go_on = Flights(4, companion), threading.Event()
    made.start()

    async def blocking():
        go_on.wait(10.0)
        return DONE

    try:
        with pytest.raises(ModelTimeout, match="did not keep the deadline"):
            run(made, blocking, timeout_s=0.1)
    finally:
        go_on.set()
        made.close()


def test_closing_ends_calls_before_their_companion():
    ended = []

    async def last():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("companion")

    async def waiting():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("call")

    made = Flights(4, last)
    made.start()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(run, made, waiting) for _ in range(3)]
        time.sleep(0.1)
        made.close()
        for call in calls:
            with pytest.raises(ModelUnavailable, match="closed"):
                call.result(5.0)
    assert ended == ["call"] * 3 + ["companion"]


def test_a_companion_that_breaks_does_not_end_the_calls():
    async def broken():
        raise ZeroDivisionError

    made = Flights(1, broken)
    made.start()
    assert run(made, good) is DONE
    made.close()


def test_a_thousand_calls_leave_no_place_taken(flights):
    def call(number):
        cancellation = Cancellation()
        if number % 3 == 0:
            cancellation.cancel()
        try:
            return run(flights, endless if number % 3 == 1 else good, timeout_s=0.005, cancellation=cancellation)
        except Exception as error:  # noqa: BLE001 - whatever it is, the place must be free again
            return error

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(1000)))
    with ThreadPoolExecutor(4) as pool:
        assert all(one is DONE for one in pool.map(lambda _: run(flights, good), range(4)))


def test_a_deadline_may_be_never(flights):
    assert run(flights, good, timeout_s=float("inf")) is DONE


def test_there_is_place_for_at_least_one():
    with pytest.raises(ValueError, match="at least one"):
        Flights(0, companion)
