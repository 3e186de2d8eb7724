"""In a real browser a prompt goes from an edit to people: a problem, mended, submitted, approved by another, live."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from gateway.access_settings import AccessSettings
from tests.administration import PASSWORD, AdminWorld
from tests.gateway.http.pages.page_content import PROMPT, fill, live
from tests.real_browser import CHROMIUM, start

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"),
]
WIDTHS = (1280, 320)


@pytest.fixture
def world_of_changes(make_admin) -> AdminWorld:
    admin: AdminWorld = make_admin(AccessSettings(plain_http=True))
    fill(admin)
    return admin


@pytest.fixture
def address(world_of_changes: AdminWorld) -> Iterator[str]:
    config = uvicorn.Config(world_of_changes.app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    with sync_playwright() as started:
        browser = start(started)
        yield browser
        browser.close()


class Somebody:
    """One person at a browser; whatever the browser complains about is kept."""

    def __init__(
        self, chromium: Any, address: str, name: str, *, locale: str = "en-GB", has_scripts: bool = True
    ) -> None:
        self.address = address
        self.page = chromium.new_context(locale=locale, java_script_enabled=has_scripts).new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)
        self.page.goto(f"{address}/admin/prompts")
        self.page.fill("#f-name", name)
        self.page.fill("#f-password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{address}/admin/prompts")

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.complaints.append(request.url)

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()

    def sees(self, words: str) -> bool:
        return words in self.page.locator("body").inner_text()


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_prompt_goes_from_an_edit_to_people(
    world_of_changes: AdminWorld,
    address: str,
    chromium: Any,
    has_scripts: bool,  # noqa: FBT001 -- a case
) -> None:
    ada = Somebody(chromium, address, "ada", has_scripts=has_scripts)
    bob = Somebody(chromium, address, "bob", has_scripts=has_scripts)
    ada.follow("About it.vpn")
    ada.follow("Edit")
    ada.page.fill("#f-title", "")
    ada.page.fill("#f-facts", "It works everywhere.")
    ada.press("Save draft")
    assert ada.sees("It cannot be submitted before this is mended.")
    assert ada.page.locator("#f-title").get_attribute("aria-invalid") == "true"
    ada.page.fill("#f-title", "Work from elsewhere")
    ada.press("Save draft")
    assert ada.page.locator("ins", has_text="everywhere").count() == 1
    change = "/admin/changes/" + ada.page.url.partition("change=")[2]
    ada.go(change)
    ada.follow("Submit for review")
    ada.page.fill("#f-note", "Nobody understood it.")
    ada.press("Submit for review")
    assert ada.sees("somebody else approves and publishes it")
    ada.press("Run the gate")
    assert ada.sees("Passed")
    bob.go("/admin/changes?tab=waiting")
    bob.follow("Edit prompt: Work from elsewhere")
    bob.follow("Approve")
    bob.press("Approve")
    bob.follow("Publish")
    bob.press("Publish")
    assert live(world_of_changes).title == "Work from elsewhere"
    ada.go(PROMPT)
    assert ada.sees("Live, version 2")
    assert not ada.complaints + bob.complaints


@pytest.mark.parametrize("locale", ["en-GB", "ar-EG"])
def test_no_page_of_a_prompt_or_a_change_scrolls_sideways(address: str, chromium: Any, locale: str) -> None:
    ada = Somebody(chromium, address, "ada", locale=locale)
    ada.go(f"{PROMPT}/edit")
    ada.page.fill("#f-title", "x" * 200)
    ada.page.fill("#f-facts", "y" * 3000)
    ada.page.locator("main form button.primary").click()
    where = ada.page.url.partition("change=")[2]
    assert where
    change = f"/admin/changes/{where}"
    drafted = f"{PROMPT}?change={where}"
    more = [f"{PROMPT}{one}" for one in ("", "/edit", "/versions", "/preview", "/remove")]
    steps = [f"{change}{one}" for one in ("", "/gate", "/steps/submit", "/steps/withdraw")]
    for width in WIDTHS:
        ada.page.set_viewport_size({"width": width, "height": 720})
        for path in ("/admin/prompts", "/admin/prompts/new", drafted, *more, "/admin/changes", *steps):
            ada.go(path)
            assert ada.page.locator("h1").count() == 1
            assert ada.page.evaluate("document.documentElement.scrollWidth") <= width, (width, path)
    assert not ada.complaints


def test_only_the_fields_of_the_chosen_answer_are_shown(address: str, chromium: Any) -> None:
    ada = Somebody(chromium, address, "ada", has_scripts=False)
    ada.go(f"{PROMPT}/edit")
    assert ada.page.locator("#f-facts").is_visible()
    assert not ada.page.locator("#f-answer").is_visible()
    ada.page.check("#f-mode-handoff")
    assert not ada.page.locator("#f-facts").is_visible()
    assert ada.page.locator("#f-answer").is_visible()
    assert ada.page.locator("#f-contact_name").is_visible()
