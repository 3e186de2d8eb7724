"""What can be expected of an upstream: its breaker and its health, as seen by requests and by readiness."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest

from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable
from models.upstream import client as upstream_client
from models.upstream import model as upstream_module
from models.upstream.breaker import BreakerLimits
from models.worker.limits import ModelState
from tests.models.upstream.fake_upstream import answer, fake_upstream
from tests.models.upstream.upstreams import ask, upstream

GOOD = answer("The office opens at eight.")


def says_nothing(exchange):
    exchange.wait_closed()


def status(code: int, body: str = '{"error": {"message": "no"}}', **headers: str):
    return lambda exchange: exchange.error(code, body, **headers)


def test_the_breaker_opens_fails_at_once_tries_and_closes():
    limits = BreakerLimits(failures=3, window_s=30.0, open_s=0.3)
    with fake_upstream(GOOD, *[status(500)] * 4) as server, upstream(server.url, breaker=limits) as model:
        for _ in range(3):
            with pytest.raises(ModelUnavailable, match="answered 500"):
                ask(model)
        assert model.state is ModelState.OPEN
        with pytest.raises(ModelUnavailable, match="failed too often"):
            ask(model)
        assert len(server.seen) == 3
        time.sleep(0.35)
        with pytest.raises(ModelUnavailable, match="answered 500"):
            ask(model)
        with pytest.raises(ModelUnavailable, match="failed too often"):
            ask(model)
        time.sleep(0.35)
        assert ask(model).text
        assert model.state is ModelState.READY
        assert ask(model).text
        assert len(server.seen) == 6


def test_refusals_busyness_and_short_deadlines_do_not_open_the_breaker():
    acts = [status(400), says_nothing, status(429, Retry_After="60")] * 3
    with (
        fake_upstream(GOOD, *acts) as server,
        upstream(server.url, breaker=BreakerLimits(failures=1)) as model,
    ):
        for _ in range(3):
            for kind in (ModelRefused, ModelTimeout, ModelBusy):
                with pytest.raises(kind):
                    ask(model, timeout_s=0.2)
        assert ask(model).text


@pytest.mark.parametrize(
    ("health", "models", "state"),
    [
        (200, 200, ModelState.READY),
        (404, 200, ModelState.READY),
        (200, 404, ModelState.READY),
        (503, 200, ModelState.DOWN),
        (200, 401, ModelState.DOWN),
        (404, 404, ModelState.DOWN),
    ],
)
def test_readiness_follows_the_servers_health(health, models, state):
    with fake_upstream() as server:
        server.health, server.models = health, models
        with upstream(server.url) as model:
            assert model.state is state
            assert (model.fault is None) is (state is ModelState.READY)


def test_a_server_that_comes_and_goes_is_noticed(monkeypatch):
    monkeypatch.setattr(upstream_module, "HEALTH_S", 0.02)
    with fake_upstream() as server, upstream(server.url) as model:
        for health, state in ((503, ModelState.DOWN), (200, ModelState.READY)):
            server.health = health
            give_up = time.monotonic() + 5.0
            while model.state is not state and time.monotonic() < give_up:
                time.sleep(0.01)
            assert model.state is state


def test_a_server_that_no_longer_answers_is_left_alone_until_it_does(monkeypatch):
    monkeypatch.setattr(upstream_module, "HEALTH_S", 0.02)
    with fake_upstream() as server, upstream(server.url) as model:
        server.is_silent = True
        monkeypatch.setattr(upstream_client, "PROBE_S", 0.05)
        last = server.looks + upstream_module.AWAY_LOOKS
        wait_until(lambda: server.looks > last)
        with pytest.raises(ModelUnavailable, match="does not answer"):
            ask(model)
        assert not server.seen
        server.is_silent = False
        monkeypatch.setattr(upstream_client, "PROBE_S", 30.0)
        wait_until(lambda: is_answered(model))


def test_a_server_that_gives_text_is_asked_however_late_its_looks_are(monkeypatch):
    monkeypatch.setattr(upstream_module, "HEALTH_S", 0.0)
    looks, more, has_begun = SimpleQueue(), threading.Event(), threading.Event()
    looks.put("")

    async def look(_):
        while looks.empty():  # noqa: ASYNC110 - a queue of threads
            await asyncio.sleep(0.01)
        if late := looks.get():
            raise ModelUnavailable(late)

    def long(exchange):
        exchange.head()
        exchange.token("The office")
        more.wait(60)
        exchange.token(" opens.")
        exchange.finish("stop", 2)

    monkeypatch.setattr(upstream_client.UpstreamClient, "fault", look)
    with fake_upstream(GOOD, GOOD, long) as server, upstream(server.url) as model, ThreadPoolExecutor(1) as threads:
        looks.put("late")
        wait_until(lambda: model.fault == "late")
        assert ask(model).text
        looks.put("late after an answer")
        wait_until(lambda: model.fault == "late after an answer")
        whole = threads.submit(ask, model, timeout_s=60.0, on_text=lambda _: has_begun.set())
        try:
            assert has_begun.wait(60)
            looks.put("late in an answer")
            wait_until(lambda: model.fault == "late in an answer")
            assert ask(model).text
        finally:
            more.set()
        assert whole.result().text == "The office opens."


def test_a_server_that_says_that_it_is_well_is_there_though_it_does_not_list_its_models(monkeypatch):
    monkeypatch.setattr(upstream_module, "HEALTH_S", 0.02)
    with fake_upstream() as server, upstream(server.url) as model:
        server.lists_nothing = True
        monkeypatch.setattr(upstream_client, "PROBE_S", 0.2)
        wait_until(lambda: model.fault == "the upstream did not list its models within 0.2 s")
        assert model.state is ModelState.DOWN


def test_a_server_that_never_answers_a_look_is_asked_all_the_same(monkeypatch):
    monkeypatch.setattr(upstream_module, "HEALTH_S", 0.02)
    monkeypatch.setattr(upstream_client, "PROBE_S", 0.05)
    with fake_upstream() as server:
        server.is_silent = True
        with upstream(server.url) as model:
            wait_until(lambda: server.looks > upstream_module.AWAY_LOOKS + 1)
            assert model.state is ModelState.DOWN
            assert ask(model).text


def is_answered(model):
    try:
        return bool(ask(model).text)
    except ModelUnavailable:
        return False


def wait_until(is_so):
    give_up = time.monotonic() + 60.0
    while not is_so() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert is_so()
