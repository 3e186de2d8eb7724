"""The palette, by keyboard alone: prompts by title, pages, actions, and what it says when nothing fits."""

import re
from collections.abc import Iterator

import pytest

from gateway.access_settings import AccessSettings
from store.catalog import publish_bundle
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.test_page_scripts import at
from tests.real_browser import CHROMIUM, Watched, axe_source, watching
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"),
]


@pytest.fixture
def watched(make_admin, request: pytest.FixtureRequest) -> Iterator[Watched]:
    role, locale = getattr(request, "param", (Role.EDITOR, "en-GB"))
    admin: AdminWorld = make_admin(AccessSettings(plain_http=True))
    admin.user("ada", role)
    prompts = (prompt("it.vpn", title="VPN from home"), prompt("it.badge", title="Lost <b>badge"))
    made = Bundle(prompts, (assistant("helpdesk", policy="helpdesk"),), {"helpdesk": POLICY})
    publish_bundle(admin.database, made, author="operator", note="first")
    with watching(admin.app, locale=locale) as found:
        yield found


def look_for(watched: Watched, words: str) -> None:
    watched.page.keyboard.press("Control+k")
    watched.page.keyboard.type(words)


def choices(watched: Watched) -> list[str]:
    return watched.page.locator("#palette li:visible .grow").all_inner_texts()


def kinds(watched: Watched) -> list[str]:
    return watched.page.locator("#palette li:visible .kind").all_inner_texts()


def test_a_prompt_is_found_by_its_title_and_opened_with_enter(watched: Watched) -> None:
    look_for(watched, "badge")
    watched.page.locator("#palette li:visible", has_text="Lost <b>badge").wait_for()
    assert choices(watched) == ["Lost <b>badge"]
    assert kinds(watched) == ["Prompt"]
    next_one = watched.page.locator("#palette .is-next")
    assert next_one.locator(".grow").all_inner_texts() == ["Lost <b>badge"], "what Enter opens"
    assert watched.page.get_by_role("link", name="Lost <b>badge Prompt", exact=True).count() == 1, "as it is read out"
    watched.page.keyboard.press("Enter")
    at(watched, "/admin/prompts/it.badge")


def test_enter_opens_what_was_found_for_what_stands_there_and_nothing_found_before(watched: Watched) -> None:
    look_for(watched, "vpn")
    watched.page.locator("#palette li:visible", has_text="VPN from home").wait_for()
    watched.page.fill("#palette-field", "badge")
    watched.page.keyboard.press("Enter")
    at(watched, "/admin/prompts/it.badge")


def test_an_action_is_found_and_arrows_lead_through_what_fits(watched: Watched) -> None:
    look_for(watched, "new")
    watched.page.keyboard.press("ArrowDown")
    watched.page.keyboard.press("ArrowDown")
    at_second = watched.page.evaluate("document.activeElement.querySelector('.grow').textContent")
    assert at_second == choices(watched)[1]
    assert set(kinds(watched)) == {"Action"}
    watched.page.keyboard.press("ArrowUp")
    watched.page.keyboard.press("ArrowUp")
    assert watched.page.evaluate("document.activeElement.id") == "palette-field"
    watched.page.keyboard.type(" prompt")
    watched.page.keyboard.press("Enter")
    at(watched, "/admin/prompts/new")


def test_the_theme_is_changed_and_one_signs_out_from_the_palette(watched: Watched) -> None:
    look_for(watched, "dark")
    with watched.page.expect_navigation():
        watched.page.keyboard.press("Enter")
    assert watched.page.evaluate("document.documentElement.dataset.theme") == "dark"
    at(watched, "/admin")
    look_for(watched, "sign out")
    watched.page.keyboard.press("Enter")
    at(watched, "/admin/sign-in")


def test_every_row_says_what_kind_it_is_and_none_is_found_by_that_alone(watched: Watched) -> None:
    look_for(watched, "")
    assert len(kinds(watched)) == len(choices(watched))
    assert set(kinds(watched)) == {"Page", "Action", "Colours"}
    watched.page.keyboard.type("colours")
    assert all("Colours" in one for one in choices(watched)), "by what it is called"
    watched.page.locator("#palette-field").fill("action")
    watched.page.get_by_text("Nothing found for “action”.").wait_for()


def test_what_fits_nothing_is_said_and_nothing_else_is_shown(watched: Watched) -> None:
    look_for(watched, "zebra")
    watched.page.get_by_text("Nothing found for “zebra”.").wait_for()
    assert choices(watched) == []
    watched.page.keyboard.press("Enter")
    at(watched, "/admin")
    watched.page.keyboard.press("Escape")
    assert not watched.page.locator("#palette").is_visible()


@pytest.mark.parametrize("watched", [(Role.VIEWER, "en-GB")], indirect=True)
def test_nobody_is_offered_what_their_role_cannot_begin(watched: Watched) -> None:
    look_for(watched, "")
    assert not [one for one in choices(watched) if re.search("New|Add|Import", one)]
    assert "Sign out" in choices(watched)


@pytest.mark.parametrize("watched", [(Role.ADMIN, "en-GB"), (Role.ADMIN, "ar-EG")], indirect=True, ids=["en", "ar"])
def test_axe_finds_nothing_in_the_palette(watched: Watched) -> None:
    source = axe_source()
    for words in ("", "vpn", "zebra"):
        look_for(watched, words)
        if words:
            shown = "#palette li:visible bdi" if words == "vpn" else "#palette [role=status]:not(:empty)"
            watched.page.locator(shown).first.wait_for()
        for width in (1280, 320):
            watched.page.set_viewport_size({"width": width, "height": 800})
            for theme in ("light", "dark"):
                watched.page.emulate_media(color_scheme=theme)
                assert not watched.violations(source), (words, width, theme)
                assert not watched.overflows
        watched.page.keyboard.press("Escape")
