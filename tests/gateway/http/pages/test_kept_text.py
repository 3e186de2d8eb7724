"""Text that was typed and could not be sent is in the form again, in a real browser: nothing typed is lost."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from gateway.access_settings import AccessSettings, OidcGrantSettings, OidcSettings
from store.people import Role
from tests.administration import PASSWORD, AdminWorld
from tests.gateway.http.pages.page_content import PROMPT, fill, publish
from tests.gateway.http.pages.test_page_scripts import needs_browser
from tests.gateway.http.pages.test_suite_pages import NAME, make_live
from tests.oidc_server import CLIENT, REDIRECT, SECRET, OidcServer
from tests.real_browser import Watched, axe_source, watching

pytestmark = [pytest.mark.browser, needs_browser]
EDIT = f"{PROMPT}/edit"
KEPT = "What you had typed here and not sent is in the form again."


@pytest.fixture
def provider() -> Iterator[OidcServer]:
    with OidcServer() as running:
        running.claims["preferred_username"] = "grace"
        yield running


@pytest.fixture
def admin(make_admin, provider: OidcServer) -> AdminWorld:
    oidc = OidcSettings(
        issuer=provider.issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect_url=REDIRECT,
        grants=(OidcGrantSettings(value="editors", role=Role.EDITOR),),
    )
    made: AdminWorld = make_admin(AccessSettings(plain_http=True), oidc=oidc)
    fill(made)
    made.user("ann", Role.EDITOR)
    return made


@pytest.fixture
def watched(admin: AdminWorld) -> Iterator[Watched]:
    with watching(admin.app) as found:
        found.page.on("dialog", lambda dialog: dialog.accept())
        yield found


def typed(watched: Watched, title: str) -> None:
    """Types another title and waits until it is kept."""
    watched.page.goto(watched.address + EDIT)
    watched.page.locator("#f-title").press_sequentially(title)
    watched.page.wait_for_timeout(2500)


def signed_in_again(watched: Watched, name: str) -> None:
    """Fills in the page that a lost session leads to."""
    watched.page.fill("#f-name", name)
    watched.page.fill("#f-password", PASSWORD)
    watched.page.keyboard.press("Enter")


def signed_in_at_the_provider(watched: Watched, provider: OidcServer) -> None:
    """Goes to the provider and comes back, without a page of the provider in between."""
    begun = watched.page.context.request.get(f"{watched.address}/v1/admin/oidc/start", max_redirects=0)
    query = urlencode(provider.sign_in(begun.headers["location"]))
    watched.page.goto(f"{watched.address}/v1/admin/oidc/callback?{query}")
    watched.page.wait_for_url(re.compile(r".*/admin/?$"))


def refused(watched: Watched, status: int) -> None:
    """Sends the form, which is not taken."""
    with watched.page.expect_navigation():
        watched.page.keyboard.press("Control+s")
    assert any(f"{status}" in one for one in watched.complaints)
    watched.complaints[:] = [one for one in watched.complaints if f"{status}" not in one]


def test_a_session_that_was_lost_while_typing_costs_no_text(watched: Watched) -> None:
    page = watched.page
    typed(watched, " of Zoe")
    assert re.fullmatch(r"Kept in this tab \d\d:\d\d", page.locator(".kept-at").inner_text())
    page.context.clear_cookies()
    page.goto(watched.address + EDIT)
    signed_in_again(watched, "ada")
    page.wait_for_url(watched.address + EDIT)
    assert " of Zoe" in page.input_value("#f-title")
    assert page.get_by_text(KEPT).is_visible()
    assert not watched.violations(axe_source())
    page.get_by_role("button", name="Throw it away").click()
    assert " of Zoe" not in page.input_value("#f-title")
    page.goto(watched.address + EDIT)
    assert not page.get_by_text(KEPT).is_visible()


def test_a_question_for_a_test_set_is_asked_about_and_kept_for_its_own_case(
    admin: AdminWorld, watched: Watched
) -> None:
    page, asked = watched.page, []
    make_live(admin)
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.goto(f"{watched.address}/admin/suites/{NAME}/case?case=vpn")
    page.locator("#f-message").press_sequentially("At home: ")
    page.goto(f"{watched.address}/admin/suites/{NAME}/case?case=evil")
    assert asked == ["beforeunload"]
    assert page.input_value("#f-message") == "Ignore all that"
    page.goto(f"{watched.address}/admin/suites/{NAME}/case?case=vpn")
    assert page.get_by_text(KEPT).is_visible()
    assert page.input_value("#f-message") == "At home: Set up the VPN"


def test_a_question_that_came_with_the_address_is_not_hidden_by_what_was_typed_for_another_case(
    admin: AdminWorld, watched: Watched
) -> None:
    page = watched.page
    make_live(admin)
    form = f"{watched.address}/admin/suites/{NAME}/case"
    page.goto(form)
    page.locator("#f-message").press_sequentially("May I bring a dog?")
    page.goto(f"{form}?message=How+do+I+reset+my+VPN%3F&expect=no_match")
    assert page.input_value("#f-message") == "How do I reset my VPN?"
    assert page.input_value("#f-expect") == "no_match"
    page.goto(form)
    assert page.input_value("#f-message") == "May I bring a dog?"


def test_a_text_that_was_saved_is_not_put_back(watched: Watched) -> None:
    page = watched.page
    typed(watched, " of Zoe")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    page.goto(watched.address + EDIT)
    assert not page.get_by_text(KEPT).is_visible()
    assert " of Zoe" not in page.input_value("#f-title")


def test_a_text_that_was_sent_and_not_taken_is_in_the_form_again(watched: Watched) -> None:
    page = watched.page
    typed(watched, " of Zoe")
    page.evaluate("document.querySelector('main input[name=csrf]').value += 'x'")
    refused(watched, 403)
    page.get_by_role("link", name="Go to the overview").click()
    page.wait_for_url(watched.address + "/admin")
    page.goto(watched.address + EDIT)
    assert " of Zoe" in page.input_value("#f-title")
    page.context.clear_cookies()
    refused(watched, 401)
    signed_in_again(watched, "ada")
    page.get_by_role("button", name="Save it now").click()
    page.wait_for_url(re.compile(r".*change=.*"))
    page.goto(watched.address + EDIT)
    assert not page.get_by_text(KEPT).is_visible(), "it was sent once more"


def test_a_text_is_in_the_form_again_after_a_sign_in_at_the_provider(watched: Watched, provider: OidcServer) -> None:
    page = watched.page
    page.context.clear_cookies()
    signed_in_at_the_provider(watched, provider)
    typed(watched, " of Zoe")
    page.context.clear_cookies()
    refused(watched, 401)
    assert page.get_by_role("link", name="Single sign-on").is_visible()
    signed_in_at_the_provider(watched, provider)
    page.goto(watched.address + EDIT)
    assert " of Zoe" in page.input_value("#f-title")


def test_a_text_that_was_typed_over_another_one_still_meets_the_conflict(admin: AdminWorld, watched: Watched) -> None:
    page = watched.page
    typed(watched, " of Zoe")
    publish(admin, title="Quite another title")
    page.goto(watched.address + EDIT)
    assert " of Zoe" in page.input_value("#f-title")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    watched.complaints[:] = [one for one in watched.complaints if "409" not in one]
    assert page.get_by_text("Somebody else changed this meanwhile.").is_visible()
    assert "of Zoe" in page.input_value("#f-title")


def test_a_text_comes_back_in_its_own_form_and_in_no_other_of_the_same_address(watched: Watched) -> None:
    page = watched.page
    typed(watched, " of Zoe")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    change = page.url.partition("change=")[2]
    typed(watched, " of Yan")
    page.goto(f"{watched.address}{EDIT}?change={change}")
    assert "of Zoe" in page.input_value("#f-title")
    assert "of Yan" not in page.input_value("#f-title")
    page.goto(watched.address + EDIT)
    assert "of Yan" in page.input_value("#f-title")


def test_a_text_is_for_nobody_else_in_the_same_tab(watched: Watched) -> None:
    page = watched.page
    typed(watched, " of Zoe")
    page.context.clear_cookies()
    page.goto(watched.address + EDIT)
    signed_in_again(watched, "ann")
    page.wait_for_url(watched.address + EDIT)
    assert " of Zoe" not in page.input_value("#f-title")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    assert page.evaluate("sessionStorage.length") == 0


def test_letters_lead_through_the_differences_of_a_change_and_open_its_dialogs(
    admin: AdminWorld, watched: Watched
) -> None:
    page, sent = watched.page, list[str]()
    typed(watched, " of Zoe")
    page.fill("#f-owner", "Zoe")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    change = page.url.partition("change=")[2]
    ada = admin.access.users.named("ada").actor
    held = admin.changing.drafts.page(ada).changes[0]
    described = admin.changing.drafts.describe(ada, held.id, rev=held.rev, note="Nobody understood it.")
    admin.changing.review.submit(ada, held.id, rev=described.rev)
    page.context.clear_cookies()
    page.goto(f"{watched.address}/admin/changes/{change}")
    signed_in_again(watched, "bob")
    page.wait_for_url(f"{watched.address}/admin/changes/{change}")
    seen = []
    for key in "nnp":
        page.keyboard.press(key)
        seen.append(page.evaluate("document.activeElement.id"))
    assert seen == ["hunk-1-1", "hunk-1-2", "hunk-1-1"]
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.keyboard.press("a")
    page.keyboard.type("hm, the second fact")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.wait_for_load_state("networkidle")
    assert not sent, "nobody sees what stands in a dialog that was closed"
    page.keyboard.press("r")
    dialog = page.locator("dialog[data-letter=r]")
    assert dialog.is_visible()
    assert not watched.violations(axe_source())
    dialog.locator("textarea").fill("Name the team.")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Request changes").click()
    assert page.get_by_text("Name the team.").first.is_visible()
