"""While one message is in a rail that computes, everybody else is served."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rails.definition import RailDefinition, RailParams, probes_of
from rails.engine import RailsPolicy, compile_policy
from rails.nemo import RailOutcome, verdict
from rails.policy import PolicyDocument
from rails.registry import SHIPPED_RAILS
from rails.runner import RailLimits, RailRunner
from rails.types import Stage
from tests.world import World

pytestmark = pytest.mark.anyio

COMPUTES_S = 0.4
LATE_S = 0.1
"""The machine may be busy with something else; a loop that waits for the rail is late by four times that."""
computing: list[bool] = []


class ComputingParams(RailParams, frozen=True, kw_only=True, tag="computing"):
    """Computes in Python, without a pause, once its probes are through."""


async def compute(text: str, params: ComputingParams) -> RailOutcome:  # noqa: ARG001 - every check takes its parameters
    until = time.monotonic() + COMPUTES_S
    while computing and time.monotonic() < until:
        sum(range(100))
    return verdict("computing.bad" if "bad" in text else None)


COMPUTING = RailDefinition(
    name="computing",
    stages=frozenset(Stage),
    params=ComputingParams,
    check=compute,
    probes=lambda _: probes_of(blocked=["bad"], passed=["good"]),
)


@pytest.fixture(autouse=True)
def _stop_computing() -> Iterator[None]:
    yield
    computing.clear()


def policy(rail_s: float) -> RailsPolicy:
    document = PolicyDocument(
        name="helpdesk",
        input=(ComputingParams(),),
        output=(SHIPPED_RAILS["secrets"].params(),),
        refusals={"en": {"default": "No."}},
    )
    runner = RailRunner(RailLimits(rail_s=rail_s, stage_s=4.0))
    compiled = compile_policy(document, 5, definitions={**SHIPPED_RAILS, "computing": COMPUTING}, runner=runner)
    computing.append(True)
    return compiled


def world_with(rail_s: float) -> World:
    with ThreadPoolExecutor(1) as beside:
        world = beside.submit(lambda: World(policy(rail_s))).result()
    assert world.app is not None, "it is made before the loop is watched"
    return world


async def ask(world: World) -> int:
    async with world.client(world.key()) as client:
        response = await client.post("/v1/chat", json={"assistant": "helpdesk", "message": "I forgot my password"})
        return response.status_code


async def latencies(world: World, asked: "asyncio.Task[int]") -> list[float]:
    taken = []
    async with world.client() as client:
        while not asked.done():
            started = time.monotonic()
            assert (await client.get("/livez")).status_code == 200
            taken.append(time.monotonic() - started)
            await asyncio.sleep(0.005)
    return taken


@pytest.mark.parametrize(("rail_s", "status"), [(2.0, 200), (0.1, 503)], ids=["in time", "late"])
async def test_others_are_served_while_a_rail_computes(rail_s: float, status: int) -> None:
    world = world_with(rail_s)
    asked = asyncio.create_task(ask(world))
    taken = await latencies(world, asked)
    assert await asked == status
    assert len(taken) > 3, "nobody was served meanwhile"
    assert statistics.median(taken) < LATE_S
    assert max(taken) < COMPUTES_S


async def test_the_loop_turns_while_a_rail_computes() -> None:
    world = world_with(2.0)
    asked = asyncio.create_task(ask(world))
    lags = []
    while not asked.done():
        started = time.monotonic()
        await asyncio.sleep(0)
        lags.append(time.monotonic() - started)
    assert await asked == 200
    assert max(lags) < COMPUTES_S / 2
