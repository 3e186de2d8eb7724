"""A reply behind a server that adds its own request id has that one, and no second one that says the same."""

import pytest

from gateway.http.one_request_id import OneRequestId

pytestmark = pytest.mark.anyio


async def replied(came, told):
    """The headers of a reply whose application tells the id `told`, to a request that came with `came`."""
    sent = []

    async def application(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", told), (b"a", came)]})
        await send({"type": "http.response.body", "body": b"said"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"host", b"x"), (b"x-request-id", came)]}
    await OneRequestId(application)(scope, None, send)
    assert sent[1]["body"] == b"said"
    return sent[0]["headers"]


async def test_the_id_that_came_is_left_to_the_server():
    assert await replied(b"one", b"one") == [(b"a", b"one")]


async def test_an_id_of_the_gateways_own_stays():
    assert await replied(b"not taken", b"made") == [(b"x-request-id", b"made"), (b"a", b"not taken")]
