"""One contract for every place where calls are counted: this process, PostgreSQL, Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from gateway.database_marks import DatabaseMarks
from gateway.errors import RateLimited
from gateway.rates import MemoryRates, Rate, RateKind, RateStore
from gateway.redis_marks import RedisMarks
from gateway.shared_rates import MarkStore, SharedRates
from store.database import open_database
from store.rate_marks import Mark, RateMarks
from tests.migrated import migrate_new

pytestmark = pytest.mark.anyio
KEY, ADDRESS = RateKind.KEY, RateKind.ADDRESS
MINUTE_US = 60_000_000
PATIENT_S = 10.0
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


def shared(store: MarkStore) -> SharedRates:
    return SharedRates(store, key=b"pepper", gateways=2, wait_s=PATIENT_S)


def url_of(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "redis":
        return request.getfixturevalue("redis_server").url
    url = request.getfixturevalue("postgres_server")()
    migrate_new(url)
    return url


def connect(kind: str, url: str, stack: AsyncExitStack) -> MarkStore:
    """Makes what one gateway connects with."""
    if kind == "redis":
        redis = RedisMarks(url, wait_s=PATIENT_S)
        stack.push_async_callback(redis.close)
        return redis
    database = open_database(url)
    stack.callback(database.close)
    made = DatabaseMarks(RateMarks(database))
    stack.callback(made.close)
    return made


@pytest.fixture(params=["memory", POSTGRES, "redis"])
async def gateways(request: pytest.FixtureRequest) -> AsyncIterator[tuple[RateStore, RateStore]]:
    """What two gateways count with; in memory they are one."""
    if request.param == "memory":
        one = MemoryRates()
        yield one, one
        return
    url = url_of(request.param, request)
    async with AsyncExitStack() as stack:
        yield shared(connect(request.param, url, stack)), shared(connect(request.param, url, stack))


async def take(rates: RateStore, *asked: Rate) -> bool:
    try:
        await rates.take(asked)
    except RateLimited:
        return False
    return True


async def test_a_minutes_calls_may_come_at_once_and_no_more(gateways: tuple[RateStore, RateStore]) -> None:
    one, other = gateways
    rate = Rate(KEY, "a", 3)
    left = [(await rates.take([rate]))[0] for rates in (one, other, one)]
    assert [(state.limit, state.remaining) for state in left] == [(3, 2), (3, 1), (3, 0)]
    assert 19 < left[0].reset_s <= 20
    with pytest.raises(RateLimited) as stopped:
        await other.take([rate])
    assert 10 < stopped.value.retry_after_s <= 20
    assert (stopped.value.limit, one.refused, other.refused.get("key")) in ((3, {}, 1), (3, {"key": 1}, 1))


async def test_two_gateways_together_let_the_limit_in_and_not_one_more(gateways: tuple[RateStore, RateStore]) -> None:
    rate = Rate(KEY, "a", 40)
    asked = [take(gateways[number % 2], rate, Rate(ADDRESS, str(number % 3), 1000)) for number in range(120)]
    assert sum(await asyncio.gather(*asked)) == 40


async def test_of_several_names_none_is_counted_when_one_is_used_up(gateways: tuple[RateStore, RateStore]) -> None:
    one, other = gateways
    narrow, wide = Rate(KEY, "narrow", 1), Rate(ADDRESS, "wide", 2)
    assert await take(one, narrow)
    assert [await take(other, wide, narrow) for _ in range(3)] == [False] * 3
    assert [await take(one, wide) for _ in range(3)] == [True, True, False]


async def test_the_longest_wait_is_told_with_the_rate_that_causes_it(gateways: tuple[RateStore, RateStore]) -> None:
    slow, fast = Rate(KEY, "slow", 1), Rate(ADDRESS, "fast", 2)
    assert await take(gateways[0], slow, fast)
    assert await take(gateways[0], fast)
    with pytest.raises(RateLimited) as stopped:
        await gateways[1].take([fast, slow])
    assert stopped.value.limit == 1
    assert 50 < stopped.value.retry_after_s <= 60


async def test_one_name_does_not_use_up_the_rate_of_another(gateways: tuple[RateStore, RateStore]) -> None:
    asked = [Rate(KEY, "a", 1), Rate(KEY, "b", 1), Rate(ADDRESS, "a", 1), Rate(KEY, "a", 1)]
    assert [await take(gateways[0], rate) for rate in asked] == [True, True, True, False]


async def test_what_is_used_up_comes_back_at_its_rate(gateways: tuple[RateStore, RateStore]) -> None:
    one, other = gateways
    assert await take(one, Rate(KEY, "a", 1))
    quick = Rate(KEY, "a", 600)
    with pytest.raises(RateLimited) as stopped:
        await other.take([quick])
    assert stopped.value.retry_after_s <= 0.1
    await asyncio.sleep(stopped.value.retry_after_s + 0.01)
    assert await take(other, quick)


async def test_very_many_calls_a_minute_are_counted_too(gateways: tuple[RateStore, RateStore]) -> None:
    assert await take(gateways[0], Rate(KEY, "a", 10**9))


@pytest.mark.parametrize("kind", [POSTGRES, "redis"])
async def test_a_clock_that_was_set_back_costs_a_minute_at_most(kind: str, request: pytest.FixtureRequest) -> None:
    async with AsyncExitStack() as stack:
        store = connect(kind, url_of(kind, request), stack)
        assert (await store.take([Mark("a", 100 * MINUTE_US, 100 * MINUTE_US)])).is_taken
        near = await store.take([Mark("a", MINUTE_US, MINUTE_US)])
    assert (near.is_taken, near.ahead_us) == (False, (2 * MINUTE_US,))


@pytest.mark.postgres
def test_marks_that_are_past_are_removed_and_no_others(postgres_server) -> None:
    url = postgres_server()
    migrate_new(url)
    database = open_database(url)
    marks = RateMarks(database)
    try:
        assert marks.take([Mark("past", 1, 1), Mark("now", MINUTE_US, MINUTE_US)]).is_taken
        marks.purge()
        with database.reading() as session:
            kept = session.connection().exec_driver_sql("SELECT name FROM rate_marks").scalars().all()
        assert kept == ["now"]
    finally:
        marks.close()
        database.close()
