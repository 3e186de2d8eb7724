"""What can be expected of an upstream: its breaker and its health, as seen by requests and by readiness."""

import time

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
        asked_until(model, is_there=False)
        before = len(server.seen)
        with pytest.raises(ModelUnavailable, match="does not answer"):
            ask(model)
        assert len(server.seen) == before
        server.is_silent = False
        monkeypatch.setattr(upstream_client, "PROBE_S", 30.0)
        asked_until(model, is_there=True)


def test_a_server_that_never_answers_a_look_is_asked_all_the_same(monkeypatch):
    monkeypatch.setattr(upstream_module, "HEALTH_S", 0.02)
    monkeypatch.setattr(upstream_client, "PROBE_S", 0.05)
    with fake_upstream() as server:
        server.is_silent = True
        with upstream(server.url) as model:
            give_up = time.monotonic() + 30.0
            while server.looks <= upstream_module.AWAY_LOOKS + 1 and time.monotonic() < give_up:
                time.sleep(0.01)
            assert model.state is ModelState.DOWN
            assert ask(model).text


def asked_until(model, *, is_there):
    give_up = time.monotonic() + 30.0
    while time.monotonic() < give_up:
        try:
            found = bool(ask(model).text)
        except ModelUnavailable:
            found = False
        if found is is_there:
            return
        time.sleep(0.01)
    pytest.fail(f"it never was {'there' if is_there else 'away'}")
