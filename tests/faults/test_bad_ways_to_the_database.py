"""Between a gateway and its PostgreSQL all may be slow, cut or silent: nobody waits for ever, nothing is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import NotServing
from gateway.readiness import PartState
from store import engines as module
from store.catalog import live_revision
from store.database import open_database
from store.errors import StoreError, StoreUnavailable
from store.types import Outcome
from tests.building import GROUNDED
from tests.faults.small_gateway import Clock, Office, Town
from tests.faults.ways import way_to
from tests.postgres import PostgresServer
from tests.slow_proxy import SlowProxy

pytestmark = pytest.mark.postgres
EXACT = "How do I reset my password?"
BOUND_S = 1.5
"""Longest wait for the database in these tests."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STATEMENT_S", 1)
    monkeypatch.setattr(module, "WAIT_S", 1)
    monkeypatch.setattr(module, "_BEYOND_S", BOUND_S - 1)
    monkeypatch.setitem(module._CONNECTING, "connect_timeout", 2)


@pytest.fixture
def town(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[tuple[Town, SlowProxy]]:
    url = postgres_server()
    with way_to(url) as (proxy, way):
        made = Town(tmp_path, url=url, way=way, within_s=0.5)
        yield made, proxy
        proxy.is_silent = False
        made.close()


def test_a_slow_way_is_slow_and_everything_is_answered_and_kept(town: tuple[Town, SlowProxy]) -> None:
    made, proxy = town
    proxy.delay_s, proxy.drip = 0.005, 200
    reply = made.gateway.ask(EXACT)
    assert (reply.decision.outcome, reply.text) == (Outcome.ANSWERED, GROUNDED)
    assert made.settled()
    assert reply.decision.id in made.kept()


def test_a_database_that_stands_still_ends_in_an_error_within_its_time_and_serves_again(
    town: tuple[Town, SlowProxy],
) -> None:
    made, proxy = town
    proxy.is_silent = True
    began_s = time.monotonic()
    with pytest.raises(NotServing, match="cannot be recorded"):
        made.gateway.ask(EXACT)
    with pytest.raises(StoreUnavailable):
        live_revision(made.gateway.database)
    parts = made.gateway.readiness.report().parts
    assert {part.state for part in parts.values()} == {PartState.NOT_READY}
    assert time.monotonic() - began_s < 15 * BOUND_S
    proxy.is_silent = False
    proxy.cut()
    assert _in_time(lambda: made.gateway.readiness.report().is_ready)
    kept_before = len(made.kept())
    reply = made.gateway.ask(EXACT)
    assert made.settled()
    assert reply.decision.id in made.kept()
    assert len(made.kept()) >= kept_before + 1


def test_nobody_is_answered_by_a_gateway_whose_database_stands_still_for_longer_than_the_bound(
    town: tuple[Town, SlowProxy],
) -> None:
    made, proxy = town
    proxy.is_silent = True
    made.clock.now += 11.0
    made.gateway.look()
    with pytest.raises(NotServing, match="still approved"):
        made.gateway.ask(EXACT)
    assert made.asked_of_model() == []


def test_whatever_is_cut_while_something_is_published_no_acknowledged_publish_is_lost(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server()
    made = Town(tmp_path, url=url)
    is_over = threading.Event()
    with way_to(url) as (proxy, way):
        office = Office(way, Clock())
        cutter = threading.Thread(target=_cut_again_and_again, args=(proxy, is_over))
        cutter.start()
        acknowledged: dict[int, str] = {}
        failures = 0
        try:
            until_s = time.monotonic() + 20
            number = 0
            while (len(acknowledged) < 5 or failures < 5) and time.monotonic() < until_s:
                number += 1
                said = f"Explain how to reset a forgotten password, cut {number}."
                try:
                    change = office.publish(said)
                except StoreError:
                    failures += 1
                else:
                    acknowledged[change.published_revision or 0] = said
        finally:
            is_over.set()
            cutter.join()
            office.database.close()
    assert len(acknowledged) >= 5
    assert failures >= 5
    revision, said = made.published()
    assert len(acknowledged) <= revision - 1 <= len(acknowledged) + failures
    if revision in acknowledged:
        assert acknowledged[revision] == said
    made.start()
    assert made.gateway.live.current.catalog.revision == revision
    made.close()


class Load:
    """Asks and publishes without end, and keeps what it was told."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._is_over = threading.Event()
        self.told: list[str] = []
        self.published: list[int] = []

    def ask(self) -> None:
        while not self._is_over.is_set():
            try:
                self.told.append(self._town.gateway.ask(EXACT).decision.id)
            except NotServing:
                time.sleep(0.02)

    def publish(self) -> None:
        while not self._is_over.is_set():
            try:
                change = self._town.office.publish(f"Explain how to reset a password, {time.monotonic()}.")
            except StoreError:
                time.sleep(0.02)
            else:
                self.published.append(change.published_revision or 0)

    @contextmanager
    def running(self) -> Iterator[None]:
        workers = [threading.Thread(target=one) for one in (self.ask, self.publish)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            self._is_over.set()
            for worker in workers:
                worker.join()


def test_a_server_that_crashes_under_load_loses_no_answer_that_was_given(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    made = Town(tmp_path, url=postgres_server())
    load = Load(made)
    with load.running():
        for _ in range(2):
            answered, done = len(load.told), len(load.published)
            assert _in_time(lambda before=answered: len(load.told) > before + 3)
            assert _in_time(lambda before=done: len(load.published) > before)
            postgres_server.crash()
            time.sleep(0.3)
            postgres_server.start()
            assert _in_time(lambda: made.gateway.readiness.report().parts["database"].state is PartState.READY)
    assert made.settled()
    assert set(load.told) <= set(made.kept())
    assert load.published == sorted(set(load.published))
    assert made.published()[0] >= load.published[-1]
    made.close()


def test_a_new_connection_that_nobody_answers_is_given_up(postgres_server: PostgresServer) -> None:
    with way_to(postgres_server()) as (proxy, way):
        proxy.is_silent = True
        began_s = time.monotonic()
        with pytest.raises(StoreUnavailable):
            open_database(way)
        assert time.monotonic() - began_s < 15


def _cut_again_and_again(proxy: SlowProxy, is_over: threading.Event) -> None:
    pause_s = 0.02
    while not is_over.wait(pause_s):
        proxy.cut()
        pause_s = 0.02 if pause_s > 0.6 else pause_s * 1.7


def _in_time(condition, at_most_s: float = 20.0) -> bool:
    until_s = time.monotonic() + at_most_s
    while time.monotonic() < until_s:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
