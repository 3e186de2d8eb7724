"""For everybody: keys, screen readers, input methods, small and enlarged screens, forced colours and little motion."""

import pytest
from playwright.sync_api import expect

from tests.real_browser import axe_source
from tests.widget.stand_in import CONTACT, answer, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
ARABIC = "كم عدد أيام الإجازة؟"
LONG = """Read **this** [policy](https://intranet.example.test/leave).

## Steps
1. Open `HR`
   - choose
2. Send

| Years | Days |
|---|---|
| 0 to 2 | 25 |

```
leave --from 2026-01-05
```
"""


def scripted(widget: WidgetPage) -> WidgetPage:
    offered = [{"id": "a", "title": "Carry over"}, {"id": "b", "title": "Parental leave"}]
    clarify = {"outcome": "clarify", "source": "none", "prompt": None}
    day = {"name": "day", "type": "date", "ask": "From when?", "is_invalid": True, "values": []}
    widget.gateway.scripts |= {
        "long": told(text=LONG, suggestions=offered),
        "leave": told(**clarify, text="Which one?", suggestions=offered),
        "person": told(source="handoff", contact=CONTACT | {"phone": "4250"}),
        "bad": told(outcome="blocked_input", source="none", prompt=None, text="I cannot help with that."),
        "when": told(**clarify, text="From when?", slot=day),
        "wait": [("stage", {"stage": "generating"}), ("hold", "a"), ("done", answer())],
        ARABIC: told(text="لديك **25 يومًا**."),
    }
    return widget


def scrolls_sideways(widget: WidgetPage) -> bool:
    script = """element => [document.documentElement, ...element.shadowRoot.querySelectorAll(".panel, .log, .full")]
        .some(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)"""
    return bool(widget.element.evaluate(script))


LOOKS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 560}},
    "zoomed": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(
    "options",
    [{"locale": "en-GB", "viewport": {"width": 1000, "height": 800}} | one for one in LOOKS.values()],
    ids=LOOKS,
)
def test_axe_finds_nothing_in_any_state_and_nothing_scrolls_sideways(widget: WidgetPage, language: str) -> None:
    source = axe_source()
    scripted(widget).opened(f'lang="{language}"')
    expect(widget.log).to_contain_text("Ask me about leave")
    assert not widget.violations(source)
    for question in ("long", "person", "bad", "when", "leave"):
        widget.ask(question)
        expect(widget.last.locator(".tools")).to_have_count(1)
    widget.log.locator('[aria-pressed="false"]').nth(1).click()
    assert not widget.violations(source)
    assert not scrolls_sideways(widget)
    widget.gateway.held.add("a")
    widget.ask("wait")
    expect(widget.status).to_be_visible()
    assert not widget.violations(source)


def test_an_answer_is_spoken_once_and_in_plain_words(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = [
        *(("stage", {"stage": one}) for one in ("checking", "matching", "generating")),
        ("hold", "a"),
        ("sentence", {"text": "You have **25 days**"}), ("sentence", {"text": " of annual leave."}), ("done", answer()),
    ]  # fmt: skip
    widget.gateway.held.add("a")
    widget.opened()
    widget.listen()
    widget.ask("How?")
    widget.page.wait_for_timeout(600)
    widget.gateway.held.clear()
    expect(widget.last.locator(".tools")).to_be_visible()
    widget.page.wait_for_timeout(600)
    widget.button("Close chat").first.click()
    widget.launcher.click()
    widget.page.wait_for_timeout(600)
    assert len(widget.spoken) == 2  # the first stage alone, then the answer
    assert widget.spoken[1] == "You have 25 days of annual leave."
    assert widget.log.get_attribute("aria-live") == "off"


def test_the_same_answer_twice_is_two_messages_in_two_regions(widget: WidgetPage) -> None:
    widget.opened()
    widget.listen()
    for _ in range(2):
        widget.ask("How?")
        expect(widget.last.locator(".tools")).to_be_visible()
        widget.page.wait_for_timeout(500)
    assert widget.spoken.count("You have 25 days of annual leave.") == 2
    regions = "element => [...element.shadowRoot.querySelectorAll('.sr [role=status]')].map(one => one.textContent)"
    assert sorted(map(bool, widget.element.evaluate(regions))) == [False, True]


def test_a_near_miss_says_how_many_suggestions_there_are(widget: WidgetPage) -> None:
    scripted(widget).opened()
    widget.listen()
    widget.ask("leave")
    expect(widget.last).to_contain_text("Did you mean")
    widget.page.wait_for_timeout(500)
    assert widget.spoken[-1] == "Which one? Suggestions: 2."


def test_a_question_that_is_too_long_is_said_to_be(widget: WidgetPage) -> None:
    widget.gateway.configuration["max_length"] = 20
    widget.opened()
    expect(widget.log).to_contain_text("Ask me about leave")
    widget.ask("x" * 23)
    expect(widget.element.locator(".panel > .sr")).to_have_text("Too long: 3 characters over the limit")
    expect(widget.input).to_have_value("x" * 23)


@pytest.mark.parametrize("is_online", [True, False])
def test_what_stands_in_the_way_is_said_when_the_panel_is_opened(widget: WidgetPage, *, is_online: bool) -> None:
    widget.gateway.configuration["sign_in"] = "required" if is_online else "none"
    widget.hold_time()
    widget.visit()
    widget.listen()
    if is_online:
        widget.launcher.focus()
        expect(widget.element.locator(".notice")).to_contain_text("Please reload the page")
    else:
        with widget.page.expect_request_finished(lambda one: one.url.endswith("/widget/v1/sessions")):
            widget.launcher.focus()
        widget.page.context.set_offline(True)
        expect(widget.element.locator(".notice")).to_contain_text("You are offline")
    widget.page.clock.run_for(500)
    assert not widget.spoken
    widget.page.keyboard.press("Enter")
    told = widget.element.locator(".notice p").first.inner_text()
    expect(widget.element.locator(".panel > .sr")).to_have_text(told)
    widget.page.clock.run_for(500)
    assert widget.spoken == [told]


def test_everything_is_done_with_keys_alone(widget: WidgetPage) -> None:
    scripted(widget).visit()
    press = widget.page.keyboard.press
    press("Tab")
    assert widget.focused == "Open chat"
    press("Enter")
    assert widget.focused == "Your question"
    widget.page.keyboard.type("leave")
    press("Shift+Enter")
    widget.page.keyboard.type("please")
    expect(widget.input).to_have_value("leave\nplease")
    press("Control+a")
    widget.page.keyboard.type("leave")
    press("Enter")
    expect(widget.last).to_contain_text("Did you mean")
    press("F6")
    assert widget.log.evaluate("node => node.matches(':focus')")
    press("Tab")
    assert widget.focused == "Carry over"
    press("Enter")
    expect(widget.last).to_contain_text("25 days")
    assert widget.focused == "Your question"
    press("F6")
    press("F6")
    assert widget.focused == "Your question"
    press("Escape")
    expect(widget.element.locator(".panel")).to_be_hidden()
    assert widget.focused == "Open chat"
    for key in "gh?/":
        press(key)
    expect(widget.element.locator(".panel")).to_be_hidden()


def test_an_input_methods_own_enter_and_escape_send_and_close_nothing(widget: WidgetPage) -> None:
    widget.opened()
    session = widget.page.context.new_cdp_session(widget.page)
    session.send("Input.imeSetComposition", {"text": "きゅう", "selectionStart": 3, "selectionEnd": 3})
    for key in ("Enter", "Escape"):
        event = "new KeyboardEvent('keydown', {key, isComposing: true, bubbles: true, composed: true})"
        widget.input.evaluate(f"(node, key) => node.dispatchEvent({event})", key)
    session.send("Input.insertText", {"text": "休暇"})
    expect(widget.input).to_have_value("休暇")
    assert not widget.gateway.of("POST", "/widget/v1/chat")
    expect(widget.element.locator(".panel")).to_be_visible()
    widget.input.press("Enter")
    expect(widget.last).to_contain_text("25 days")


@pytest.mark.parametrize("options", [{"locale": "en-GB", "viewport": {"width": 320, "height": 560}}])
def test_a_small_screen_has_a_modal_dialog_over_all_of_it(widget: WidgetPage) -> None:
    widget.opened()
    expect(widget.element.get_by_role("dialog")).to_be_visible()
    assert widget.element.locator(".panel").bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 560}
    assert widget.focused == "Your question"
    widget.ask("How?")
    expect(widget.last).to_contain_text("25 days")
    widget.page.set_viewport_size({"width": 900, "height": 700})
    expect(widget.element.locator("dialog")).to_be_hidden()
    expect(widget.last).to_contain_text("25 days")
    assert widget.focused == "Your question"
    widget.page.set_viewport_size({"width": 320, "height": 560})
    widget.page.keyboard.press("Escape")
    expect(widget.element.locator(".panel")).to_be_hidden()
    assert widget.focused == "Open chat"


def test_right_to_left_is_mirrored_and_each_message_has_its_own_direction(widget: WidgetPage) -> None:
    widget.gateway.configuration["suggestions"] = [{"id": "a", "title": "How do I ask?"}]
    scripted(widget).opened('lang="ar"')
    chip = widget.button("How do I ask?")
    assert chip.evaluate("node => getComputedStyle(node).direction") == "ltr"
    panel = widget.element.locator(".panel")
    expect(panel).to_have_css("direction", "rtl")
    assert panel.bounding_box()["x"] < 100
    for question, direction in (("How do I ask?", "ltr"), (ARABIC, "rtl")):
        widget.ask(question)
        expect(widget.last.locator(".mine > div")).to_have_css("direction", direction)
        expect(widget.last.locator(".words")).to_be_visible()
        assert widget.last.locator(".mine").bounding_box()["x"] - panel.bounding_box()["x"] < 40


def test_a_right_to_left_question_stands_on_the_side_of_the_others(widget: WidgetPage) -> None:
    scripted(widget).opened('lang="en"').ask(ARABIC)
    expect(widget.last.locator(".mine > div")).to_have_css("direction", "rtl")
    panel, mine = widget.element.locator(".panel").bounding_box(), widget.last.locator(".mine").bounding_box()
    assert panel["x"] + panel["width"] - mine["x"] - mine["width"] < 40


@pytest.mark.parametrize(
    "options", [{"locale": "en-GB", "forced_colors": "active", "viewport": {"width": 900, "height": 700}}]
)
def test_forced_colours_leave_every_control_its_border(widget: WidgetPage) -> None:
    scripted(widget).opened().ask("long")
    expect(widget.last.locator(".tools")).to_be_visible()
    script = """element => [...element.shadowRoot.querySelectorAll("button")].filter(one => one.checkVisibility())
        .filter(one => { const style = getComputedStyle(one);
            return style.borderTopWidth === "0px" || style.borderTopColor === style.backgroundColor }).length"""
    assert widget.element.evaluate(script) == 0


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_whoever_wants_no_motion(widget: WidgetPage, motion: str, *, moves: bool) -> None:
    widget.page.emulate_media(reduced_motion=motion)
    widget.gateway.held.add("a")
    scripted(widget).opened().ask("wait")
    expect(widget.status).to_be_visible()
    script = """element => [...element.shadowRoot.querySelectorAll("*")].some(one => {
        const style = getComputedStyle(one);
        return style.animationName !== "none" || style.transitionDuration !== "0s" })"""
    assert widget.element.evaluate(script) is moves


def test_targets_are_large_enough(widget: WidgetPage) -> None:
    scripted(widget).opened().ask("long")
    expect(widget.last.locator(".tools")).to_be_visible()
    script = """element => [...element.shadowRoot.querySelectorAll("button, textarea")]
        .filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect())
        .filter(one => one.width < 32 || one.height < 32).length"""
    assert widget.element.evaluate(script) == 0
