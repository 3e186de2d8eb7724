"""Reloads and tabs: a conversation goes on in its own tab, and a copy of the tab begins its own."""

import pytest
from playwright.sync_api import Route, expect

from tests.widget.stand_in import Refusal, answer, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
CHAT, CONVERSATION = "/widget/v1/chat", "/widget/v1/conversations/c1"
ELEMENT = "document.querySelector('canongate-chat')"


def asked_and_reloaded(widget: WidgetPage) -> None:
    """Asks one question, and loads the page anew."""
    widget.launcher.click()
    widget.ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.page.reload()


def forgotten(widget: WidgetPage) -> list[str]:
    """Gives the conversations that the gateway was told to forget."""
    return [one.path for one in widget.gateway.of("DELETE", "/widget/v1/conversations")]


def test_a_reload_in_the_middle_of_an_answer_goes_on_with_it(widget: WidgetPage) -> None:
    first = [("stage", {"stage": "generating"}), ("sentence", {"text": "You have"})]
    widget.gateway.scripts["Second?"] = [*first, ("hold", "a"), ("done", answer())]
    widget.gateway.held.add("a")
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.ask("Second?")
    expect(widget.last.locator(".words")).to_contain_text("You have")
    stored = widget.page.evaluate("Object.values({...sessionStorage})")
    assert stored == ["c1"]
    widget.page.reload()
    before = len(widget.requests)
    expect(widget.launcher).to_be_visible()
    widget.launcher.click()
    expect(widget.log.locator(".turn")).to_have_count(2)
    expect(widget.last.locator(".words")).to_contain_text("You have")
    expect(widget.button("Stop")).to_be_visible()
    widget.gateway.held.clear()
    expect(widget.last.locator(".tools")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == 2
    assert before > 0


def test_a_conversation_that_is_over_begins_anew_without_a_word(widget: WidgetPage) -> None:
    widget.expected.append("404")
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.gateway.made.clear()
    widget.page.reload()
    widget.launcher.click()
    expect(widget.log).to_contain_text("Ask me about leave")
    assert widget.page.evaluate("sessionStorage.length") == 0


def test_a_copied_tab_does_not_share_the_stream(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = [("stage", {"stage": "generating"}), ("hold", "a"), *told()]
    widget.gateway.held.add("a")
    widget.opened().ask("How?")
    expect(widget.status).to_have_text("Writing the answer")
    with widget.page.expect_popup() as opened:
        widget.page.evaluate("window.open(location.href)")  # a page that is opened so has a copy of the storage
    copy = WidgetPage(opened.value, widget.host, widget.gateway, widget.address)
    copy.launcher.click()
    expect(copy.log).to_contain_text("Ask me about leave")
    copy.ask("Mine?")
    expect(copy.last.locator(".tools")).to_be_visible()
    widget.gateway.held.clear()
    expect(widget.last.locator(".tools")).to_be_visible()
    assert [one.body["conversation"] for one in widget.gateway.of("POST", CHAT)] == [None, None]
    assert not widget.gateway.of("GET", CHAT)


@pytest.mark.parametrize("denied", ["sessionStorage", "BroadcastChannel"])
def test_a_browser_that_keeps_nothing_loses_nothing_but_the_way_back(widget: WidgetPage, denied: str) -> None:
    widget.page.add_init_script(
        f"Object.defineProperty(window, '{denied}', {{get() {{ throw new DOMException('no', 'SecurityError') }}}})"
    )
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.ask("Second?")
    expect(widget.log.locator(".tools")).to_have_count(2)
    assert widget.gateway.of("POST", CHAT)[1].body["conversation"] == "c1"


def test_an_element_that_is_moved_keeps_its_conversation_and_one_that_is_removed_lets_go(widget: WidgetPage) -> None:
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.page.evaluate("document.querySelector('main').append(document.querySelector('canongate-chat'))")
    expect(widget.last).to_contain_text("25 days")
    widget.gateway.scripts["Long?"] = [("hold", "a"), *told()]
    widget.gateway.held.add("a")
    widget.ask("Long?")
    expect(widget.status).to_be_visible()
    widget.page.evaluate("window.kept = document.querySelector('canongate-chat'); window.kept.remove()")
    widget.page.wait_for_timeout(100)
    widget.page.evaluate("document.body.append(window.kept)")
    widget.gateway.held.clear()
    expect(widget.log.locator(".turn")).to_have_count(2)
    expect(widget.log.locator(".tools")).to_have_count(2)


def test_an_element_that_is_removed_while_it_looks_for_its_conversation_lets_go(widget: WidgetPage) -> None:
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.page.reload()
    widget.page.evaluate("""async () => {
      const element = document.querySelector("canongate-chat");
      element.open();
      element.remove();
      window.kept = element;
    }""")
    widget.page.wait_for_timeout(300)
    assert widget.unexpected == []
    widget.page.evaluate("document.body.append(window.kept)")
    expect(widget.log.locator(".turn")).to_have_count(1)


def test_a_new_conversation_stays_new_when_the_old_one_comes(widget: WidgetPage) -> None:
    asked_and_reloaded(widget.visit())
    held: list[Route] = []
    widget.page.route(
        f"**{CONVERSATION}", lambda one: held.append(one) if one.request.method == "GET" else one.continue_()
    )
    with widget.page.expect_request(f"**{CONVERSATION}"):
        widget.launcher.click()
    widget.button("New conversation").click()
    with widget.page.expect_response(lambda one: one.request == held[0].request):
        held[0].continue_()
    widget.page.wait_for_timeout(100)
    expect(widget.log).to_contain_text("Ask me about leave")
    expect(widget.log.locator(".turn")).to_have_count(0)
    assert forgotten(widget) == [CONVERSATION]


@pytest.mark.parametrize("deed", ["open(); {element}.reset()", "reset()"])
def test_a_new_conversation_before_the_old_one_was_looked_for_forgets_it(widget: WidgetPage, deed: str) -> None:
    asked_and_reloaded(widget.visit())
    with widget.page.expect_request(lambda one: one.method == "DELETE" and one.url.endswith(CONVERSATION)):
        widget.page.evaluate(f"{ELEMENT}.{deed.format(element=ELEMENT)}")
    assert widget.page.evaluate("sessionStorage.length") == 0
    expect(widget.log.locator(".turn")).to_have_count(0)
    assert not widget.gateway.of("GET", CONVERSATION)


def test_a_new_conversation_in_a_copied_tab_leaves_the_other_its_own(widget: WidgetPage) -> None:
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    with widget.page.expect_popup() as opened:
        widget.page.evaluate("window.open(location.href)")
    copy = WidgetPage(opened.value, widget.host, widget.gateway, widget.address)
    copy.launcher.click()
    copy.button("New conversation").click()
    copy.page.wait_for_timeout(400)
    assert forgotten(widget) == []


@pytest.mark.parametrize(("sign_in", "refusals"), [("required", []), ("optional", [Refusal(404)])])
def test_a_token_that_comes_late_brings_the_conversation_back(
    widget: WidgetPage, sign_in: str, refusals: list[Refusal]
) -> None:
    widget.expected.append("404")
    widget.gateway.configuration["sign_in"] = sign_in
    widget.visit()
    widget.page.evaluate(f"{ELEMENT}.token = 'early'")
    asked_and_reloaded(widget)
    widget.gateway.refusals[f"GET {CONVERSATION}"] += refusals
    widget.launcher.click()
    expect(widget.log).to_contain_text("Ask me about leave")
    widget.page.evaluate(f"{ELEMENT}.token = 'late'")
    expect(widget.log.locator(".turn")).to_have_count(1)
