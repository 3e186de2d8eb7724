"""A real browser opens the pages: nothing is blocked, nothing scrolls sideways, nothing needs a script."""

from collections.abc import Iterator

import pytest

from gateway.access_settings import AccessSettings
from store.people import Role
from tests.administration import PASSWORD, AdminWorld
from tests.real_browser import CHROMIUM, served, start

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"),
]
WIDTHS = (1280, 320)
PAGES = (
    "/admin",
    "/admin/requests",
    "/admin/unmatched",
    "/admin/unmatched/actions",
    "/admin/analytics",
    "/admin/suites",
    "/admin/suites/new",
    "/admin/feedback",
    "/admin/feedback/rates",
    "/admin/system",
    "/admin/keys/new",
    "/admin/people",
    "/admin/people/new",
    "/admin/audit",
)


@pytest.fixture
def address(make_admin) -> Iterator[str]:
    admin: AdminWorld = make_admin(AccessSettings(plain_http=True))
    admin.user("ada", Role.ADMIN, Role.AUDITOR)
    with served(admin.app) as found:
        yield found


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("locale", ["en-GB", "ar-EG"])
def test_pages_open_without_a_complaint_at_every_width(address: str, locale: str, has_scripts: bool) -> None:  # noqa: FBT001 -- a case
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    with sync_playwright() as started:
        browser = start(started)
        context = browser.new_context(locale=locale, java_script_enabled=has_scripts)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        page.on("request", lambda one: complaints.append(one.url) if not one.url.startswith(address) else None)
        page.goto(f"{address}/admin/people/new")
        page.fill("#f-name", "ada")
        page.fill("#f-password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/admin/people/new")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 720})
            for path in PAGES:
                page.goto(address + path)
                assert page.locator("h1").count() == 1
                if has_scripts:
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, path)
        page.get_by_role("button", name="Menu" if locale == "en-GB" else "القائمة").click()
        assert page.locator("#nav").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("#nav").is_visible()
        page.goto(f"{address}/admin/people/new")
        assert not page.locator("#f-areas_editor").is_visible()
        page.check("#f-role-editor")
        assert page.locator("#f-areas_editor").is_visible()
        browser.close()
    assert not complaints
