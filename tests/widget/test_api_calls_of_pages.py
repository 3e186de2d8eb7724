"""The TypeScript client in Chromium, on a page of another origin: let in where that origin is listed, and else not."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.database import open_database
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.real_browser import served
from tests.widget_world import APPROVED, VERBATIM, make_site
from tests.world import World

pytestmark = pytest.mark.browser
CLIENT = Path(__file__).parents[2] / "gateway" / "web" / "widget" / "dist" / "client" / "index.js"
ASK = """async ([server, key, message]) => {
  const { Canongate } = await import("/client.js");
  const gateway = new Canongate(server, { key, assistant: "helpdesk", retries: 0 });
  try {
    const answer = await gateway.chat(message);
    return { text: answer.text, reference: answer.reference };
  } catch (error) {
    return { error: error.name, status: error.status ?? null };
  }
}"""


class Portal:
    """A page of another origin, with the client beside it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_client = scope["path"] == "/client.js"
        body = CLIENT.read_bytes() if is_client else b"<!doctype html><title>Portal</title>"
        kind = b"text/javascript" if is_client else b"text/html"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def admin(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    with contextlib.closing(open_database(url)) as database:
        yield AdminWorld(world, database, tmp_path)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_page_asks_only_where_its_origin_is_listed(admin: AdminWorld, context, is_listed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    key = admin.world.key(KeyScope.CHAT)
    with served(admin.app) as server, served(Portal()) as portal:
        make_site(admin, "portal", origins=[portal], calls_api=is_listed)
        page = context.new_page()
        page.goto(portal)
        told = page.evaluate(ASK, [server, key, VERBATIM])
        refused = page.evaluate(ASK, [server, "cg_aaaaaaaa_" + "b" * 43, VERBATIM])
    if is_listed:
        assert (told["text"], bool(told["reference"])) == (APPROVED, True)
        assert refused == {"error": "NotAllowed", "status": 401}
    else:
        assert "text" not in told
        assert told == refused, "the page learns nothing, not even whether the key is one"
