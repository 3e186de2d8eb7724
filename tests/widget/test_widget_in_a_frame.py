"""The page that holds the widget inside a frame: whom it asks for a token, and whom it hears."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from gateway.widget.release import snippets_of
from store.database import open_database
from store.people import OPERATOR
from tests import administration
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.real_browser import free_port, served
from tests.widget_world import APPROVED, VERBATIM, Site, make_site
from tests.world import World

pytestmark = pytest.mark.browser
COUNT = """window.heard = [];
addEventListener("message", ({ origin, data }) => window.heard.push([origin, data]));"""
FORWARD = """addEventListener("message", ({ data }) => {
  if (data.type === "canongate:token") document.querySelector("#evil").contentWindow.postMessage(data, "*");
  if (data === "done") {
    const frame = document.querySelector("#canongate").contentWindow;
    const token = document.body.dataset.token;
    const told = (id) => frame.postMessage({ type: "canongate:token", id, token }, "*");
    told("another");
    window.answer = () => told(window.heard.find(([, one]) => one.id)[1].id);
  }
});"""
EVIL = """addEventListener("message", ({ data }) => {
  parent.frames[0].postMessage({ ...data, token: "stolen" }, "*");
  parent.postMessage("done", "*");
});"""


class Pages:
    """Serves the texts that a test gives, by path."""

    def __init__(self) -> None:
        self.bodies: dict[str, str | Callable[[], str]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = self.bodies.get(scope["path"], "")
        kind = "text/javascript" if scope["path"].endswith(".js") else "text/html"
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": (body if isinstance(body, str) else body()).encode()})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the gateway is, which it has to know of itself."""
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(administration, "OWN_ORIGIN", address)
    return address


@pytest.fixture
def admin(own: str, world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    made = AdminWorld(world, database, tmp_path)
    with served(made.app, port=int(own.rpartition(":")[2])):
        yield made
    database.close()


@pytest.fixture
def host() -> Iterator[tuple[Pages, str]]:
    pages = Pages()
    with served(pages) as address:
        yield pages, address


@pytest.fixture
def site(admin: AdminWorld, host: tuple[Pages, str], own: str) -> Site:
    """A site that embeds the frame as `canongate widget snippet` has it, and whose server signs."""
    pages, address = host
    made = make_site(admin, origins=["https://first.example", address], sign_in="required")
    snippets = snippets_of(admin.administration.widgets.get(OPERATOR, made.client), own, None)
    pages.bodies = {
        "/": f"{snippets.frame}<script src=/count.js></script><script src=/host.js></script>",
        "/count.js": COUNT,
        "/host.js": snippets.frame_token or "",
        "/canongate-token": made.token,
    }
    return made


def sent_tokens(page: Any) -> list[str]:
    found: list[str] = []

    def note(request: Any) -> None:
        if request.url.endswith("/widget/v1/sessions") and request.method == "POST":
            found.append(json.loads(request.post_data)["token"])

    page.on("request", note)
    return found


def asks(page: Any) -> Any:
    frame = page.frame_locator("#canongate")
    frame.locator("textarea").fill(VERBATIM)
    frame.locator("textarea").press("Enter")
    return frame


@pytest.mark.usefixtures("site")
def test_a_visitor_of_the_frame_is_signed_in_by_the_page_around_it(context, host, own: str) -> None:
    page = context.new_page()
    sent = sent_tokens(page)
    page.goto(host[1])
    expect(asks(page).locator(".words").last).to_contain_text(APPROVED)
    ((origin, asked),) = page.evaluate("window.heard")
    assert (origin, set(asked), asked["client"]) == (own, {"type", "id", "client"}, "hr-portal")
    assert len(sent) == 1
    assert sent[0].count(".") == 2


@pytest.mark.usefixtures("site")
def test_a_page_that_sends_no_referrer_is_found_all_the_same(context, host) -> None:
    pages, address = host
    pages.bodies["/"] = f'<meta name="referrer" content="no-referrer">{pages.bodies["/"]}'
    page = context.new_page()
    page.goto(address)
    expect(asks(page).locator(".words").last).to_contain_text(APPROVED)


def test_a_page_that_may_frame_it_and_is_not_in_the_clients_list_is_asked_nothing(
    context, own: str, site: Site
) -> None:
    page = context.new_page()
    body = f'<script>{COUNT}</script><iframe id="canongate" src="{own}/embed/chat?client={site.client}"></iframe>'
    page.route(f"{own}/around", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{own}/around")
    frame = page.frame_locator("#canongate")
    frame.locator("textarea").focus()
    expect(frame.locator(".notice")).to_contain_text("You are not signed in")
    assert page.evaluate("window.heard") == []


@pytest.mark.usefixtures("site")
def test_a_page_of_any_other_origin_cannot_even_show_it(context, host) -> None:
    pages, _ = host
    with served(pages) as elsewhere:
        page = context.new_page()
        page.goto(elsewhere)
        page.wait_for_timeout(500)
        assert page.evaluate("window.heard") == []
        assert page.frame_locator("#canongate").locator("canongate-chat").count() == 0


def test_only_the_page_around_it_is_heard_and_only_about_what_was_asked(context, host, site: Site) -> None:
    pages, address = host
    with served(pages) as elsewhere:
        more = f'<iframe id="evil" src="{elsewhere}/evil"></iframe>'
        pages.bodies["/"] = pages.bodies["/"].replace("<script", f"{more}<script", 1)
        pages.bodies |= {"/host.js": FORWARD, "/evil": "<script src=/evil.js></script>", "/evil.js": EVIL}
        page = context.new_page()
        sent = sent_tokens(page)
        page.goto(address)
        page.evaluate("token => { document.body.dataset.token = token; }", site.token())
        frame = asks(page)
        page.wait_for_function("!!window.answer")
        page.wait_for_timeout(200)
        assert sent == []
        page.evaluate("window.answer()")
        expect(frame.locator(".words").last).to_contain_text(APPROVED)
        assert "stolen" not in sent


@pytest.mark.usefixtures("site")
def test_a_page_that_has_nobody_signed_in_says_so_and_the_frame_shows_it(context, host) -> None:
    pages, address = host
    pages.bodies["/host.js"] = """addEventListener("message", ({ source, origin, data }) =>
      source.postMessage({ ...data, token: { a: 1 } }, origin));"""
    page = context.new_page()
    page.goto(address)
    expect(asks(page).locator(".status")).to_contain_text("You are not signed in")


@pytest.mark.usefixtures("site")
def test_where_the_page_around_lets_nothing_be_copied_it_is_said(context, host) -> None:
    pages, address = host
    pages.bodies["/"] = pages.bodies["/"].replace("clipboard-write", "fullscreen")
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda one: failures.append(str(one)))
    page.goto(address)
    frame = asks(page)
    frame.get_by_role("button", name="Copy answer").click()
    expect(frame.locator(".body > .meta").last).to_have_text(
        "This could not be copied here. Select the text to copy it."
    )
    assert failures == []


def test_the_printed_frame_lets_answers_be_copied(site: Site, host, context) -> None:
    assert 'allow="clipboard-write"' in host[0].bodies["/"]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(host[1])
    frame = asks(page)
    frame.get_by_role("button", name="Copy answer").click()
    expect(frame.locator(".body > .meta").last).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == APPROVED
    assert site.client == "hr-portal"
