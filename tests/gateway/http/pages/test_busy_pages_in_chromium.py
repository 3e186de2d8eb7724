"""A real browser on pages that are full: axe finds nothing with figures on them, and no focus is behind a bar."""

import pytest

from gateway.access_settings import AccessSettings
from store.catalog import publish_bundle
from store.formats.bundle import Bundle
from store.matches import Gate
from store.people import Role
from store.types import Outcome
from tests.administration import AdminWorld
from tests.gateway.http.pages.test_analytics_page import keep
from tests.real_browser import CHROMIUM, Watched, axe_source, served, start
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"),
]
_BEHIND_THE_BAR = """() => {
    const bar = document.querySelector(".bottom-bar"), one = document.activeElement
    if (bar.contains(one) || one === document.body) return ""
    const [mine, its] = [one.getBoundingClientRect(), bar.getBoundingClientRect()]
    const isBeside = mine.right <= its.left || mine.left >= its.right
    return !isBeside && mine.top >= its.top - 1 && mine.bottom <= its.bottom + 1 ? one.outerHTML.slice(0, 120) : ""
}"""


@pytest.fixture
def admin(make_admin) -> AdminWorld:
    made: AdminWorld = make_admin(AccessSettings(plain_http=True))
    made.user("ada", *Role)
    desk = assistant("helpdesk", areas=("it",), policy="helpdesk")
    bundle = Bundle((prompt("it.vpn"),), (desk,), {"helpdesk": POLICY})
    publish_bundle(made.database, bundle, author="operator", note="first")
    return made


def test_axe_finds_nothing_on_analytics_with_figures(admin: AdminWorld) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    keep(admin, 30, prompt_key="it.vpn", score=0.91, gate=Gate.ACCEPTED, method="similar")
    keep(admin, 10, Outcome.NO_MATCH, score=0.42, gate=Gate.BELOW_LIMIT)
    with sync_playwright() as playwright, served(admin.app) as address:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(locale="en-GB", reduced_motion="reduce"), address)
        watched.sign_in("ada")
        watched.page.goto(f"{address}/admin/analytics")
        assert watched.page.locator("#latency").count() == 1
        closed = watched.violations(axe_source())
        watched.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        opened = watched.violations(axe_source())
        browser.close()
    assert not [*closed, *opened]


def test_no_focus_of_the_keyboard_is_behind_the_bar_of_a_form(admin: AdminWorld) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - as above

    with sync_playwright() as playwright, served(admin.app) as address:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(locale="en-GB", reduced_motion="reduce"), address)
        watched.sign_in("ada")
        behind = []
        for path in ("/admin/prompts/it.vpn/edit", "/admin/prompts/new"):
            for width, height in ((1280, 800), (320, 640)):
                watched.page.set_viewport_size({"width": width, "height": height})
                watched.page.goto(address + path)
                for _ in range(80):
                    watched.page.keyboard.press("Tab")
                    if found := watched.page.evaluate(_BEHIND_THE_BAR):
                        behind.append(f"{path} {width}: {found}")
        browser.close()
    assert not behind, "\n".join(behind)
