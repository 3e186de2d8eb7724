"""Between a gateway and what it calls, the way is cut, drips or goes silent: no half answer, no hang, nothing lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.webhooks.delivering import Route
from gateway.webhooks.events import WebhookEvent
from gateway.webhooks.sending import Receiver
from models.upstream.model import UpstreamModel
from models.upstream.target import PromptStyle
from store.types import Outcome
from tests.building import GROUNDED, RESET
from tests.faults.small_gateway import DEADLINE_S, Town
from tests.gateway.webhooks.receiver import local_receiver
from tests.gateway.webhooks.test_webhook_delivery import SECRET, came, delivering, settled, submitted
from tests.models.upstream.fake_upstream import Exchange, FakeUpstream, answer, fake_upstream
from tests.models.upstream.upstreams import upstream
from tests.slow_proxy import SlowProxy, slow_way

EXACT = "How do I reset my password?"
FALLBACK = str(RESET["reply"]["fallback"])  # type: ignore[index]


def say(exchange: Exchange) -> None:
    """Answers a prompt, and knows nothing else."""
    if "prompt" in exchange.body:
        answer(GROUNDED)(exchange)
    else:
        exchange.error(404)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Town, SlowProxy, FakeUpstream]]:
    with (
        fake_upstream(say) as server,
        slow_way(server.url) as (proxy, address),
        upstream(address, style=PromptStyle.TEXT) as model,
    ):
        town = Town(tmp_path, model=model)
        yield town, proxy, server
        town.close()


def test_a_model_behind_a_way_that_drips_says_the_same(served: tuple[Town, SlowProxy, FakeUpstream]) -> None:
    town, proxy, _ = served
    proxy.drip = 40
    reply = town.gateway.ask(EXACT)
    assert (reply.decision.outcome, reply.text) == (Outcome.ANSWERED, GROUNDED)


@pytest.mark.parametrize("break_it", ["is_silent", "refuses"])
def test_a_model_behind_a_way_that_is_gone_gives_the_approved_fallback_within_the_deadline(
    served: tuple[Town, SlowProxy, FakeUpstream], break_it: str
) -> None:
    town, proxy, _ = served
    setattr(proxy, break_it, True)
    proxy.cut()
    began_s = time.monotonic()
    reply = town.gateway.ask(EXACT)
    assert time.monotonic() - began_s < DEADLINE_S + 1.0
    assert (reply.decision.outcome, reply.text) == (Outcome.DEGRADED, FALLBACK)
    assert reply.decision.id in (town.settled() and town.kept())
    setattr(proxy, break_it, False)
    assert isinstance(town.model, UpstreamModel)
    until_s = time.monotonic() + 20
    while town.gateway.ask(EXACT).text != GROUNDED:
        assert time.monotonic() < until_s, "the model does not come back"
        time.sleep(0.2)


@pytest.mark.anyio
async def test_events_whose_way_is_cut_and_drips_all_come_in_order_and_some_may_come_twice() -> None:
    with local_receiver() as receiver, slow_way(receiver.url) as (proxy, address):
        receiving = Receiver(f"{address}/hooks", timeout_s=2.0)
        route = Route("receiver", receiving, SECRET, frozenset({WebhookEvent.CHANGE_SUBMITTED}))
        proxy.delay_s, proxy.drip = 0.005, 16
        async with delivering(route, attempts=30) as deliveries:
            for number in range(6):
                proxy.refuses = number == 3
                deliveries.tell(submitted(number))
                if number % 2:
                    proxy.cut()
            proxy.refuses = False
            await settled(route)
            got = await came(receiver, 6)
    ids = [one.headers["webhook-id"] for one in got]
    assert list(dict.fromkeys(ids)) == [f"msg_{number}" for number in range(6)]
