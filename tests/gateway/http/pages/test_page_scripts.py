"""What scripts add to the pages, in a real browser; and that nothing is lost without them."""

import gzip
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gateway.access_settings import AccessSettings
from gateway.http import static
from gateway.http.static import FILES
from store.catalog import publish_bundle
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.real_browser import CHROMIUM, Watched, axe_source, require_bundle, watching
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE_BYTES, EDITOR_BYTES = 25 * 1024, 160 * 1024
needs_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`")


@pytest.fixture
def watched(make_admin) -> Iterator[Watched]:
    admin: AdminWorld = make_admin(AccessSettings(plain_http=True))
    admin.user("ada", Role.ADMIN, Role.EDITOR)
    desk = assistant("helpdesk", policy="helpdesk")
    made = Bundle((prompt("it.vpn"),), (desk,), {"helpdesk": POLICY, "other": POLICY | {"name": "other"}})
    publish_bundle(admin.database, made, author="operator", note="first")
    with watching(admin.app) as found:
        yield found


def at(watched: Watched, path: str) -> None:
    watched.page.wait_for_url(re.compile(re.escape(watched.address + path) + r"(\?.*)?$"))


def test_scripts_weigh_what_a_page_may() -> None:
    require_bundle()
    assert len(gzip.compress(FILES["page.js"].content, 9)) <= PAGE_BYTES
    assert len(gzip.compress(FILES["editor.js"].content, 9)) <= EDITOR_BYTES


@pytest.mark.anyio
async def test_a_gateway_without_its_scripts_serves_pages_that_do_not_miss_them(
    admin: AdminWorld, signed_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    styles = {name: file for name, file in FILES.items() if not name.endswith(".js")}
    monkeypatch.setattr(static, "FILES", styles)
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    for path in ("/admin", "/admin/profile", "/admin/rails"):
        await browser.open(path)
        assert browser.status == 200
        assert not browser.page.count("script") + browser.page.count("dialog") + browser.page.count("kbd")
    look = {"theme": "dark", "shortcuts": "off"}
    monkeypatch.setattr(static, "FILES", FILES)
    require_bundle()
    await browser.open("/admin/profile")
    await browser.send("/admin/look", **look)
    html = next(values for tag, values in browser.page.tags if tag == "html")
    assert (html["data-theme"], html["data-shortcuts"]) == ("dark", "off")


@pytest.mark.browser
@needs_browser
def test_the_palette_finds_a_page_by_a_few_letters(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Control+k")
    assert page.locator("#palette").is_visible()
    assert not watched.violations(axe_source())
    page.keyboard.type("rails")
    assert page.locator("#palette li:visible").count() == 1
    page.keyboard.press("Enter")
    at(watched, "/admin/rails")
    page.locator("#open-palette").click()
    page.keyboard.press("Escape")
    assert not page.locator("#palette").is_visible()


@pytest.mark.browser
@needs_browser
def test_letters_go_where_the_sheet_says_and_never_while_somebody_types(watched: Watched) -> None:
    page = watched.page
    page.keyboard.type("gr")
    at(watched, "/admin/rails")
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    assert not watched.violations(axe_source())
    page.keyboard.type("gl")
    page.locator("#shortcuts [data-close]").click()
    at(watched, "/admin/rails")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "other"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    at(watched, "/admin/rails/helpdesk")
    page.goto(f"{watched.address}/admin/rails")
    page.keyboard.press("/")
    page.keyboard.type("gy?")
    assert page.input_value("#q-search") == "gy?"
    at(watched, "/admin/rails")


@pytest.mark.browser
@needs_browser
def test_letters_that_were_turned_off_do_nothing_and_the_palette_still_opens(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.address}/admin/profile")
    page.select_option("#f-shortcuts", "off")
    with page.expect_navigation():
        page.get_by_role("button", name="Keep").click()
    page.keyboard.type("gr?")
    at(watched, "/admin/profile")
    assert not page.locator("#shortcuts").is_visible()
    page.keyboard.press("Control+k")
    assert page.locator("#palette").is_visible()


@pytest.mark.browser
@needs_browser
def test_the_editor_sends_what_is_in_it_and_shows_where_a_mistake_is(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.address}/admin/rails/helpdesk/code")
    editor = page.locator(".editor .cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("nmae: x\n")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert page.locator(".findings").is_visible()
    assert "nmae: x" in editor.inner_text()
    assert page.locator(".editor .cm-lint-marker-error").count() >= 1
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert not watched.violations(axe_source())
    page.locator(".findings a").first.click()
    assert page.evaluate("document.activeElement.className") == "editor"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") != "editor", "Tab leaves it"
    watched.complaints[:] = [one for one in watched.complaints if "422" not in one]


@pytest.mark.browser
@needs_browser
def test_a_text_that_is_thrown_away_is_thrown_out_of_the_editor_too(watched: Watched) -> None:
    page = watched.page
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{watched.address}/admin/rails/helpdesk/code")
    before = page.input_value("#f-text")
    editor = page.locator(".editor .cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("nmae: x\n")
    page.goto(f"{watched.address}/admin/rails/helpdesk/code")
    assert "nmae: x" in editor.inner_text()
    page.get_by_role("button", name="Throw it away").click()
    assert "nmae: x" not in editor.inner_text(), "what is seen is what is sent"
    assert page.input_value("#f-text") == before


@pytest.mark.browser
@needs_browser
def test_correcting_a_marked_mistake_in_the_editor_sets_no_style_that_the_policy_forbids(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.address}/admin/rails/helpdesk/code")
    editor = page.locator(".editor .cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("nmae: x\n")
    page.locator(".editor .cm-lint-marker-error").first.wait_for()
    page.locator(".editor .cm-lint-marker-error").first.hover()
    page.locator(".editor .cm-lintRange-error").first.click()
    page.locator(".editor .cm-tooltip").first.wait_for()
    for key in ("End", "a", "Backspace", "Control+Backspace", "b", "Home", "c", "Delete", "Enter", "Backspace"):
        page.keyboard.press(key)
    for selecting in ("Control+a", "Shift+Home", "Control+Shift+ArrowLeft", "Control+a"):
        page.keyboard.press(selecting)
        page.keyboard.type("nmae: helpdesk")
    page.locator(".editor .cm-lintRange-error").first.dblclick()
    page.keyboard.type("name")
    page.wait_for_timeout(1500)
    assert "name" in editor.inner_text()
    assert page.input_value("#f-text") == editor.inner_text(), "what is seen is what is sent"


def accepted(page: "Page") -> list[str]:
    """Returns the kinds of what the browser asks from now on, to which the answer is yes."""
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    return asked


@pytest.mark.browser
@needs_browser
def test_typed_text_is_not_left_without_a_question(watched: Watched) -> None:
    page = watched.page
    asked = accepted(page)
    page.goto(f"{watched.address}/admin/playground")
    page.locator("#f-question").press_sequentially("Hello")
    page.goto(f"{watched.address}/admin")
    assert asked == ["beforeunload"]
    page.goto(f"{watched.address}/admin/playground")
    page.locator("#f-question").press_sequentially("How do I reset my password?")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert asked == ["beforeunload"]
    assert page.get_by_text("Answered").is_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl ")


@pytest.mark.browser
@needs_browser
def test_a_refused_text_is_guarded_and_kept_although_nobody_typed_on_its_page(watched: Watched) -> None:
    page = watched.page
    asked = accepted(page)
    page.goto(f"{watched.address}/admin/rails/helpdesk/code")
    editor = page.locator(".editor .cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("nmae: x\n")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    watched.complaints[:] = [one for one in watched.complaints if "422" not in one]
    assert page.locator(".kept-at").is_visible()
    editor.click()
    page.goto(f"{watched.address}/admin")
    assert asked == ["beforeunload"]
    page.goto(f"{watched.address}/admin/rails/helpdesk/code")
    assert "nmae: x" in editor.inner_text()


@pytest.mark.browser
@needs_browser
def test_no_other_form_leaves_typed_text_without_a_question(watched: Watched) -> None:
    page = watched.page
    asked: list[str] = []
    answers = iter((False, False, True))

    def answer(dialog) -> None:
        asked.append(dialog.type)
        dialog.accept() if next(answers) else dialog.dismiss()

    page.on("dialog", answer)
    page.goto(f"{watched.address}/admin/playground")
    page.locator("#f-question").press_sequentially("Hello")
    page.get_by_role("button", name="Sign out").click()
    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    with page.expect_event("dialog"):
        page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert asked == ["confirm", "beforeunload"]
    assert page.input_value("#f-question") == "Hello"
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    at(watched, "/admin/sign-in")
    assert asked == ["confirm", "beforeunload", "confirm"]
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.browser
@needs_browser
def test_keys_of_another_script_and_capitals_by_caps_lock_are_shortcuts_too(watched: Watched) -> None:
    page = watched.page

    def press(*keys: tuple[str, str], **more: bool) -> None:
        """Sends keys as a keyboard of another script does, which Playwright has none of."""
        for key, code in keys:
            page.evaluate(
                "one => (document.activeElement ?? document).dispatchEvent(new KeyboardEvent('keydown', one))",
                {"key": key, "code": code, "bubbles": True, "cancelable": True, **more},
            )

    press(("ل", "KeyG"), ("ق", "KeyR"))
    at(watched, "/admin/rails")
    press(("؟", "Slash"), shiftKey=True)
    assert page.locator("#shortcuts").is_visible()
    page.locator("#shortcuts [data-close]").click()
    press(("J", "KeyJ"), ("J", "KeyJ"))
    assert page.evaluate("document.activeElement.textContent") == "other"
    press(("K", "KeyK"), shiftKey=True)
    assert page.evaluate("document.activeElement.textContent") == "other", "a capital that is meant is no shortcut"
    press(("ن", "KeyK"), ctrlKey=True)
    assert page.locator("#palette").is_visible()
    page.goto(f"{watched.address}/admin/playground")
    page.locator("#f-question").press_sequentially("How do I reset my password?")
    with page.expect_navigation():
        press(("س", "KeyS"), ctrlKey=True)
    assert page.get_by_text("Answered").is_visible()


@pytest.mark.browser
@needs_browser
def test_ctrl_s_and_ctrl_enter_send_no_form_that_nobody_is_at(watched: Watched) -> None:
    page = watched.page
    posted: list[str] = []
    page.goto(f"{watched.address}/admin/keys/new")
    page.fill("#f-name", "intranet")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    with page.expect_navigation():
        page.get_by_role("link", name="I have stored it").click()
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    rotate = page.get_by_role("button", name="Replace")
    for place in (page.locator("h1"), rotate, page.locator("#f-overlap")):
        page.evaluate("document.activeElement.blur()")
        place.focus()
        page.keyboard.press("Control+s")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+Enter")
    page.wait_for_load_state("networkidle")
    assert not posted
    assert rotate.is_visible()


@pytest.mark.browser
@needs_browser
def test_a_step_is_taken_by_its_own_key_and_not_from_the_link_beside_its_button(watched: Watched) -> None:
    page = watched.page
    accepted(page)
    page.goto(f"{watched.address}/admin/prompts/it.vpn/edit")
    page.locator("#f-title").press_sequentially(" of Zoe")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    change = page.url.partition("change=")[2]
    page.goto(f"{watched.address}/admin/changes/{change}/steps/submit")
    page.fill("#f-note", "Nobody understood it.")
    page.keyboard.press("Control+s")
    page.get_by_role("link", name="Cancel").focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_load_state("networkidle")
    at(watched, f"/admin/changes/{change}/steps/submit")
    page.locator("#f-note").focus()
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    at(watched, f"/admin/changes/{change}")
