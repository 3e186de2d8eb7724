"""A store of rates that is down or slow: nothing hangs, nothing is unlimited, and it is told."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from gateway.errors import RateLimited
from gateway.rates import Rate, RateKind
from gateway.shared_rates import AGAIN_S, SharedRates
from store.errors import StoreUnavailable
from store.rate_marks import Mark, Marked

pytestmark = pytest.mark.anyio
WAIT_S = 0.05
RATE = Rate(RateKind.ADDRESS, "203.0.113.7", 10)


class Store:
    """Counts nothing, answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Mark]] = []
        self.says: Marked | Exception | None = Marked(is_taken=True, ahead_us=(1,))

    async def take(self, marks: Sequence[Mark]) -> Marked:
        self.asked.append(marks)
        if self.says is None:
            await asyncio.sleep(3600)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class Time:
    at = 100.0

    def __call__(self) -> float:
        return self.at


def rates_of(store: Store, clock: Time, *, gateways: int = 2) -> SharedRates:
    return SharedRates(store, key=b"pepper", gateways=gateways, wait_s=WAIT_S, clock=clock)


async def taken(rates: SharedRates, times: int, rate: Rate = RATE) -> int:
    count = 0
    for _ in range(times):
        try:
            await rates.take([rate])
        except RateLimited:
            continue
        count += 1
    return count


async def test_a_store_that_hangs_is_waited_for_once_and_not_by_everybody() -> None:
    store, clock = Store(), Time()
    store.says = None
    rates, began_s = rates_of(store, clock), time.monotonic()
    assert await taken(rates, 20) == 5
    assert time.monotonic() - began_s < AGAIN_S
    assert (len(store.asked), rates.is_alone, rates.failures) == (1, True, 1)


async def test_without_the_store_each_gateway_lets_its_share_in_and_no_more() -> None:
    store = Store()
    store.says = StoreUnavailable("gone")
    gateways = [rates_of(store, Time(), gateways=3) for _ in range(3)]
    assert [await taken(rates, 20) for rates in gateways] == [3, 3, 3]
    assert gateways[0].refused == {"address": 17}


async def test_a_share_of_less_than_one_call_a_minute_is_one_in_as_many_minutes() -> None:
    store = Store()
    store.says = StoreUnavailable("gone")
    rates = rates_of(store, Time(), gateways=5)
    seldom = Rate(RateKind.KEY, "a", 1)
    await rates.take([seldom])
    with pytest.raises(RateLimited) as stopped:
        await rates.take([seldom])
    assert 299 < stopped.value.retry_after_s <= 300


async def test_the_store_is_asked_again_by_one_and_then_counts_again() -> None:
    store, clock = Store(), Time()
    store.says = StoreUnavailable("gone")
    rates = rates_of(store, clock)
    await taken(rates, 3)
    clock.at += AGAIN_S
    await asyncio.gather(*(taken(rates, 1) for _ in range(10)))
    assert (len(store.asked), rates.failures) == (2, 2)
    clock.at += AGAIN_S
    store.says = Marked(is_taken=True, ahead_us=(1,))
    assert await taken(rates, 100) == 100
    assert (rates.is_alone, len(store.asked)) == (False, 102)


async def test_a_store_that_comes_and_goes_gives_no_second_share() -> None:
    store, clock = Store(), Time()
    rates = rates_of(store, clock)
    shares = []
    for _ in range(3):
        store.says = StoreUnavailable("gone")
        shares.append(await taken(rates, 10))
        clock.at += AGAIN_S
        store.says = Marked(is_taken=True, ahead_us=(1,))
        await rates.take([RATE])
    assert shares == [5, 0, 0]


async def test_the_store_learns_no_address() -> None:
    store = Store()
    rates = rates_of(store, Time())
    await rates.take([RATE])
    await rates.take([Rate(RateKind.KEY, RATE.name, 10)])
    first, second = (marks[0].name for marks in store.asked)
    assert first != second
    assert RATE.name not in first
    assert len(first) == 32


async def test_leaving_while_the_store_is_asked_is_no_failure_of_the_store() -> None:
    store = Store()
    store.says = None
    rates = SharedRates(store, key=b"pepper", gateways=2, wait_s=3600)
    asking = asyncio.create_task(rates.take([RATE]))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (rates.is_alone, rates.failures) == (False, 0)
