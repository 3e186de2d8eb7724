"""Two listeners: what one serves, the other does not know of; and every route says who may call it."""

import re

import httpx
import pytest
from litestar import get

from gateway import app as application
from gateway.app import HANDLERS, create_app
from gateway.http import access
from gateway.http.listeners import EVERYWHERE, Listener, listeners_of, require_named, serving_at
from store.types import KeyScope
from tests.world import World

pytestmark = pytest.mark.anyio
DATA, ADMIN = frozenset({Listener.DATA}), frozenset({Listener.ADMIN})
AT_BOTH = {"/livez", "/readyz", "/static/{name:str}"}
FOR_QUESTIONS = {
    *("/", "/try", "/embed/chat", "/embed/{version:str}/{name:str}"),
    *("/v1/chat/completions", "/v1/chat", "/v1/checks", "/v1/match", "/v1/embeddings", "/v1/feedback"),
    *("/v1/models", "/v1/models/{model:str}"),
}
"""Written out once more: who lets a route answer where questions are asked has to say so here as well."""
ALL = {path for handler in HANDLERS for path in handler.paths}
SPELLINGS = ("{}", "{}/", "/{}", "{}?x=/v1/chat", "/livez/..{}", "{};x")


def concrete(path: str) -> str:
    return re.sub(r"{[a-z_]+:[a-z]+}", "x", path)


def reply(response: httpx.Response) -> tuple[int, str, dict[str, str]]:
    text = response.text.replace(response.headers["x-request-id"], "")
    return (
        response.status_code,
        text,
        {k: v for k, v in response.headers.items() if k not in ("x-request-id", "traceparent", "vary")},
    )


def client(world: World, listeners: frozenset[Listener], token: str | None = None) -> httpx.AsyncClient:
    made = create_app(world.components, listeners=listeners)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app=made, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers)


def test_every_route_has_its_listener():
    widget = {path for path in ALL if path.startswith("/widget/")}
    assert {path for path in ALL if listeners_of(path) == EVERYWHERE} == AT_BOTH
    assert {path for path in ALL if listeners_of(path) == DATA} == FOR_QUESTIONS | widget
    at_admin = {path for path in ALL if listeners_of(path) == ADMIN}
    assert at_admin == ALL - AT_BOTH - FOR_QUESTIONS - widget
    assert {"/metrics", "/docs", "/openapi.json", "/admin", "/v1/admin/session"} <= at_admin
    assert len(serving_at(EVERYWHERE, HANDLERS)) == len(HANDLERS)
    assert listeners_of("/a/new/one") == ADMIN


@pytest.mark.parametrize(("here", "other"), [(DATA, ADMIN), (ADMIN, DATA)])
async def test_what_belongs_to_the_other_listener_is_as_unknown_as_anything(world, here, other):
    seen = 0
    async with client(world, here, world.key(*KeyScope)) as asking:
        for path in sorted(ALL):
            if listeners_of(path) != other:
                continue
            prefix = next((one for one in ("/v1/admin/", "/v1/", "/widget/v1/") if path.startswith(one)), "/")
            if path == "/metrics":  # told in the envelope of programs, wherever it is asked for
                prefix = "/v1/"
            unknown = f"{prefix}never-heard-of"
            for spelling in SPELLINGS:
                for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                    told = await asking.request(method, f"http://gateway.test{spelling.format(concrete(path))}")
                    assert told.status_code == 404, (method, path, spelling)
                    if spelling == "{}":
                        assert reply(told) == reply(await asking.request(method, unknown)), (method, path)
                    seen += 1
    assert seen > 300


async def test_each_listener_serves_its_own(world):
    token = world.key(KeyScope.CHAT, KeyScope.METRICS)
    async with client(world, DATA, token) as asking:
        assert (await asking.get("/v1/models")).status_code == 200
        assert (await asking.get("/livez")).status_code == 200
        assert (await asking.get("/readyz")).status_code == 200
    async with client(world, ADMIN, token) as asking:
        assert (await asking.get("/metrics")).status_code == 200
        assert (await asking.get("/docs")).status_code == 200
        assert (await asking.get("/livez")).status_code == 200
        assert (await asking.get("/static/landing.css")).status_code == 200
        assert (await asking.get("/v1/admin/whoami")).status_code == 503, "this world has no database"


def test_a_route_that_names_no_authentication_does_not_start(world, monkeypatch):
    @get("/forgotten")
    async def forgotten() -> str:
        return "open"

    monkeypatch.setattr(application, "HANDLERS", (*HANDLERS, forgotten))
    with pytest.raises(TypeError, match=r"differ: \['/forgotten'\]"):
        create_app(world.components)


def test_a_table_that_names_what_is_not_there_or_contradicts_itself_does_not_start(monkeypatch):
    with pytest.raises(TypeError, match="differ"):
        require_named([one for one in HANDLERS if "/v1/match" not in one.paths])
    monkeypatch.setattr("gateway.http.listeners.PUBLIC_ROUTES", access.PUBLIC_ROUTES | {"/v1/chat"})
    with pytest.raises(TypeError, match=r"both public and closed: \['/v1/chat'\]"):
        require_named(HANDLERS)


async def test_a_route_in_no_table_opens_to_no_key(world):
    @get("/v1/forgotten")
    async def forgotten() -> str:
        return "open"

    world.app.register(forgotten)
    async with world.client(world.key(*KeyScope)) as asking:
        told = await asking.get("/v1/forgotten")
    assert (told.status_code, told.json()["error"]["code"]) == (403, "insufficient_scope")
