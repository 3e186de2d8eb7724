"""Slow and endless requests on real sockets: they end, and nobody else waits for them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn

from gateway.http.connections import Door, connections
from gateway.limit_settings import LimitSettings

pytestmark = pytest.mark.anyio

RECEIVE_S = 0.4
HEADER_BYTES = 4096
HEAD = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: "
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def count_body(scope, receive, send) -> None:
    """Answers with the size of the body, once it is whole."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    said = str(size).encode()
    head = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": said})


@contextlib.asynccontextmanager
async def served(door: Door | None = None) -> AsyncIterator[int]:
    limits = LimitSettings(receive_s=RECEIVE_S, header_bytes=HEADER_BYTES)
    made = connections(lambda: limits, door)
    config = uvicorn.Config(count_body, port=0, http=made, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 -- it has no event for that
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def drip(port: int, data: bytes, *, size: int = 1, pause_s: float = 0.02) -> bytes:
    """Sends `data` in pieces until the other side has had enough; returns what it said before it ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = bytearray()

    async def hear() -> None:
        with contextlib.suppress(ConnectionError):  # whoever sends on to a closed connection is told by a reset
            while more := await reader.read(1000):
                said.extend(more)

    hearing = asyncio.create_task(hear())
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(data), size):
            if hearing.done():
                break
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(pause_s)
    await asyncio.wait_for(hearing, 5)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return bytes(said)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"\r\n" * 500, id="blank lines"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 500, id="headers"),
        pytest.param(HEAD + b"100000\r\n\r\n" + b"x" * 1000, id="a body"),
        pytest.param(GET + b"\r\n" * 500, id="blank lines after a request"),
    ],
)
async def test_whoever_drips_is_cut_off(data):
    async with served() as port:
        said = await drip(port, data)
    assert said.count(b"HTTP/1.1 408 ") == 1
    assert said.endswith(b"The request came too slowly.\n")


async def test_headers_without_end_are_cut_off():
    async with served() as port:
        said = await drip(port, b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 1_000, size=500)
    assert said.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("sent", [b"x: " + b"y" * 5_000, b"x: y\r\n" * 700 + b"z: y"])
async def test_large_headers_are_refused_also_when_they_come_at_once(sent):
    async with served() as port:
        said = await drip(port, b"GET / HTTP/1.1\r\nhost: x\r\n" + sent + b"\r\n\r\n", size=100_000)
        fits = await drip(
            port, GET.replace(b"host", b"connection: close\r\nx: " + b"y" * 3_900 + b"\r\nhost"), size=10_000
        )
    assert said.startswith(b"HTTP/1.1 431 ")
    assert said.endswith(b"The headers are too large.\n")
    assert fits.startswith(b"HTTP/1.1 200 ")


async def test_a_large_body_that_comes_steadily_may_take_longer():
    body = b"x" * 60_000
    async with served() as port:
        # 20 pieces of 3,000 bytes within about two seconds: some 30 KiB a second, five times the time of a small one.
        head = HEAD + str(len(body)).encode() + b"\r\nconnection: close\r\n\r\n"
        said = await drip(port, head + body, size=3000, pause_s=0.1)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"60000")


async def test_one_connection_serves_many_requests():
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(5):
            writer.write(GET)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(1) == b"0"
            await asyncio.sleep(RECEIVE_S / 3)
        writer.close()
        await writer.wait_closed()


async def test_many_who_are_slow_keep_nobody_from_an_answer():
    async with served() as port:
        slow = [asyncio.create_task(drip(port, HEAD + b"9999\r\n\r\n" + b"x" * 500)) for _ in range(300)]
        await asyncio.sleep(RECEIVE_S / 4)
        said = await drip(port, GET.replace(b"host", b"connection: close\r\nhost"), size=100)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert all(b" 408 " in one for one in await asyncio.gather(*slow))


class FullDoor:
    """Turns everything away, and keeps what it was asked."""

    def __init__(self, reply: bytes | None) -> None:
        self.reply = reply
        self.asked: list[tuple[bytes, bytes]] = []

    def refusal(self, method: bytes, target: bytes, scope) -> bytes | None:
        assert scope["headers"][0] == (b"host", b"x")
        self.asked.append((method, target))
        return self.reply


NO = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno"


async def test_one_that_is_turned_away_may_ask_again_on_the_same_connection() -> None:
    door = FullDoor(NO)
    async with served(door) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(HEAD + b"6\r\n\r\nabc")
            assert await asyncio.wait_for(reader.readexactly(len(NO)), 5) == NO
            writer.write(b"def")
        door.reply = None
        writer.write(HEAD + b"6\r\n\r\nabcdef")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n6"), 5)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
    assert door.asked == [(b"POST", b"/")] * 4


async def test_one_that_is_turned_away_and_goes_on_slowly_is_cut_off() -> None:
    async with served(FullDoor(NO)) as port:
        said = await drip(port, HEAD + b"60000\r\n\r\n" + b"x" * 1000, size=len(HEAD) + 9)
    assert said.startswith(NO)
    assert b" 408 " in said


async def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    door = FullDoor(None)
    async with served(door) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"3\r\n\r\n")
        await asyncio.sleep(0.05)
        door.reply = NO
        writer.write(b"abc" + HEAD + b"2\r\n\r\nab")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n3"), 5)).startswith(b"HTTP/1.1 200 ")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("line", [b"expect: 100-continue\r\n", b"connection: close\r\n"])
async def test_what_one_write_does_not_answer_is_left_to_the_application(line: bytes) -> None:
    door = FullDoor(NO)
    async with served(door) as port:
        said = await drip(port, b"POST / HTTP/1.1\r\nhost: x\r\n" + line + b"content-length: 1\r\n\r\nx", size=200)
    assert b" 200 OK" in said
    assert door.asked == []


async def test_who_asks_for_a_websocket_gets_a_plain_reply_and_no_advice_in_the_log(caplog) -> None:
    asked = GET.replace(b"host", b"connection: upgrade\r\nupgrade: websocket\r\nhost")
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
    assert not [one for one in caplog.messages if "upgrade" in one or "pip" in one]
