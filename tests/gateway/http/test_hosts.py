"""Names that the gateway answers to: an exact list, whatever else a request says about its host."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.http.connections import connections
from gateway.http.edge import Edge
from gateway.http.hosts import Hosts
from gateway.limit_settings import LimitSettings
from gateway.settings import ServerSettings
from gateway.telemetry import Telemetry

pytestmark = pytest.mark.anyio

NAMES = ("chat.example", "localhost", "127.0.0.1", "[::1]")
REFUSED = [
    *("evil.example", "chatXexample", "chat.example.evil.example", "evil-chat.example", "xchat.example"),
    *("chat.example.", "sub.chat.example", "chat.examplex", "192.0.2.9", "[2001:db8::9]", "0x7f.1", "2130706433"),
    "xn--chat-example",
]
MALFORMED = [
    *("", " ", "chat.example:", "chat.example:0", "chat.example:65536", "chat.example:80:80", "chat.example:x"),
    *("chat.example/", "chat.example#", "chat.example?x", "user@chat.example", "chat.example, localhost", "::1"),
    *("[::1", "[::1]x", "[fe80::1%25eth0]", "chat\x00.example", "chät.example", "http://chat.example", "a" * 300),
]


def scope(*hosts: bytes | str, server: tuple[str, int] | None = ("192.0.2.5", 8080), path: str = "/v1/chat", **more):
    sent = [(b"host", one.encode() if isinstance(one, str) else one) for one in hosts]
    return {"type": "http", "method": "GET", "path": path, "headers": sent, "server": server, "state": {}, **more}


def code(*hosts: bytes | str, server: tuple[str, int] | None = ("192.0.2.5", 8080)) -> str | None:
    error = Hosts(NAMES).refusal(scope(*hosts, server=server))
    return error.code if error else None


@pytest.mark.parametrize(
    "host",
    [
        *("chat.example", "CHAT.Example", "chat.example:443", "chat.example:65535", "localhost:8080", "127.0.0.1"),
        *("[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]", "192.0.2.5", "192.0.2.5:8080"),
    ],
)
def test_listed_names_and_the_address_of_arrival_are_answered(host):
    assert code(host) is None


@pytest.mark.parametrize("host", REFUSED)
def test_other_names_are_refused(host):
    assert code(host) == "host_not_allowed"


@pytest.mark.parametrize("host", MALFORMED)
def test_what_is_no_host_is_malformed(host):
    assert code(host) == "bad_request"


def test_a_request_names_its_host_once():
    assert code() == "bad_request"
    assert code("chat.example", "chat.example") == "bad_request"
    assert code("chat.example", "evil.example") == "bad_request"


def test_an_address_counts_only_where_the_connection_came_in():
    assert code("192.0.2.6") == "host_not_allowed"
    assert code("[2001:db8::5]", server=("2001:db8:0::5", 8080)) is None
    assert code("192.0.2.5", server=("::ffff:192.0.2.5", 8080)) is None
    assert code("192.0.2.5", server=None) == "host_not_allowed"


@given(st.text(alphabet=st.characters(max_codepoint=255)))
@example("chat.example\n")
def test_nothing_but_the_listed_names_passes(host):
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
    allowed = {*NAMES, "192.0.2.5"}
    if code(host.encode("latin-1")) is None:
        assert name.lower() in allowed or name.startswith("[")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (ServerSettings(), {"127.0.0.1", "localhost", "[::1]"}),
        (ServerSettings(host="0.0.0.0"), {"127.0.0.1", "localhost", "[::1]"}),  # noqa: S104 - what operators write
        (
            ServerSettings(public_url="https://chat.example:8443", host="Inner"),
            {"chat.example", "inner", "127.0.0.1", "localhost", "[::1]"},
        ),
        (ServerSettings(admin_listen="10.1.2.3:8081"), {"10.1.2.3", "127.0.0.1", "localhost", "[::1]"}),
        (ServerSettings(public_url="https://chat.example", allowed_hosts=("a.example",)), {"a.example"}),
    ],
)
def test_the_names_come_from_the_settings(settings, names):
    assert settings.host_names == names


async def ask(edge: Edge, path: str, headers: dict[str, str], method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app=edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.example") as client:
        return await client.request(method, path, headers=headers)


async def test_a_refusal_has_the_shape_of_its_surface_and_quotes_nothing(world):
    edge = Edge(world.app, Hosts(NAMES), world.telemetry)
    foreign = {"host": "evil.example", "x-request-id": "mine-1"}
    call = await ask(edge, "/v1/models", foreign)
    assert (call.status_code, call.json()["error"]["code"]) == (421, "host_not_allowed")
    page = await ask(edge, "/nothing", foreign)
    assert page.headers["content-type"] == "application/problem+json"
    assert (page.json()["code"], page.json()["request_id"]) == ("host_not_allowed", "mine-1")
    for told in (call, page):
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["connection"] == "close"
        assert "evil" not in told.text
    assert (await ask(edge, "/", foreign, "HEAD")).status_code == 421
    assert b'route="none"' in world.telemetry.text()


async def test_health_answers_under_any_name_and_nothing_else_does(world):
    edge = Edge(world.app, Hosts(NAMES), world.telemetry)
    answered = {
        route.path
        for route in world.app.routes
        if (await ask(edge, route.path, {"host": "10.11.12.13:8080"})).status_code != 421
    }
    assert answered == {"/livez", "/readyz"}
    for spelt in ("/livez/", "//livez", "/livez/../v1/models", "/livez;x"):
        assert (await ask(edge, spelt, {"host": "evil.example"})).status_code == 421, spelt


async def test_other_headers_say_nothing_about_the_host(world):
    edge = Edge(world.app, Hosts(NAMES), world.telemetry)
    for name in ("x-forwarded-host", "x-host", "x-original-host", "forwarded"):
        said = "host=chat.example" if name == "forwarded" else "chat.example"
        assert (await ask(edge, "/", {"host": "evil.example", name: said})).status_code == 421
        said = said.replace("chat", "evil")
        assert (await ask(edge, "/", {"host": "chat.example", name: said})).status_code == 200


async def names_seen(scope, receive, send) -> None:
    """Answers with the path that was asked for."""
    await receive()
    said = scope["path"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[int]:
    made, limits = Edge(names_seen, Hosts(NAMES), Telemetry()), LimitSettings()
    http = connections(lambda: limits)
    server = uvicorn.Server(uvicorn.Config(made, port=0, http=http, log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 -- it has no event for that
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def said(port: int, head: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.replace("\n", "\r\n").encode() + b"connection: close\r\n\r\n")
    told = (await reader.read()).decode()
    writer.close()
    return told


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /x HTTP/1.1\nHost: chat.example\n", 200),
        ("GET http://chat.example/x HTTP/1.1\nHost: chat.example\n", 200),
        ("GET HTTP://chat.example/x HTTP/1.1\nHost: chat.example\n", 200),
        ("GET http://chat.example/x HTTP/1.1\nHost: evil.example\n", 400),
        ("GET http://evil.example/x HTTP/1.1\nHost: chat.example\n", 400),
        ("GET http://evil.example/x HTTP/1.1\nHost: evil.example\n", 421),
        ("GET http://chat.example@evil.example/x HTTP/1.1\nHost: chat.example\n", 400),
        ("GET http://chat.example/x HTTP/1.1\nHost: chat.example\nHost: chat.example\n", 400),
        ("GET /x HTTP/1.1\nHost: chat.example\nHost: evil.example\n", 400),
        ("GET /x HTTP/1.1\nHost: evil.example\n", 421),
        ("GET /x HTTP/1.1\n", 400),
        ("GET /x HTTP/1.0\n", 400),
        ("GET /x HTTP/1.0\nHost: chat.example\n", 200),
        ("GET //evil.example/x HTTP/1.1\nHost: chat.example\n", 200),
        ("CONNECT chat.example:443 HTTP/1.1\nHost: chat.example\n", 400),
        ("GET /x HTTP/1.1\nHost : chat.example\n", 400),
    ],
)
async def test_the_target_has_no_way_around_the_list(head, status):
    async with served() as port:
        told = await said(port, head)
    assert told.startswith(f"HTTP/1.1 {status} ")
    if status != 200:
        assert "evil" not in told


async def test_a_socket_upgrade_is_no_way_around_the_list():
    upgrade = "Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
    async with served() as port:
        told = await said(port, f"GET /x HTTP/1.1\nHost: evil.example\n{upgrade}")
    assert told.startswith("HTTP/1.1 421 ")
