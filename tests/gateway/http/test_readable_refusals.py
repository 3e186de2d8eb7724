"""A page of a listed origin can read that there is no room, wherever that is said, and a page of any other cannot."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest

from gateway.commands.server import GatewayServer
from gateway.http.doorkeeper import Doorkeeper
from gateway.limit_settings import LimitSettings
from gateway.settings import ServerSettings
from rails.engine import RailsPolicy
from store.database import open_database
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.widget_world import BASE, INTRANET, PORTAL, Site, make_site
from tests.world import World

pytestmark = pytest.mark.anyio
CHAT, WIDGET = "/v1/chat", "/widget/v1/chat"
ALLOWED = "access-control-allow-origin"
FOREIGN = ("https://evil.test", "https://intranet.example.evil.test", "HTTPS://INTRANET.EXAMPLE", "null", "*", "")
NO_ROOM = LimitSettings(concurrent=1, waiting=0)


@pytest.fixture
def make_admin(policy: RailsPolicy, tmp_path: Path) -> Iterator[object]:
    """Makes a gateway whose widget clients are two: pages of the intranet may call `/v1` too."""
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)

    def make(limits: LimitSettings) -> tuple[AdminWorld, Site]:
        admin = AdminWorld(World(policy, limits=limits), database, tmp_path)
        site = make_site(admin, calls_api=True)
        make_site(admin, "portal", origins=[PORTAL], sign_in="none")
        admin.widget.book.page()
        return admin, site

    yield make
    database.close()


def told(door: Doorkeeper, path: str, *origins: str) -> dict[str, str]:
    """Gives the headers of a refusal at the door."""
    sent = [(b"origin", origin.encode()) for origin in origins]
    reply = door.refusal(b"POST", path.encode(), {"type": "http", "headers": sent, "state": {}})
    assert reply is not None
    head, _, body = reply.partition(b"\r\n\r\n")
    assert json.loads(body)["error"]["code"] == "queue_full"
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])


async def test_at_the_door_the_listed_origin_is_told_back_alone(make_admin) -> None:
    admin, _ = await asyncio.to_thread(make_admin, NO_ROOM)
    line = admin.world.admission.lines.chat
    door = Doorkeeper(line, admin.world.telemetry, admin.widget.book)
    with line.place_now():
        for path in (CHAT, WIDGET):
            headers = told(door, path, INTRANET)
            assert headers[ALLOWED] == INTRANET
            assert "retry-after" in headers["access-control-expose-headers"].split(", ")
            assert headers["vary"] == "origin"
            for origins in (*((one,) for one in FOREIGN), (), (INTRANET, INTRANET), (INTRANET, FOREIGN[0])):
                assert not [name for name in told(door, path, *origins) if name.startswith("access-control")], origins
        assert told(door, WIDGET, PORTAL)[ALLOWED] == PORTAL
        assert ALLOWED not in told(door, CHAT, PORTAL), "its pages have no business at /v1"


async def test_further_in_it_is_the_same(make_admin) -> None:
    admin, site = await asyncio.to_thread(make_admin, NO_ROOM)
    with admin.world.admission.lines.chat.place_now():
        for path in (CHAT, WIDGET):
            for origin in (INTRANET, *FOREIGN):
                async with site.browser(origin) as page:
                    refused = await page.post(path, json={"message": "x"})
                assert refused.status_code == 503
                assert refused.headers.get(ALLOWED) == (INTRANET if origin == INTRANET else None)


async def test_a_page_can_read_that_its_address_asks_too_often(make_admin) -> None:
    _, site = await asyncio.to_thread(make_admin, LimitSettings(address_requests_per_minute=1))
    async with site.browser() as page:
        calls = [await page.post(f"{BASE}/sessions", json={}) for _ in range(2)]
    assert calls[1].status_code == 429
    assert calls[1].headers[ALLOWED] == INTRANET
    assert int(calls[1].headers["retry-after"]) >= 1


async def test_a_refusal_on_a_real_connection_can_be_read(make_admin) -> None:
    admin, _ = await asyncio.to_thread(make_admin, NO_ROOM)
    settings = msgspec.structs.replace(admin.components.settings, server=ServerSettings(port=0))
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = GatewayServer(replace(admin.components, settings=settings), None, listening.set_result)
    serving = asyncio.create_task(server._serve())  # `serve` would take the process's signals
    async with httpx.AsyncClient(base_url=await listening) as page:
        with admin.world.admission.lines.chat.place_now():
            refused = await page.post(WIDGET, json={"message": "x"}, headers={"origin": INTRANET})
    assert (refused.status_code, refused.headers[ALLOWED]) == (503, INTRANET)
    server.should_exit = True
    await serving
