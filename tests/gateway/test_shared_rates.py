"""A store of rates that is down or slow: nothing hangs, nothing is unlimited, and it is told."""

import asyncio
import random
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
    assert time.monotonic() - began_s < 10  # a hang would last for ever
    assert (len(store.asked), rates.is_alone, rates.failures) == (2, True, 2)


async def test_one_late_answer_is_not_a_store_that_is_lost() -> None:
    store, clock = Store(), Time()
    rates = rates_of(store, clock)
    for _ in range(3):
        store.says = None
        await asyncio.gather(*(taken(rates, 1) for _ in range(2)))
        store.says = Marked(is_taken=True, ahead_us=(1,))
        clock.at += 0.1
        await taken(rates, 1)
    assert (rates.is_alone, rates.failures) == (False, 6)


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
    assert (rates.is_alone, len(store.asked)) == (False, 103)  # one told what was let in without it


class CountingStore:
    """Counts as the real ones do, by the test's clock."""

    def __init__(self, clock: Time) -> None:
        self.clock = clock
        self.is_away = False
        self.full_at: dict[str, float] = {}

    async def take(self, marks: Sequence[Mark]) -> Marked:
        if self.is_away:
            raise StoreUnavailable("gone")
        now = self.clock.at * 1e6
        aheads = [
            round(min(max(self.full_at.get(mark.name, now) - now, 0), mark.room_us) + mark.step_us) for mark in marks
        ]
        is_taken = all(ahead <= mark.room_us for ahead, mark in zip(aheads, marks, strict=True))
        if is_taken:
            self.full_at |= {mark.name: now + ahead for ahead, mark in zip(aheads, marks, strict=True)}
        return Marked(is_taken, tuple(aheads))


TWENTY = Rate(RateKind.KEY, "intranet", 20)


async def test_a_gateway_goes_on_from_what_the_store_said_last_and_tells_it_what_it_let_in() -> None:
    clock = Time()
    store = CountingStore(clock)
    rates = SharedRates(store, key=b"pepper", gateways=2, wait_s=WAIT_S, clock=clock)
    counts = [await taken(rates, 18, TWENTY)]
    store.is_away = True
    counts.append(await taken(rates, 14, TWENTY))
    clock.at += 6.0  # one more for the gateway alone
    counts.append(await taken(rates, 14, TWENTY))
    store.is_away = False
    clock.at += 3.0
    counts.append(await taken(rates, 10, TWENTY))
    assert counts == [18, 1, 1, 3]  # of 20 and three in nine seconds
    assert not rates.is_alone


async def test_a_store_that_comes_and_goes_gives_no_second_share() -> None:
    clock = Time()
    store = CountingStore(clock)
    rates = SharedRates(store, key=b"pepper", gateways=2, wait_s=WAIT_S, clock=clock)
    shares = []
    for _ in range(3):
        store.is_away = True
        shares.append(await taken(rates, 20, TWENTY))
        store.is_away = False
        clock.at += AGAIN_S
        shares.append(await taken(rates, 20, TWENTY))
    assert shares == [10, 10, 0, 0, 0, 0]


@pytest.mark.parametrize("seed", range(20))
async def test_gateways_let_in_what_the_page_says_and_no_more(seed: int) -> None:
    """A rate's burst and its refill, and for each loss the parts of the gateways that had not seen the name."""
    chance, clock = random.Random(seed), Time()  # noqa: S311 -- not for secrets
    gateways = chance.randint(2, 4)
    store = CountingStore(clock)
    all_of_them = [
        SharedRates(store, key=b"pepper", gateways=gateways, wait_s=WAIT_S, clock=clock) for _ in range(gateways)
    ]
    came: list[float] = []
    lost: list[float] = []
    for _ in range(400):
        clock.at += chance.choice((0.0, 0.1, 1.0, 5.0))
        if chance.random() < 0.05:
            store.is_away = not store.is_away
            lost += [clock.at] * store.is_away
        times = chance.randint(1, 6)
        came += [clock.at] * await taken(chance.choice(all_of_them), times, TWENTY)
    for first in range(len(came)):
        for last in range(first, len(came)):
            losses = sum(came[first] - 120 <= at <= came[last] for at in lost)
            bound = 20 + (came[last] - came[first]) / 3 + losses * 20 * (gateways - 1) / gateways
            assert last - first + 1 <= bound + 1e-6


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
