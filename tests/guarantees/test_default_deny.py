"""Closed unless listed: of every route of the route table, without a credential, only the public table answers."""

from collections.abc import Iterator

import pytest
from litestar import Litestar

from gateway.http.access import PUBLIC_ROUTES
from gateway.http.admin.guard import PREFIX
from gateway.http.widget.origins import PREFIX as WIDGET
from tests.world import World

pytestmark = pytest.mark.anyio

PUBLIC = {
    "/",
    "/try",
    "/static/{name:str}",
    "/livez",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/docs/guides/{name:str}",
    "/embed/chat",
    "/embed/{version:str}/{name:str}",
}
"""Written out once more: who opens a route has to say so here as well."""
CLOSED = {
    *("/v1/chat/completions", "/v1/chat", "/v1/checks", "/v1/match", "/v1/embeddings", "/v1/feedback"),
    *("/v1/models", "/v1/models/{model:str}", "/metrics"),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_KEY = [
    {},
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer cg_aaaaaaaa_" + "b" * 43},
    {"authorization": "Basic Y2c6Y2c="},
    {"cookie": "session=1; authorization=Bearer"},
    {"x-api-key": "cg_aaaaaaaa_" + "b" * 43},
    {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "forwarded": "for=127.0.0.1"},
]


def routes(app: Litestar) -> Iterator[tuple[str, str]]:
    """The admin surface, the pages and the widget have tables and guarantees of their own."""
    for route in app.routes:
        for method in sorted(route.methods) if not route.path.startswith((PREFIX, "/admin", WIDGET)) else ():
            yield method, route.path


def concrete(path: str) -> str:
    return path.replace("{name:str}", "landing.css").replace("{model:str}", "helpdesk").replace("{version:str}", "v1")


def test_the_route_table_holds_nothing_but_what_is_known_to_be_open_or_closed(world: World) -> None:
    assert PUBLIC_ROUTES == PUBLIC
    assert {path for _, path in routes(world.app)} == PUBLIC | CLOSED


@pytest.mark.parametrize("headers", NO_KEY, ids=range(len(NO_KEY)))
async def test_without_a_credential_only_the_public_table_answers(world: World, headers: dict[str, str]) -> None:
    answered = set()
    async with world.client() as client:
        for method, path in routes(world.app):
            response = await client.request(method, concrete(path), headers=headers)
            if response.status_code == 401:
                assert response.headers["www-authenticate"] == "Bearer", (method, path)
                assert response.json()["error"]["code"] == "invalid_api_key", (method, path)
                assert "allow" not in response.headers, (method, path)
            else:
                answered.add(path)
    assert answered == PUBLIC
    assert not world.model.prompts
    assert not world.decisions.kept


@pytest.mark.parametrize("sent", [b"", b"{", b'{"model": "helpdesk"}', b"x" * 200_000])
async def test_without_a_credential_no_body_is_looked_at(world: World, sent: bytes) -> None:
    async with world.client() as client:
        for method, path in routes(world.app):
            if path in CLOSED:
                response = await client.request(method, concrete(path), content=sent)
                assert response.status_code == 401, (method, path)


@pytest.mark.parametrize(
    "spelt",
    [
        "/v1/models/",
        "//v1/models",
        "/V1/models",
        "/v1/../v1/models",
        "/v1/models;x",
        "/v1/models%2f",
        "/v1/models?public=/",
        "/static/../v1/models",
        "/static/%2e%2e/v1/models",
        "/try/../v1/models",
    ],
)
async def test_no_other_spelling_of_a_closed_address_opens_it(world: World, spelt: str) -> None:
    async with world.client() as client:
        for method in METHODS:
            response = await client.request(method, spelt)
            assert response.status_code in (401, 404, 405), (method, spelt)
            assert "helpdesk" not in response.text


async def test_a_handler_that_nobody_listed_is_closed(world: World) -> None:
    from litestar import get  # noqa: PLC0415 - only this test adds a route

    @get("/forgotten")
    async def forgotten() -> str:
        return "open"

    world.app.register(forgotten)
    async with world.client() as client:
        response = await client.get("/forgotten")
    assert response.status_code == 401
    assert "open" not in response.text
