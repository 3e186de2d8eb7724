"""Liveness is about the process, readiness about whether to send requests here."""

import threading

import pytest

from gateway.http import health
from gateway.readiness import PartReport, PartState

pytestmark = pytest.mark.anyio


async def get(world, path):
    async with world.client() as client:
        return await client.get(path)


async def test_a_ready_gateway_lists_its_parts(world):
    response = await get(world, "/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "degraded": False,
        "parts": {"model": {"state": "ready", "reason": ""}, "store": {"state": "ready", "reason": ""}},
    }


async def test_a_gateway_without_its_model_is_degraded_and_still_ready(world):
    world.parts["model"] = PartReport(PartState.DEGRADED, "worker restarts")
    response = await get(world, "/readyz")
    assert response.status_code == 200
    assert response.json()["degraded"] is True
    assert response.json()["parts"]["model"] == {"state": "degraded", "reason": "worker restarts"}


async def test_a_broken_part_makes_it_not_ready_and_leaves_it_alive(world):
    world.parts["store"] = PartReport(PartState.NOT_READY, "database is locked")
    response = await get(world, "/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "not_ready"
    assert (await get(world, "/livez")).status_code == 200


async def test_draining_makes_it_not_ready(world):
    world.readiness.drain()
    response = await get(world, "/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["gateway"]["reason"] == "shutting down"


async def test_a_probe_that_hangs_is_not_ready(world, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(health, "PROBE_S", 0.05)
    world.readiness._probes = {"store": lambda: release.wait(5) and PartReport(PartState.READY)}
    try:
        response = await get(world, "/readyz")
    finally:
        release.set()
    assert response.status_code == 503
    assert response.json()["parts"]["probes"]["state"] == "not_ready"
