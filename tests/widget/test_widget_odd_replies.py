"""Gateways that answer oddly, late or not at all: it is said, and the next question can be asked."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st
from playwright.sync_api import expect

from tests.widget.stand_in import CONTACT, PLAIN, Refusal, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
CHAT, CONFIGURATION = "/widget/v1/chat", "/widget/v1/clients/hr-portal"
SLOT = {"name": "a", "type": "enum", "ask": "Which?", "is_invalid": False, "values": ["x"]}
ODD = [
    {},
    [],
    None,
    "words",
    7,
    PLAIN | {"suggestions": None},
    PLAIN | {"suggestions": {}},
    PLAIN | {"suggestions": [None]},
    PLAIN | {"suggestions": [{"title": 1}]},
    PLAIN | {"text": None},
    PLAIN | {"outcome": 3},
    PLAIN | {"prompt": "hr.leave"},
    PLAIN | {"slot": {"type": "enum"}},
    PLAIN | {"slot": SLOT | {"values": 3}},
    PLAIN | {"contact": {"name": "x", "phone": 5}},
    {name: value for name, value in PLAIN.items() if name != "suggestions"},
]
UNAVAILABLE = "The assistant is unavailable at the moment."
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PLAIN, "title"]), inner, max_size=3),
    max_leaves=6,
)


def reply_with(widget: WidgetPage, body: str) -> None:
    """Makes the gateway answer questions with this, as a whole and not as a stream."""
    widget.page.unroute_all()
    widget.page.route(
        f"**{CHAT}",
        lambda route: (
            route.fulfill(
                body=body, content_type="application/json", headers={"access-control-allow-origin": widget.address}
            )
            if route.request.method == "POST"
            else route.continue_()
        ),
    )


def failed_or_shown(widget: WidgetPage, question: str) -> str:
    """Asks, and waits until the question is over; gives how."""
    widget.ask(question)
    expect(widget.last.locator(".mine")).to_contain_text(question)
    expect(widget.button("Send")).to_be_visible()
    return str(widget.last.locator(".body").inner_text())


def test_an_answer_that_is_none_is_told_as_such_and_the_next_question_can_be_asked(widget: WidgetPage) -> None:
    widget.opened()
    for number, odd in enumerate(ODD):
        reply_with(widget, json.dumps(odd))
        assert UNAVAILABLE in failed_or_shown(widget, f"Number {number}?"), odd
        expect(widget.button("Try again")).to_be_visible()
    widget.page.unroute_all()
    widget.button("Try again").click()
    expect(widget.last).to_contain_text("25 days")


def test_an_odd_end_of_a_stream_is_told_too(widget: WidgetPage) -> None:
    for number, odd in enumerate(({}, {"text": "x"}, {"suggestions": 1})):
        widget.gateway.scripts[f"{number}?"] = [("stage", {"stage": "matching"}), ("done", odd)]
    widget.opened()
    for number in range(3):
        assert UNAVAILABLE in failed_or_shown(widget, f"{number}?")


def test_whatever_comes_as_an_answer_the_widget_goes_on(widget: WidgetPage) -> None:
    widget.opened()
    shapes = st.dictionaries(st.sampled_from(list(PLAIN)), _ANYTHING, max_size=4).map(lambda odd: PLAIN | odd)
    for number, odd in enumerate(drawn(shapes | _ANYTHING, 60)):
        reply_with(widget, json.dumps(odd))
        assert failed_or_shown(widget, f"Number {number}?")
        assert not widget.unexpected, odd


def drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Gives values of a strategy, the same ones each time."""
    from hypothesis import HealthCheck, given, settings  # noqa: PLC0415 - as a generator, not as a test

    found: list[Any] = []

    @settings(max_examples=count, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def keep(value: Any) -> None:
        found.append(value)

    keep()
    return found


@pytest.mark.parametrize("odd", [{}, [], {"sign_in": 1}, {"lang": "en", "sign_in": "none", "suggestions": 3}], ids=str)
def test_a_configuration_that_is_none_is_a_gateway_that_is_down(widget: WidgetPage, odd: Any) -> None:
    allowed = {"access-control-allow-origin": "*"}
    widget.page.route(f"**{CONFIGURATION}*", lambda route: route.fulfill(json=odd, headers=allowed))
    widget.opened()
    expect(widget.element.locator(".notice")).to_contain_text(UNAVAILABLE)
    widget.page.unroute_all()
    widget.button("Try again").click()
    expect(widget.log).to_contain_text("Ask me about leave")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_page_that_may_not_embed_it_says_so_as_soon_as_it_is_opened(widget: WidgetPage, language: str) -> None:
    widget.expected.append("403")
    widget.gateway.refusals[f"GET {CONFIGURATION}"] = [Refusal(403, "origin_not_allowed") for _ in range(9)]
    widget.opened(f'lang="{language}"')
    expect(widget.element.locator(".notice")).to_have_text("The assistant may not be used on this page.")
    expect(widget.log).to_have_accessible_name("Conversation")
    widget.ask("How?")
    expect(widget.status).to_have_text("The assistant may not be used on this page.")


def test_a_configuration_that_never_comes_is_waited_for_ten_seconds(widget: WidgetPage) -> None:
    widget.hold_time()
    widget.page.route(f"**{CONFIGURATION}*", lambda _: None)
    widget.opened()
    expect(widget.log).to_have_accessible_name("Conversation")
    expect(widget.element.locator(".notice")).to_be_hidden()
    widget.page.clock.run_for(11_000)
    expect(widget.element.locator(".notice")).to_contain_text(UNAVAILABLE)
    expect(widget.button("Try again")).to_be_visible()
    widget.ask("How?")
    for _ in range(90):
        widget.page.clock.run_for(1000)
    expect(widget.status).to_contain_text(UNAVAILABLE)
    expect(widget.button("Send")).to_be_visible()


def test_a_page_whose_token_never_comes_is_signed_out_after_fifteen_seconds(widget: WidgetPage) -> None:
    widget.gateway.configuration["sign_in"] = "required"
    widget.page.clock.install()
    widget.visit()
    widget.page.evaluate("document.querySelector('canongate-chat').token = () => new Promise(() => 0); 0")
    widget.launcher.click()
    widget.ask("How?")
    widget.page.clock.run_for(14_000)
    expect(widget.button("Stop")).to_be_visible()
    widget.page.clock.run_for(2_000)
    expect(widget.status).to_contain_text("You are not signed in")
    expect(widget.last.locator(".card")).to_contain_text(CONTACT["name"])
    expect(widget.last.get_by_role("link", name=CONTACT["url"])).to_be_visible()
    widget.page.evaluate("document.querySelector('canongate-chat').token = 'late'")
    widget.gateway.scripts["Again?"] = told()
    widget.ask("Again?")
    expect(widget.last).to_contain_text("25 days")
