"""Pages of other origins call `/v1`: those of a list, whole and exact, with a key; no origin is in it by default."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from gateway.http.describing import HEADERS
from store.database import open_database
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.widget_world import APPROVED, INTRANET, PORTAL, VERBATIM, make_site
from tests.world import World

pytestmark = pytest.mark.anyio
ASKED = {"assistant": "helpdesk", "message": VERBATIM}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


@pytest.fixture
def listed(listing: AdminWorld) -> AdminWorld:
    make_site(listing, "intranet", calls_api=True)
    make_site(listing, "portal", origins=[PORTAL])
    return listing


@pytest.fixture
def listing(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield AdminWorld(world, database, tmp_path)
    database.close()


async def call(admin: AdminWorld, origin: str | None, *, method: str = "POST", path: str = "/v1/chat", **more: str):
    key = admin.world.key(KeyScope.CHAT)
    headers = {"authorization": f"Bearer {key}"} if method == "POST" else {}
    async with admin.client() as client:
        sent = headers | more | ({"origin": origin} if origin else {})
        return await client.request(method, path, json=ASKED if method == "POST" else None, headers=sent)


async def test_a_page_of_a_listed_origin_asks_and_reads_the_reply(listed: AdminWorld) -> None:
    asked = await call(listed, INTRANET, method="OPTIONS", **PREFLIGHT)
    told = await call(listed, INTRANET)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == INTRANET
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    assert (told.status_code, told.json()["text"]) == (200, APPROVED)
    assert told.headers["access-control-allow-origin"] == INTRANET
    assert "x-request-id" in told.headers["access-control-expose-headers"]
    assert {asked.headers["vary"], told.headers["vary"]} == {"origin"}


NO_PREFLIGHT = {"accept", "accept-encoding", "connection", "content-length", "host"}
"""What OpenAI's client sends that a browser asks nobody about."""


async def headers_of_openai() -> set[str]:
    """Gives the names that OpenAI's client sends, and those that its form for JavaScript adds."""
    sent: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        sent.update(request.headers)
        return httpx.Response(200, json={})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    named = {"base_url": "https://gateway.test/v1", "api_key": "k", "organization": "o", "project": "p"}
    async with openai.AsyncOpenAI(http_client=http, **named) as client:
        await client.chat.completions.create(model="helpdesk", messages=[{"role": "user", "content": "x"}], timeout=9.0)
    return sent - NO_PREFLIGHT | {"x-stainless-timeout", "x-stainless-helper-method"}


async def test_openais_client_runs_in_a_page(listed: AdminWorld) -> None:
    wanted = await headers_of_openai()
    assert {"authorization", "user-agent", "x-stainless-lang"} < wanted
    preflight = PREFLIGHT | {"access-control-request-headers": ",".join(sorted(wanted))}
    asked = await call(listed, INTRANET, method="OPTIONS", path="/v1/chat/completions", **preflight)
    assert not wanted - set(asked.headers["access-control-allow-headers"].split(", "))


async def test_a_page_reads_every_header_that_replies_have(listed: AdminWorld) -> None:
    told = await call(listed, INTRANET)
    assert set(told.headers["access-control-expose-headers"].split(", ")) == set(HEADERS)


async def test_a_page_reads_why_it_was_refused(listed: AdminWorld) -> None:
    told = await call(listed, INTRANET, authorization="Bearer cg_aaaaaaaa_" + "b" * 43)
    assert told.status_code == 401
    assert told.headers["access-control-allow-origin"] == INTRANET


@pytest.mark.parametrize(
    "origin",
    [
        PORTAL,
        "null",
        "*",
        INTRANET.upper(),
        f"{INTRANET}.evil.example",
        f"{INTRANET}:8443",
        f"{INTRANET}/",
        INTRANET.replace("https", "http"),
        "https://evil.example",
        None,
    ],
)
async def test_no_other_origin_is_told_anything(listed: AdminWorld, origin: str | None) -> None:
    asked = await call(listed, origin, method="OPTIONS", **PREFLIGHT)
    told = await call(listed, origin)
    for one in (asked, told):
        assert not [name for name in one.headers if name.startswith("access-control")]
        assert one.headers["vary"] == "origin"
    assert asked.status_code != 204
    assert told.status_code == 200, "a server that says an origin needs no leave"


async def test_no_page_calls_the_admin_surface_whatever_is_listed(listed: AdminWorld) -> None:
    told = await call(listed, INTRANET, method="OPTIONS", path="/v1/admin/widget-clients", **PREFLIGHT)
    assert told.status_code != 204
    assert not [name for name in told.headers if name.startswith("access-control")]
