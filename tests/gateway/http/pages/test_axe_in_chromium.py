"""Every page, light and dark, both ways, wide and narrow: axe finds nothing, the browser complains of nothing."""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.access_settings import AccessSettings
from gateway.http.pages.page_table import NOT_SHOWN, OPEN_PAGES, PAGES
from store.catalog import publish_bundle
from store.formats.bundle import Bundle
from store.people import Role
from tests import real_browser
from tests.administration import AdminWorld
from tests.real_browser import CHROMIUM, Watched, axe_source, served, start
from tests.samples import registry
from tests.samples.registry import MINE, SAMPLES, filled, parameters
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"),
]
WIDTHS = (1280, 320)
STYLES = Path(__file__).parents[4] / "gateway" / "web" / "styles"
MORE = (
    "/admin/rails/helpdesk",
    "/admin/rails/helpdesk/form",
    "/admin/rails/helpdesk/code",
    "/admin/playground?question=How+do+I+reset+my+password%3F",
)
"""Pages in a state that the samples do not have."""
registry.load_samples()


@pytest.fixture
def admin(make_admin) -> AdminWorld:
    made: AdminWorld = make_admin(AccessSettings(plain_http=True))
    made.user("ada", *Role)
    desk = assistant("helpdesk", areas=(MINE,), policy="helpdesk")
    publish_bundle(
        made.database, Bundle((prompt(f"{MINE}.vpn"),), (desk,), {"helpdesk": POLICY}), author="operator", note="first"
    )
    return made


@pytest.fixture
def address(admin: AdminWorld) -> Iterator[str]:
    with served(admin.app) as found:
        yield found


def pages(admin: AdminWorld) -> list[str]:
    """Gives the address of every page, of things that are there."""
    names = sorted(one for one in PAGES if one.startswith("GET ") and one not in NOT_SHOWN)
    wanted = {parameter for name in names for parameter in parameters(name)}
    made = {one: SAMPLES[one](admin, MINE) for one in sorted(wanted & SAMPLES.keys())}
    return [filled(name.split()[1], {"step": "submit", **made}) for name in names]


def complaints_of(watched: Watched, paths: list[str], source: str) -> Iterator[str]:
    """Gives everything that is wrong with the pages, in words that say where."""
    for path in paths:
        told = watched.page.goto(watched.address + path)
        if told is None or not told.ok:
            yield f"{path}: answers {told and told.status}: is there a sample for it?"
            continue
        for width in WIDTHS:
            watched.page.set_viewport_size({"width": width, "height": 900})
            if watched.overflows:
                yield f"{path} {width}: scrolls sideways"
            for theme in ("light", "dark"):
                watched.page.emulate_media(color_scheme=theme)
                found = watched.violations(source, is_only_colours=theme == "dark")
                yield from (f"{path} {width} {theme}: {one}" for one in found)
        yield from (f"{path}: {one}" for one in watched.complaints)
        watched.complaints.clear()


@pytest.mark.parametrize("locale", ["en-GB", "ar-EG"])
def test_axe_finds_nothing_on_any_page_and_the_browser_complains_of_none(
    admin: AdminWorld, address: str, locale: str
) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    source = axe_source()
    paths = [*pages(admin), *MORE]
    with sync_playwright() as playwright:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(locale=locale, reduced_motion="reduce"), address)
        opened = sorted(one.split()[1] for one in OPEN_PAGES if one.startswith("GET "))
        found = list(complaints_of(watched, opened, source))
        watched.sign_in("ada")
        found += complaints_of(watched, paths, source)
        browser.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("locale", ["en-GB", "ar-EG"])
def test_axe_finds_nothing_on_pages_of_a_store_in_which_nothing_was_ever_published(make_admin, locale: str) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - as above

    made: AdminWorld = make_admin(AccessSettings(plain_http=True))
    made.user("ada", *Role)
    with served(made.app) as address, sync_playwright() as playwright:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(locale=locale, reduced_motion="reduce"), address)
        watched.sign_in("ada")
        found = list(complaints_of(watched, ["/admin", "/admin/assistants/new"], axe_source()))
        browser.close()
    assert not found, "\n".join(found)


def test_a_theme_changes_colours_and_nothing_else() -> None:
    """All rules look at the light one: `light-dark()` gives nothing but a colour, and no style asks for the theme."""
    styles = {path.name: path.read_text() for path in STYLES.glob("*.css")}
    assert "light-dark(" in styles["tokens.css"]
    assert not [name for name, text in styles.items() if "prefers-color-scheme" in text]
    themed = {one.strip() for text in styles.values() for one in re.findall(r"\[data-theme[^{]*\{([^}]*)\}", text)}
    assert themed == {"color-scheme: light;", "color-scheme: dark;"}


def test_axe_and_the_watch_see_what_is_wrong(address: str) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - as above

    with sync_playwright() as playwright:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(), address)
        watched.page.goto(f"{address}/admin/sign-in")
        spoil = partial(watched.page.evaluate, "name => document.querySelector(name).remove()")
        spoil("label[for=f-name]")
        watched.page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: '//x.test/a'}))")
        found = watched.violations(axe_source())
        assert not watched.violations(axe_source(), is_only_colours=True)
        watched.page.evaluate("document.querySelector('label[for=f-password]').style.color = '#ccc'")
        faint = watched.violations(axe_source(), is_only_colours=True)
        browser.close()
    assert [one.split()[0] for one in faint] == ["color-contrast"]
    assert any(one.startswith("label ") for one in found)
    assert any(one.startswith("image-alt ") for one in found)
    assert any("img-src" in one for one in watched.complaints)


@pytest.mark.parametrize(("user", "outcome"), [(0, pytest.fail.Exception), (1000, pytest.skip.Exception)])
def test_without_axe_whoever_could_install_it_fails(
    user: int, outcome: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_browser, "AXE", tmp_path / "axe.min.js")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(outcome, match="make browser"):
        axe_source()
