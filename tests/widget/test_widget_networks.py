"""Networks that are slow, cut, silent or away: a question is asked once, and its answer is shown once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.slow_proxy import SlowProxy, slow_way
from tests.widget.stand_in import Refusal, answer, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
CHAT = "/widget/v1/chat"
BROKEN = "ERR_|Failed to load resource"


@pytest.fixture
def proxy(widget: WidgetPage) -> Iterator[SlowProxy]:
    widget.expected.append(BROKEN)
    with slow_way(widget.host.server) as (made, address):
        widget.host.server = address
        yield made


def holds(widget: WidgetPage) -> None:
    """Makes an answer stop in its middle until the test lets it go on."""
    first = [("stage", {"stage": "generating"}), ("sentence", {"text": "You have **25"})]
    widget.gateway.scripts["How?"] = [*first, ("hold", "a"), ("sentence", {"text": " days**."}), ("done", answer())]
    widget.gateway.held.add("a")


def keys(widget: WidgetPage) -> set[str]:
    return {one.headers["idempotency-key"] for one in widget.gateway.of("POST", CHAT)}


def test_a_way_that_drips_and_delays_shows_the_same_answer(widget: WidgetPage, proxy: SlowProxy) -> None:
    widget.gateway.scripts["How?"] = told(text="Ünïcode, **in pieces** — «كلمات».")
    widget.opened()
    proxy.drip, proxy.delay_s = 7, 0.05
    widget.ask("How?")
    expect(widget.last.locator(".words")).to_contain_text("Ünïcode, in pieces — «كلمات».", timeout=20_000)
    assert len(widget.gateway.of("POST", CHAT)) == 1


def test_a_cut_answer_goes_on_where_it_stopped(widget: WidgetPage, proxy: SlowProxy) -> None:
    holds(widget)
    widget.opened().ask("How?")
    expect(widget.last.locator(".words")).to_contain_text("25")
    proxy.cut()
    widget.gateway.held.clear()
    expect(widget.last.locator(".words")).to_have_text(
        "Assistant said:You have 25 days of annual leave.".replace("Assistant", "The assistant")
    )
    assert len(widget.gateway.of("POST", CHAT)) == 1
    assert [one.headers["last-event-id"] for one in widget.gateway.of("GET", CHAT)] == ["3"]


def test_a_stream_that_ends_early_is_followed(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = [("stage", {"stage": "matching"}), ("end", None), *told()]
    widget.opened().ask("How?")
    expect(widget.last.locator(".tools")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == len(widget.gateway.of("GET", CHAT)) == 1


def test_a_gateway_that_is_down_is_asked_four_more_times_and_then_by_the_person(
    widget: WidgetPage, proxy: SlowProxy
) -> None:
    widget.page.clock.install()
    widget.opened()
    expect(widget.log).to_contain_text("leave")
    proxy.refuses = True
    proxy.cut()
    widget.ask("How?")
    for _ in range(30):
        widget.page.wait_for_timeout(40)
        widget.page.clock.run_for(1000)
    expect(widget.status).to_contain_text("The assistant is unavailable")
    expect(widget.last).to_contain_text("HR desk")
    assert sum(one.endswith(("/chat", "/sessions")) and one.startswith("POST") for one in widget.requests) <= 7
    assert not widget.gateway.of("POST", CHAT)
    proxy.refuses = False
    widget.button("Try again").click()
    expect(widget.last.locator(".tools")).to_be_visible()


def test_a_gateway_that_is_busy_for_a_moment_is_not_spoken_of(widget: WidgetPage) -> None:
    widget.expected.append("503")
    widget.gateway.refusals[f"POST {CHAT}"] = [Refusal(503, "model_busy")]
    widget.opened().ask("How?")
    expect(widget.last.locator(".tools")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == 2
    assert len(keys(widget)) == 1


def test_a_gateway_that_was_down_at_first_is_there_when_somebody_opens(widget: WidgetPage, proxy: SlowProxy) -> None:
    widget.host.lang = "de"
    proxy.refuses = True
    widget.gateway.refusals["GET /widget/v1/clients/hr-portal"] = [Refusal(503)] * 2
    proxy.refuses = False
    widget.visit()
    expect(widget.launcher).to_have_accessible_name("Chat öffnen")
    widget.page.wait_for_timeout(200)
    widget.launcher.click()
    expect(widget.element.locator(".notice")).to_contain_text("nicht erreichbar")
    widget.button("Erneut versuchen").click()
    expect(widget.log).to_contain_text("Ask me about leave")
    assert [one["code"] for one in widget.told("error")] == ["unreachable"] * 2


def test_silence_is_followed_by_a_look_at_the_finished_answer(widget: WidgetPage) -> None:
    widget.expected.append(BROKEN)
    widget.page.clock.install()
    holds(widget)
    widget.opened().ask("How?")
    expect(widget.last.locator(".words")).to_contain_text("25")
    widget.page.clock.run_for(11_000)
    expect(widget.status).to_have_text("This takes longer than usual.")
    widget.page.clock.run_for(36_000)
    widget.gateway.held.clear()
    widget.page.clock.run_for(2_000)
    expect(widget.last.locator(".tools")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == 1
    assert widget.gateway.of("GET", CHAT)[0].headers["accept"] == "application/json"


def test_a_session_that_is_never_opened_is_asked_for_again(widget: WidgetPage) -> None:
    widget.hold_time()
    widget.gateway.held.add("sessions")
    held: list[Route] = []
    widget.page.route("**/widget/v1/sessions", lambda one: held.append(one) if widget.gateway.held else one.continue_())
    widget.opened().ask("How?")
    for _ in range(46):
        widget.page.clock.run_for(1000)
    assert not widget.gateway.of("POST", CHAT)
    widget.gateway.held.clear()
    for _ in range(13):
        widget.page.clock.run_for(1000)
    expect(widget.last.locator(".tools")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == 1


def test_a_machine_that_slept_finds_its_answer(widget: WidgetPage) -> None:
    widget.expected.append(BROKEN)
    holds(widget)
    widget.opened().ask("How?")
    expect(widget.last.locator(".words")).to_contain_text("25")
    session = widget.page.context.new_cdp_session(widget.page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    widget.page.wait_for_timeout(300)
    widget.gateway.held.clear()
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(widget.last.locator(".tools")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == 1


def test_a_question_without_a_network_is_kept_and_sent_when_there_is_one(widget: WidgetPage) -> None:
    widget.expected.append(BROKEN)
    widget.opened()
    expect(widget.log).to_contain_text("leave")
    widget.page.context.set_offline(True)
    expect(widget.element.locator(".notice")).to_contain_text("You are offline. Your question is kept")
    widget.ask("How?")
    expect(widget.status).to_have_text("Waiting for a connection")
    assert not widget.gateway.of("POST", CHAT)
    widget.page.context.set_offline(False)
    expect(widget.last.locator(".tools")).to_be_visible()
    expect(widget.element.locator(".notice")).to_be_hidden()
    assert len(widget.gateway.of("POST", CHAT)) == 1


@pytest.mark.parametrize("sends", [True, False])
def test_a_question_that_waited_long_is_asked_about_first(widget: WidgetPage, *, sends: bool) -> None:
    widget.expected.append(BROKEN)
    widget.page.clock.install()
    widget.opened()
    expect(widget.log).to_contain_text("leave")
    widget.page.context.set_offline(True)
    widget.ask("How?")
    widget.page.clock.run_for(301_000)
    widget.page.context.set_offline(False)
    expect(widget.status).to_contain_text("Send this question now?")
    assert not widget.gateway.of("POST", CHAT)
    widget.last.get_by_role("button", name="Send" if sends else "Do not send", exact=True).click()
    expect(widget.last).to_contain_text("25 days" if sends else "Stopped.")
    assert len(widget.gateway.of("POST", CHAT)) == sends


def test_an_answer_that_is_no_longer_kept_can_be_asked_for_again(widget: WidgetPage) -> None:
    widget.expected += ["404", BROKEN]
    widget.gateway.scripts["How?"] = [("stage", {"stage": "matching"}), ("end", None), ("hold", "a")]
    widget.gateway.held.add("a")
    widget.gateway.refusals["GET /widget/v1/conversations/c1"].append(Refusal(404, "conversation_gone"))
    widget.opened()
    widget.listen()
    widget.page.route(
        "**/widget/v1/chat/*",
        lambda route: route.fulfill(status=404, body="{}", headers={"access-control-allow-origin": "*"}),
    )
    widget.ask("How?")
    expect(widget.status).to_contain_text("no longer kept")
    expect(widget.element.get_by_role("alert")).to_contain_text("no longer kept")
