"""Webhooks reach a real receiver: signed, in order, tried again, given up, and never more than fit."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from gateway.webhooks.delivering import JITTER, PAUSES_S, Deliveries, Route
from gateway.webhooks.events import Event, WebhookEvent
from gateway.webhooks.sending import Receiver, SendFailed, may_call
from tests.gateway.webhooks.receiver import LocalReceiver, local_receiver

pytestmark = pytest.mark.anyio
SECRET = b"k" * 32
AT = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)


def submitted(number: int, row: int | None = None) -> Event:
    return Event(
        f"msg_{number}", WebhookEvent.CHANGE_SUBMITTED, AT, {"change": f"c{number}", "state": "in_review"}, row
    )


class Pauses:
    """Sleeps for no time, and keeps for how long it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await anyio.lowlevel.checkpoint()


def route_to(receiver: LocalReceiver, *, timeout_s: float = 5.0) -> Route:
    receiving = Receiver(receiver.url, timeout_s=timeout_s)
    return Route("receiver", receiving, SECRET, frozenset({WebhookEvent.CHANGE_SUBMITTED}))


@asynccontextmanager
async def delivering(*routes: Route, attempts: int = 6, most_waiting: int = 100, pauses: Pauses | None = None):
    deliveries = Deliveries(routes, attempts=attempts, most_waiting=most_waiting, sleep=pauses or Pauses())
    async with anyio.create_task_group() as group:
        for follow in deliveries.followers():
            group.start_soon(follow)
        yield deliveries
        group.cancel_scope.cancel()


async def came(receiver: LocalReceiver, count: int):
    return await anyio.to_thread.run_sync(receiver.wait, count)


async def settled(route: Route) -> None:
    with anyio.fail_after(10):
        while route.waiting:  # noqa: ASYNC110 -- nothing tells when a queue is empty, and nothing else needs to know
            await anyio.sleep(0.01)


async def test_an_event_is_signed_by_the_standard_scheme():
    with local_receiver() as receiver:
        async with delivering(route_to(receiver)) as deliveries:
            deliveries.tell(submitted(1))
            (got,) = await came(receiver, 1)
    assert json.loads(got.body) == {
        "type": "change.submitted",
        "timestamp": "2026-11-29T09:00:00Z",
        "data": {"change": "c1", "state": "in_review"},
    }
    assert got.headers["webhook-id"] == "msg_1"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"msg_1.{got.headers['webhook-timestamp']}.".encode() + got.body
    wanted = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{wanted}"
    assert got.headers["content-type"] == "application/json"


async def test_events_come_in_order_also_when_one_is_tried_again():
    with local_receiver(lambda number: 500 if number <= 2 else 200) as receiver:
        route, pauses = route_to(receiver), Pauses()
        async with delivering(route, pauses=pauses) as deliveries:
            for number in range(1, 4):
                deliveries.tell(submitted(number))
            got = await came(receiver, 5)
            await settled(route)
    assert [one.headers["webhook-id"] for one in got] == ["msg_1", "msg_1", "msg_1", "msg_2", "msg_3"]
    for asked, wanted in zip(pauses.asked, PAUSES_S, strict=False):
        assert wanted * (1 - JITTER) <= asked <= wanted * (1 + JITTER)
    assert len(pauses.asked) == 2


async def test_a_receiver_that_is_too_slow_is_asked_again():
    is_over = threading.Event()

    def answer(number: int) -> int:
        if number == 1:
            is_over.wait(10)
        return 200

    with local_receiver(answer) as receiver:
        route = route_to(receiver, timeout_s=0.2)
        async with delivering(route) as deliveries:
            deliveries.tell(submitted(1))
            got = await came(receiver, 2)
            await settled(route)
        is_over.set()
    assert [one.headers["webhook-id"] for one in got] == ["msg_1", "msg_1"]


async def test_what_nobody_takes_is_given_up_with_a_line_in_the_log_and_the_next_is_told(caplog):
    with local_receiver(lambda number: 500 if number <= 3 else 200) as receiver:
        route = route_to(receiver)
        async with delivering(route, attempts=3) as deliveries:
            deliveries.tell(submitted(1))
            deliveries.tell(submitted(2))
            got = await came(receiver, 4)
            await settled(route)
    assert [one.headers["webhook-id"] for one in got] == ["msg_1"] * 3 + ["msg_2"]
    assert not route.has_given_up, "it took one since"
    (line,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert line.startswith("webhook_given_up: change.submitted msg_1 to receiver, status 500, ")
    assert "'change': 'c1'" in line


async def test_a_receiver_that_is_gone_is_not_asked_again(caplog):
    with local_receiver(lambda _: 410) as receiver:
        route = route_to(receiver)
        async with delivering(route) as deliveries:
            deliveries.tell(submitted(1))
            await came(receiver, 1)
            await settled(route)
        assert len(receiver.got) == 1
        assert route.has_given_up
    assert "status 410" in caplog.text


async def test_a_redirect_is_not_followed():
    with local_receiver() as other, local_receiver(lambda _: 302, location=other.url) as receiver:
        route = route_to(receiver)
        async with delivering(route, attempts=2) as deliveries:
            deliveries.tell(submitted(1))
            await came(receiver, 2)
            await settled(route)
        assert other.got == []


async def test_a_queue_is_bounded_and_says_what_it_drops(caplog):
    with local_receiver() as receiver:
        route = route_to(receiver)
        deliveries = Deliveries([route], attempts=1, most_waiting=3)
        for number in range(5):
            deliveries.tell(submitted(number))
        assert [event.id for event in route.waiting] == ["msg_0", "msg_1", "msg_2"]
        assert (route.dropped, deliveries.is_full(route.kinds)) == (2, True)
    assert caplog.text.count("webhook_dropped") == 2


async def test_a_slow_receiver_holds_no_other_back():
    is_over = threading.Event()

    def never(_: int) -> int:
        is_over.wait(10)
        return 200

    with local_receiver(never) as slow, local_receiver() as quick:
        async with delivering(route_to(slow), route_to(quick)) as deliveries:
            for number in range(3):
                deliveries.tell(submitted(number))
            assert len(await came(quick, 3)) == 3
            assert len(slow.got) == 1
        is_over.set()


async def test_only_the_wanted_kinds_are_told():
    with local_receiver() as receiver:
        async with delivering(route_to(receiver)) as deliveries:
            deliveries.tell(Event("msg_other", WebhookEvent.CHANGE_APPROVED, AT, {}))
            deliveries.tell(submitted(1))
            got = await came(receiver, 1)
    assert [one.headers["webhook-id"] for one in got] == ["msg_1"]


async def test_nobody_there_is_a_failure_and_no_more():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        receiver = Receiver(f"http://127.0.0.1:{taken.getsockname()[1]}/", timeout_s=2.0)
        with pytest.raises(SendFailed):
            await receiver.post(b"{}", {})


@pytest.mark.parametrize(
    ("host", "address", "is_allowed"),
    [
        ("hooks.tarnwick.example", "93.184.216.34", True),
        ("hooks.tarnwick.example", "2606:2800:220:1::1", True),
        ("hooks.tarnwick.example", "127.0.0.1", False),
        ("hooks.tarnwick.example", "10.0.0.7", False),
        ("hooks.tarnwick.example", "169.254.169.254", False),
        ("hooks.tarnwick.example", "100.64.0.1", False),
        ("hooks.tarnwick.example", "::1", False),
        ("hooks.tarnwick.example", "fe80::1%eth0", False),
        ("hooks.tarnwick.example", "fd00::7", False),
        ("hooks.tarnwick.example", "::ffff:10.0.0.7", False),
        ("hooks.tarnwick.example", "::ffff:93.184.216.34", True),
        ("hooks.tarnwick.example", "64:ff9b::a00:7", False),
        ("hooks.tarnwick.example", "2002:a00:7::1", False),
        ("hooks.tarnwick.example", "224.0.1.1", False),
        ("hooks.tarnwick.example", "0.0.0.0", False),  # noqa: S104 -- an address to refuse
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.8", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "10.0.0.7", False),
        ("::1", "::1", True),
    ],
)
def test_a_name_leads_to_public_addresses_alone(host, address, is_allowed):
    assert may_call(host, address) is is_allowed


async def test_a_name_that_leads_here_is_not_called(monkeypatch):
    async def leads_here(*_: object, **__: object):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(anyio, "getaddrinfo", leads_here)
    with local_receiver() as receiver:
        sent = Receiver(f"http://hooks.tarnwick.example:{receiver.port}/", timeout_s=2.0)
        with pytest.raises(SendFailed, match="not public"):
            await sent.post(b"{}", {})
        assert receiver.got == []


async def test_where_nobody_is_at_one_address_of_a_name_the_next_is_tried(monkeypatch):
    async def both(_, port, **__):
        return [(0, 0, 0, "", (address, port)) for address in ("::1", "127.0.0.1")]

    monkeypatch.setattr(anyio, "getaddrinfo", both)
    with local_receiver() as receiver:
        assert await Receiver(f"http://localhost:{receiver.port}/", timeout_s=30.0).post(b"{}", {}) == 204
    assert len(receiver.got) == 1
