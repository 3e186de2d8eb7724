"""Gateways that share a store let a key's rate in together, and with that store gone each its part and no more."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from gateway.database_marks import DatabaseMarks
from gateway.limit_settings import LimitSettings
from gateway.redis_marks import RedisMarks
from gateway.shared_rates import AGAIN_S, MarkStore, SharedRates
from store.database import open_database
from store.rate_marks import RateMarks
from tests.migrated import migrate_new
from tests.redis_server import RedisServer
from tests.world import PEPPER, World

pytestmark = pytest.mark.anyio
LIMITS = LimitSettings(requests_per_minute=12, concurrent=64)
"""With a place for everybody, so that a busy machine refuses nobody."""
QUESTION = {"assistant": "helpdesk", "message": "I forgot my password"}


def shared(store: MarkStore, *, wait_s: float = 10.0) -> SharedRates:
    return SharedRates(store, key=PEPPER, gateways=2, wait_s=wait_s)


async def ask(world: World, token: str, times: int) -> Counter[int]:
    async with world.client(token) as client:
        replies = await asyncio.gather(*(client.post("/v1/chat", json=QUESTION) for _ in range(times)))
    assert all(int(one.headers["retry-after"]) >= 1 for one in replies if one.status_code == 429)
    return Counter(one.status_code for one in replies)


def one_key(worlds: list[World]) -> str:
    token = worlds[0].key()
    for other in worlds[1:]:
        other.keys.records.update(worlds[0].keys.records)
    return token


@pytest.mark.parametrize("kind", [pytest.param("postgres", marks=pytest.mark.postgres), "redis"])
async def test_two_gateways_on_one_key_let_exactly_its_limit_in(
    make_world, request: pytest.FixtureRequest, kind: str
) -> None:
    async with AsyncExitStack() as stack:
        stores: list[MarkStore] = []
        if kind == "redis":
            url = request.getfixturevalue("redis_server").url
            for _ in range(2):
                redis = RedisMarks(url, wait_s=10.0)
                stack.push_async_callback(redis.close)
                stores.append(redis)
        else:
            url = request.getfixturevalue("postgres_server")()
            migrate_new(url)
            for _ in range(2):
                database = open_database(url)
                stack.callback(database.close)
                marks = DatabaseMarks(RateMarks(database))
                stack.callback(marks.close)
                stores.append(marks)
        worlds = [make_world(limits=LIMITS, rates=shared(store)) for store in stores]
        token = one_key(worlds)
        counts = await asyncio.gather(*(ask(world, token, 15) for world in worlds))
    assert counts[0] + counts[1] == {200: 12, 429: 18}


@pytest.mark.parametrize("how", ["killed", "held up"])
async def test_with_a_redis_that_is_gone_each_gateway_lets_its_part_in_at_once(
    make_world, redis_server: RedisServer, how: str
) -> None:
    async with AsyncExitStack() as stack:
        redis = RedisMarks(redis_server.url, wait_s=0.05)
        stack.push_async_callback(redis.close)
        rates = shared(redis, wait_s=0.05)
        world = make_world(limits=LIMITS, rates=rates)
        token = world.key()
        if how == "killed":
            redis_server.kill()
        else:
            redis_server.hold_up()
        began_s = time.monotonic()
        assert await ask(world, token, 15) == {200: 6, 429: 9}
        assert time.monotonic() - began_s < 5  # a hang would last for ever: the server answers nothing
        assert rates.is_alone
        if how == "killed":
            redis_server.start()
        else:
            redis_server.go_on()
        await asyncio.sleep(AGAIN_S)
        while rates.is_alone:
            await ask(world, token, 1)
            await asyncio.sleep(AGAIN_S / 4)
        assert 429 in await ask(world, token, 15)


@pytest.mark.postgres
async def test_with_a_database_that_is_locked_each_gateway_lets_its_part_in_at_once(
    make_world, postgres_server
) -> None:
    url = postgres_server()
    migrate_new(url)
    database = open_database(url)
    marks = DatabaseMarks(RateMarks(database))
    rates = shared(marks, wait_s=0.05)
    world = make_world(limits=LIMITS, rates=rates)
    try:
        with database.writing() as session:
            session.connection().exec_driver_sql("LOCK TABLE rate_marks IN ACCESS EXCLUSIVE MODE")
            assert await ask(world, world.key(), 15) == {200: 6, 429: 9}
            assert rates.is_alone
        while rates.is_alone:
            await asyncio.sleep(AGAIN_S / 4)
            await ask(world, world.key(), 1)
    finally:
        marks.close()
        database.close()
