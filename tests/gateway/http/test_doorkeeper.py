"""What is turned away at the door hears what it would have heard further in, and counts the same."""

import asyncio
import json

import pytest

from gateway.http.access import ROUTE_SCOPES
from gateway.http.doorkeeper import QUESTIONS, Doorkeeper
from gateway.http.widget.calls import CHAT
from gateway.limit_settings import LimitSettings
from gateway.pressure import Stage
from tests.gateway.http.test_permits import Caller
from tests.world import World

pytestmark = pytest.mark.anyio


def scope(*headers: tuple[bytes, bytes]) -> dict[str, object]:
    return {"type": "http", "headers": list(headers), "state": {}}


def door_of(world: World) -> Doorkeeper:
    return Doorkeeper(world.admission.lines.chat, world.telemetry)


def test_only_addresses_that_take_questions_are_watched() -> None:
    assert QUESTIONS.issubset({*ROUTE_SCOPES, CHAT})


async def test_the_reply_is_that_of_the_application(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=0))
    door = door_of(world)
    assert door.refusal(b"POST", b"/v1/chat", scope()) is None
    with world.admission.lines.chat.place_now():
        further_in = Caller(world)
        assert await further_in.done() == 503
        told = door.refusal(b"POST", b"/v1/chat?x=y", scope((b"x-request-id", b"abc")))
    head, _, body = told.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    theirs = {name.decode(): value.decode() for name, value in further_in.sent[0]["headers"]}
    assert first == "HTTP/1.1 503 Service Unavailable"
    assert headers.keys() == theirs.keys()
    assert headers["x-request-id"] == "abc"
    assert int(headers["retry-after"]) >= 1
    assert int(headers["content-length"]) == len(body)
    assert json.loads(body)["error"]["code"] == further_in.code == "queue_full"
    assert b'route="/v1/chat",status="503"} 1.0' in world.telemetry.text()
    assert world.admission.lines.chat.refused == 2


async def test_a_line_that_stands_turns_away_as_overloaded(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=8, queue_target_s=0.001))
    line = world.admission.lines.chat
    while line.pressure.stage is Stage.CALM:
        line.pressure.waited(1.0)
        await asyncio.sleep(0.01)
    with line.place_now():
        told = door_of(world).refusal(b"POST", b"/v1/chat", scope())
    assert json.loads(told.partition(b"\r\n\r\n")[2])["error"]["code"] == "overloaded"


@pytest.mark.parametrize(
    ("method", "target"),
    [(b"GET", b"/v1/chat"), (b"POST", b"/v1/chat/"), (b"POST", b"/v1/admin/keys"), (b"GET", b"/livez")],
)
async def test_everything_else_goes_on(make_world, method: bytes, target: bytes) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=0))
    with world.admission.lines.chat.place_now():
        assert door_of(world).refusal(method, target, scope()) is None
