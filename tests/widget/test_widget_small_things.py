"""What people see of a widget in small windows, beside another one, and after small deeds."""

import pytest
from playwright.sync_api import expect

from tests.widget.stand_in import CONTACT, Made, answer, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
CHAT = "/widget/v1/chat"
CLARIFY = {"outcome": "clarify", "source": "none"}
QUOTED = "Written with a text of yours. Please check it."


@pytest.mark.parametrize(
    "options",
    [{"locale": "en-GB", "viewport": {"width": wide, "height": high}} for wide, high in ((500, 220), (640, 360))],
    ids=str,
)
def test_a_low_window_shows_heading_and_composer_whole(widget: WidgetPage) -> None:
    widget.opened()
    size = widget.page.viewport_size
    for name in ("header", ".composer", ".composer textarea", ".go"):
        box = widget.element.locator(name).bounding_box()
        assert box["y"] >= 0, name
        assert box["y"] + box["height"] <= size["height"] + 0.5, name
        assert box["height"] >= 36, name
    assert widget.log.bounding_box()["height"] >= 90


def test_copying_and_feedback_are_seen_to_be_done(widget: WidgetPage) -> None:
    widget.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    text = "1. Open [the portal](https://hr.example.test/leave).\n2. Run:\n\n```\nif leave:\n    ask()\n```"
    widget.gateway.scripts["How?"] = told(text=text)
    widget.opened().ask("How?")
    widget.button("Copy answer").click()
    expect(widget.last.get_by_text("Copied")).to_be_visible()
    assert widget.page.evaluate("navigator.clipboard.readText()") == text
    widget.button("Not helpful").click()
    widget.button("Wrong").click()
    widget.button("Send feedback").click()
    expect(widget.last.get_by_text("Thank you for your feedback.")).to_be_visible()
    expect(widget.last.get_by_text("Copied")).to_have_count(0)


def test_a_question_back_says_not_what_an_answer_would_be_based_on(widget: WidgetPage) -> None:
    slot = {"name": "site", "type": "short_text", "ask": "Where?", "is_invalid": False, "values": []}
    widget.gateway.scripts["leave"] = told(**CLARIFY, text="Where?", slot=slot)
    widget.opened().ask("leave")
    expect(widget.last.locator("form.slot")).to_be_visible()
    expect(widget.last.locator(".source")).to_have_text("")


def test_characters_are_counted_as_the_gateway_counts_them(widget: WidgetPage) -> None:
    widget.gateway.configuration["max_length"] = 20
    widget.opened()
    widget.input.fill("🌿" * 21)
    expect(widget.element.locator(".count")).to_have_text("Too long: 1 characters over the limit")
    widget.ask("🌿" * 20)
    expect(widget.last).to_contain_text("25 days")


def test_an_answer_with_a_text_of_the_persons_own_is_not_called_approved(widget: WidgetPage) -> None:
    widget.gateway.scripts["sum"] = told(has_quoted_text=True, source="generate")
    widget.opened()
    expect(widget.log).to_contain_text("Answers come from approved content, or say otherwise.")
    widget.ask("sum")
    expect(widget.last.locator(".body > .meta").first).to_have_text(QUOTED)
    widget.ask("plain")
    expect(widget.last.locator(".tools")).to_be_visible()
    expect(widget.last).not_to_contain_text(QUOTED)


def test_what_was_stopped_is_stopped_after_a_reload_too(widget: WidgetPage) -> None:
    ended = {"error": {"code": "client_closed_request"}}
    widget.gateway.scripts["Long?"] = [("stage", {"stage": "generating"}), ("hold", "a"), ("error", ended)]
    widget.gateway.held.add("a")
    widget.opened().ask("Long?")
    expect(widget.status).to_have_text("Writing the answer")
    widget.button("Stop").click()
    expect(widget.status).to_have_text("Stopped.")
    widget.page.reload()
    widget.launcher.click()
    widget.gateway.held.clear()
    expect(widget.status).to_have_text("Stopped.")
    expect(widget.button("Try again")).to_be_visible()
    assert widget.told("error") == []


def test_two_widgets_of_one_client_find_their_own_conversations_after_a_reload(widget: WidgetPage) -> None:
    widget.visit("", 'position="start"')
    one, other = (widget.page.locator("canongate-chat").nth(at) for at in (0, 1))
    for at, question in ((one, "First?"), (other, "Second?")):
        at.locator(".launcher").click()
        at.locator("textarea").fill(question)
        at.locator("textarea").press("Enter")
        expect(at.locator(".tools")).to_have_count(1)
    widget.page.reload()
    for at, question in ((one, "First?"), (other, "Second?")):
        at.locator(".launcher").click()
        expect(at.locator(".turn")).to_have_count(1)
        expect(at.locator(".mine")).to_contain_text(question)


def test_whoever_is_signed_out_before_asking_sees_whom_to_ask_instead(widget: WidgetPage) -> None:
    widget.gateway.configuration["sign_in"] = "required"
    widget.opened()
    notice = widget.element.locator(".notice")
    expect(notice).to_contain_text("reload the page to sign in")
    expect(notice.get_by_role("link", name=CONTACT["url"])).to_be_visible()
    assert not widget.gateway.of("POST", CHAT)


def test_an_odd_answer_of_before_a_reload_leaves_an_empty_panel(widget: WidgetPage) -> None:
    widget.opened().ask("First?")
    expect(widget.last.locator(".tools")).to_be_visible()
    made: Made = next(iter(widget.gateway.made.values()))
    made.events[-1] = ("done", answer(suggestions=None))
    widget.page.reload()
    widget.launcher.click()
    expect(widget.log).to_contain_text("Ask me about leave")


def test_whoever_reads_the_end_of_a_long_answer_is_left_there(widget: WidgetPage) -> None:
    long = "\n\n".join(f"Paragraph {number}." for number in range(30))
    widget.gateway.scripts["Long?"] = [
        ("sentence", {"text": long}),
        ("hold", "a"),
        ("sentence", {"text": "\n\nMore."}),
        ("hold", "b"),
        ("done", answer(text=f"{long}\n\nMore.")),
    ]
    widget.gateway.held |= {"a", "b"}
    widget.opened().ask("Long?")
    expect(widget.last).to_contain_text("Paragraph 29.")
    at = int(widget.log.evaluate("node => { node.scrollTop = node.scrollHeight; return node.scrollTop }"))
    widget.page.wait_for_timeout(100)
    widget.gateway.held.remove("a")
    expect(widget.last).to_contain_text("More.")
    assert widget.log.evaluate("node => node.scrollTop") >= at
    widget.gateway.held.clear()
    expect(widget.last.locator(".tools")).to_be_visible()
    assert widget.log.evaluate("node => node.scrollTop") >= at
