"""Where calls are counted follows from the settings, is told in readiness and counted in metrics."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import pytest
from redis import Redis

from gateway.app import create_app
from gateway.errors import SettingsInvalid
from gateway.limit_settings import LimitSettings
from gateway.limits import make_admission
from gateway.metering import rate_readings
from gateway.rate_making import open_rates
from gateway.rates import MemoryRates, Rate, RateKind
from gateway.readiness import PartState
from gateway.redis_marks import RedisMarks
from gateway.replica_settings import ReplicaSettings
from gateway.settings import DataSettings, Settings
from gateway.shared_rates import SharedRates
from gateway.telemetry import Telemetry
from tests.migrated import migrate_new
from tests.redis_server import RedisServer
from tests.serving import serving

RATE = Rate(RateKind.KEY, "a", 10)


def settings_for(folder: Path, store: str, url: str = "", *, wait_s: float = 0.05) -> Settings:
    return Settings(
        data=DataSettings(directory=str(folder), database_url=url),
        limits=LimitSettings(store=store, store_s=wait_s),
        replicas=ReplicaSettings(gateways=4),
    )


@pytest.mark.parametrize("store", ["auto", "memory"])
def test_one_gateway_on_sqlite_counts_by_itself(tmp_path: Path, store: str) -> None:
    with ExitStack() as stack:
        counting = open_rates(settings_for(tmp_path, store), stack)
    assert isinstance(counting.rates, MemoryRates)
    assert (counting.probes, counting.once) == ({}, ())


def test_sqlite_is_no_store_for_several_gateways(tmp_path: Path) -> None:
    with ExitStack() as stack, pytest.raises(SettingsInvalid, match=r"limits\.store.*PostgreSQL"):
        open_rates(settings_for(tmp_path, "database"), stack)


@pytest.mark.postgres
@pytest.mark.parametrize("store", ["auto", "database"])
def test_gateways_on_postgres_count_there(tmp_path: Path, postgres_server, store: str) -> None:
    url = postgres_server()
    migrate_new(url)
    with ExitStack() as stack:
        counting = open_rates(settings_for(tmp_path, store, url, wait_s=30.0), stack)
        (state,) = anyio.run(counting.rates.take, [RATE])
        report = counting.probes["rates"]()
        assert (state.remaining, len(counting.once)) == (9, 1)
        assert (report.state, report.reason) == (PartState.READY, "rates are counted in the database")


@pytest.mark.postgres
def test_gateways_on_postgres_may_count_each_for_itself(tmp_path: Path, postgres_server) -> None:
    with ExitStack() as stack:
        assert isinstance(open_rates(settings_for(tmp_path, "memory", postgres_server()), stack).rates, MemoryRates)


def test_a_store_that_does_not_answer_degrades_and_is_counted(tmp_path: Path) -> None:
    with ExitStack() as stack:
        counting = open_rates(settings_for(tmp_path, f"unix://{tmp_path}/nobody.sock"), stack)
    rates = counting.rates
    assert isinstance(rates, SharedRates)
    assert counting.probes["rates"]().state is PartState.READY
    (state,) = anyio.run(rates.take, [RATE])
    report = counting.probes["rates"]()
    assert (state.limit, state.remaining) == (10, 1)
    assert report.state is PartState.DEGRADED
    assert report.reason == "Redis does not answer: each gateway lets in 1 of 4 parts of each rate"
    text = Telemetry(rate_readings(rates)).text().decode()
    assert "canongate_rates_alone 1.0" in text
    assert "canongate_rate_store_failures_total 1.0" in text
    assert make_admission(LimitSettings(), model_places=1, model_waiting=1, rates=rates).rates is rates


def connections_to(server: RedisServer) -> int:
    """Counts those of others than the one who looks."""
    with Redis.from_url(server.url) as looking:
        return len(looking.client_list()) - 1


def test_connections_to_a_redis_end_with_the_gateway(make_world, redis_server: RedisServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        counting = open_rates(settings_for(tmp_path, redis_server.url, wait_s=30.0), stack)
    world = make_world(rates=counting.rates)
    components = replace(world.components, closing=counting.closing)
    with serving(create_app(components)) as (address, _):
        headers = {"authorization": f"Bearer {world.key()}"}
        asked = {"assistant": "helpdesk", "message": "I forgot my password"}
        assert httpx.post(f"{address}/v1/chat", json=asked, headers=headers, timeout=30).status_code == 200
        assert connections_to(redis_server) == 1
    assert connections_to(redis_server) == 0


def test_connections_to_a_redis_end_with_a_command_also_when_it_fails(
    make_world, redis_server: RedisServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        counting = open_rates(settings_for(tmp_path, redis_server.url, wait_s=30.0), stack)
    components = replace(make_world().components, closing=counting.closing)

    async def ask() -> None:
        async with components.on_this_loop():
            await counting.rates.take([RATE])
            assert connections_to(redis_server) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        anyio.run(ask)
    assert connections_to(redis_server) == 0


def test_a_store_that_is_no_url_is_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsInvalid, match=r"limits\.store"):
        RedisMarks("redis://host:no-port", wait_s=1.0)
