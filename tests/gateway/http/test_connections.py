"""Slow and endless requests, and slow readers, on real sockets: they end, and nobody else waits for them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from gateway.http.connections import Door, connections, cut_off_stalled
from gateway.limit_settings import LimitSettings

pytestmark = pytest.mark.anyio

RECEIVE_S = 0.4
SEND_S = 0.5
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
async def served(door: Door | None = None, app=count_body, open_now: list | None = None) -> AsyncIterator[int]:
    """Serves the application; `open_now` is given what holds the connections."""
    limits = LimitSettings(receive_s=RECEIVE_S, header_bytes=HEADER_BYTES)
    made = connections(lambda: limits, door)
    config = uvicorn.Config(app, port=0, http=made, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    cutting = asyncio.create_task(cut_off_stalled(lambda: server.server_state.connections, lambda: SEND_S))
    while not server.started:  # noqa: ASYNC110 -- it has no event for that
        await asyncio.sleep(0.01)
    if open_now is not None:
        open_now.append(server.server_state.connections)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving
    cutting.cancel()


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
    assert b"\r\nx-request-id: " in said
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
    assert b"\r\nx-request-id: " in said
    assert said.endswith(b"The headers are too large.\n")
    assert fits.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("size", [500, 100_000])
async def test_an_address_that_is_too_long_is_told_so_whether_it_drips_or_comes_at_once(size: int) -> None:
    async with served() as port:
        said = await drip(port, b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", size=size)
    assert said.startswith(b"HTTP/1.1 414 ")
    assert b"\r\nx-request-id: " in said
    assert said.endswith(b"The address is too long.\n")


async def test_garbage_is_told_so_with_an_id() -> None:
    async with served() as port:
        said = await drip(port, b"\x16\x03\x01 is no request\r\n\r\n", size=100)
    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nx-request-id: " in said
    assert said.endswith(b"This is no HTTP request.\n")


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


LARGE = b"x" * 8_000_000


async def tell_much(_scope, _receive, send) -> None:
    """Answers with more than kernels hold for a client."""
    head = [(b"content-length", str(len(LARGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": LARGE})


async def tell_twice(_scope, _receive, send) -> None:
    """A stream that has nothing to say for a long while."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await asyncio.sleep(4 * SEND_S)
    await send({"type": "http.response.body", "body": b"two"})


def narrow(port: int) -> socket.socket:
    """Connects with so little room that the other side's kernel must hold what it sends."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.connect(("127.0.0.1", port))
    made.settimeout(0)
    return made


async def emptied(connections_now: set) -> None:
    async with asyncio.timeout(20):
        while connections_now:  # noqa: ASYNC110 -- it has no event for that
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("sent", [GET * 20, GET.replace(b"host", b"connection: close\r\nhost")])
async def test_whoever_takes_nothing_of_a_reply_is_cut_off(sent: bytes) -> None:
    held: list[set] = []
    async with served(app=tell_much, open_now=held) as port:
        slow = [narrow(port) for _ in range(20)]
        for one in slow:
            one.send(sent)
        async with asyncio.timeout(20):
            while len(held[0]) < len(slow):  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.01)
        await emptied(held[0])
        for one in slow:
            one.close()


async def test_whoever_takes_a_reply_slowly_but_steadily_gets_it() -> None:
    async with served(app=tell_much) as port:
        slow, taken, loop = narrow(port), 0, asyncio.get_running_loop()
        slow.send(GET)
        began_s = loop.time()
        while taken < len(LARGE):
            got = len(await asyncio.wait_for(loop.sock_recv(slow, 400_000), 5))
            assert got, "cut off"
            taken += got
            late_s = 4 * SEND_S * taken / len(LARGE) - (loop.time() - began_s)
            await asyncio.sleep(max(0.0, late_s))
        slow.close()


async def test_a_stream_that_has_nothing_to_say_goes_on() -> None:
    async with served(app=tell_twice) as port:
        said = await drip(port, GET.replace(b"host", b"connection: close\r\nhost"), size=100)
    assert said.endswith(b"3\r\ntwo\r\n0\r\n\r\n")


async def test_at_the_end_what_was_sent_ahead_is_left_to_another_gateway() -> None:
    asked = []

    async def slowly(scope, receive, send) -> None:
        asked.append(scope["path"])
        await asyncio.sleep(0.5)
        await count_body(scope, receive, send)

    async with served(app=slowly) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET * 5)
        while not asked:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.01)
    said = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert (said.count(b"HTTP/1.1 200 OK"), b"connection: close" in said, asked) == (1, True, ["/"])


async def test_the_request_at_work_hears_that_its_client_left_also_with_others_behind_it() -> None:
    heard = asyncio.Event()

    async def waits(_scope, receive, _send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        heard.set()

    async with served(app=waits) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET * 3)
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.wait_for(heard.wait(), 5)


async def test_who_asks_for_a_websocket_gets_a_plain_reply_and_no_advice_in_the_log(caplog) -> None:
    asked = GET.replace(b"host", b"connection: upgrade\r\nupgrade: websocket\r\nhost")
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
    assert not [one for one in caplog.messages if "upgrade" in one or "pip" in one]
