"""Puts together where calls are counted, for the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from gateway.credentials import load_pepper
from gateway.database_marks import DatabaseMarks
from gateway.errors import ExtraMissing, SettingsInvalid
from gateway.key_files import PEPPER
from gateway.rates import MemoryRates
from gateway.readiness import PartReport, PartState
from gateway.settings import Settings
from gateway.shared_rates import MarkStore, SharedRates
from store.database import open_database
from store.engines import parse_url
from store.rate_marks import RateMarks

if TYPE_CHECKING:
    from gateway.redis_marks import RedisMarks

PURGE_S = 60.0


@dataclass(frozen=True, slots=True)
class Counting:
    """Where calls are counted, what it says of itself, and what one of several gateways does for all."""

    rates: MemoryRates | SharedRates
    probes: Mapping[str, Callable[[], PartReport]] = field(default_factory=dict)
    once: tuple[Callable[[], Awaitable[None]], ...] = ()
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What is to be done at the end, on the event loop that counted."""


def require_rate_store(settings: Settings) -> None:
    """Raises `SettingsInvalid` when rates cannot be counted where the settings say."""
    if settings.limits.store == "database" and not _has_server(settings):
        raise SettingsInvalid(
            "limits.store: `database` needs PostgreSQL in data.database_url; one gateway needs `memory`"
        )


def look_at_rate_store(settings: Settings) -> str:
    """Returns where rates are counted, after a Redis has answered. Raises `SettingsInvalid` and `StoreUnavailable`."""
    require_rate_store(settings)
    chosen = settings.limits.store
    if chosen == "memory" or (chosen == "auto" and not _has_server(settings)):
        return "in each gateway"
    if chosen in ("auto", "database"):
        return "in the database"

    async def look() -> None:
        redis = _redis(settings)
        try:
            await redis.reach()
        finally:
            await redis.close()

    anyio.run(look)
    return "in Redis, which answers"


def _has_server(settings: Settings) -> bool:
    return parse_url(settings.database_url).get_backend_name() != "sqlite"


def open_rates(settings: Settings, stack: ExitStack) -> Counting:
    """Opens the store of the settings. Raises `SettingsInvalid` and `StoreUnavailable`."""
    require_rate_store(settings)
    chosen, is_server = settings.limits.store, _has_server(settings)
    if chosen == "memory" or (chosen == "auto" and not is_server):
        return Counting(MemoryRates())
    if chosen not in ("auto", "database"):
        redis = _redis(settings)
        return replace(_shared(settings, redis, "Redis"), closing=(redis.close,))
    database = open_database(settings.database_url)
    stack.callback(database.close)
    marks = RateMarks(database)
    store = DatabaseMarks(marks)
    stack.callback(store.close)

    async def purge() -> None:
        while True:
            await to_thread.run_sync(marks.purge)
            await anyio.sleep(PURGE_S)

    return _shared(settings, store, "the database", purge)


def _redis(settings: Settings) -> "RedisMarks":
    try:
        from gateway.redis_marks import RedisMarks  # noqa: PLC0415 - its library is an extra
    except ModuleNotFoundError as error:
        raise ExtraMissing("limits.store: a Redis needs its client", "redis") from error
    return RedisMarks(settings.limits.store, wait_s=settings.limits.store_s)


def _shared(settings: Settings, store: MarkStore, where: str, *once: Callable[[], Awaitable[None]]) -> Counting:
    rates = SharedRates(
        store,
        key=load_pepper(settings.data_directory / PEPPER),
        gateways=settings.replicas.gateways,
        wait_s=settings.limits.store_s,
    )

    def report() -> PartReport:
        if rates.is_alone:
            said = f"{where} does not answer: each gateway lets in 1 of {settings.replicas.gateways} parts of each rate"
            return PartReport(PartState.DEGRADED, said)
        return PartReport(PartState.READY, f"rates are counted in {where}")

    return Counting(rates, {"rates": report}, once)
