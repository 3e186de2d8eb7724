"""Every state of a conversation: what is shown, what the gateway is asked for, and what the page hears."""

import re

import pytest
from playwright.sync_api import expect

from tests.widget.stand_in import CONTACT, Refusal, answer, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
CHAT, SESSIONS = "/widget/v1/chat", "/widget/v1/sessions"
CLARIFY = {"outcome": "clarify", "source": "none", "prompt": None}


def slot(kind: str, *values: str, ask: str = "Which one?") -> dict[str, object]:
    return {"name": "blank", "type": kind, "ask": ask, "is_invalid": False, "values": list(values)}


def test_a_closed_widget_asks_for_its_configuration_and_nothing_else(widget: WidgetPage) -> None:
    widget.visit()
    expect(widget.launcher).to_have_accessible_name("Open chat")
    expect(widget.launcher).to_have_attribute("aria-expanded", "false")
    widget.page.wait_for_timeout(200)
    calls = [one for one in widget.requests if "/widget/v1/" in one]
    assert len(calls) == 1
    assert calls[0].endswith("/widget/v1/clients/hr-portal?lang=en")
    expect(widget.element.locator(".panel")).to_be_hidden()
    assert widget.told("ready") == [{"version": "0.1.0"}]


def test_an_empty_panel_greets_and_offers_questions_that_one_click_asks(widget: WidgetPage) -> None:
    widget.opened()
    expect(widget.log).to_contain_text("Ask me about leave")
    widget.button("When is payday?").click()
    expect(widget.last).to_contain_text("25 days")
    assert widget.gateway.of("POST", CHAT)[0].body == {
        "message": "When is payday?",
        "conversation": None,
        "context": None,
    }
    assert widget.focused == "Your question"


def test_a_question_shows_its_stages_and_stops_where_the_person_says(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = [("stage", {"stage": "generating"}), ("hold", "a"), *told()]
    widget.gateway.held.add("a")
    widget.opened().ask("How?")
    expect(widget.status).to_have_text("Writing the answer")
    expect(widget.input).to_have_value("")
    widget.button("Stop").click()
    expect(widget.status).to_have_text("Stopped.")
    expect(widget.button("Send")).to_be_visible()
    widget.page.wait_for_timeout(100)
    key = widget.gateway.of("POST", CHAT)[0].headers["idempotency-key"]
    assert [one.path for one in widget.gateway.of("DELETE", CHAT)] == [f"{CHAT}/{key}"]
    widget.gateway.held.clear()
    widget.button("Try again").click()
    expect(widget.last).to_contain_text("25 days")
    assert len({one.headers["idempotency-key"] for one in widget.gateway.of("POST", CHAT)}) == 2


def test_an_answer_says_what_it_is_based_on_and_the_page_hears_of_it(widget: WidgetPage) -> None:
    widget.opened()
    widget.page.evaluate("document.querySelector('canongate-chat').context = {page: 'leave'}")
    widget.ask("How much?")
    expect(widget.last.locator(".source")).to_have_text("Based on: Annual leave policy, v7")
    expect(widget.last.locator(".words strong")).to_have_text("25 days")
    assert widget.gateway.of("POST", CHAT)[0].body["context"] == {"page": "leave"}
    mine, theirs = widget.told("message")
    assert mine == {"role": "user", "text": "How much?"}
    assert (theirs["role"], theirs["outcome"], theirs["id"]) == ("assistant", "answered", "d1")
    widget.ask("And then?")
    expect(widget.log.locator(".tools")).to_have_count(2)
    assert widget.gateway.of("POST", CHAT)[1].body["conversation"] == "c1"


def test_a_near_miss_offers_what_may_have_been_meant(widget: WidgetPage) -> None:
    titles = ["Annual leave", "Parental leave"]
    offered = [{"id": one, "title": one} for one in titles]
    widget.gateway.scripts["leave"] = told(**CLARIFY, text="Which one?", suggestions=offered)
    widget.opened().ask("leave")
    expect(widget.last).to_contain_text("Did you mean…")
    widget.button("Parental leave").click()
    expect(widget.last).to_contain_text("25 days")
    assert widget.gateway.of("POST", CHAT)[1].body["message"] == "Parental leave"
    expect(widget.button("Annual leave")).to_have_count(0)


def test_no_match_says_whom_to_ask(widget: WidgetPage) -> None:
    widget.gateway.scripts["Who won?"] = told(outcome="no_match", source="fallback", prompt=None, text="I do not know.")
    widget.opened().ask("Who won?")
    expect(widget.last).to_contain_text("I do not know.")
    expect(widget.last.get_by_role("link", name=CONTACT["email"])).to_have_attribute(
        "href", f"mailto:{CONTACT['email']}"
    )
    expect(widget.last.locator(".source")).to_have_text("")


@pytest.mark.parametrize("outcome", ["blocked_input", "blocked_output"])
def test_what_a_rail_stops_is_told_in_the_policys_words(widget: WidgetPage, outcome: str) -> None:
    widget.gateway.scripts["bad"] = told(outcome=outcome, source="none", prompt=None, text="I cannot help with that.")
    widget.opened().ask("bad")
    expect(widget.last).to_contain_text("Not answered")
    expect(widget.last).to_contain_text("I cannot help with that.")


def test_words_that_are_withheld_give_way_to_the_answer(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = [
        ("sentence", {"text": "First words."}),
        ("hold", "a"),
        ("blocked", {"outcome": "blocked_output"}),
        ("hold", "b"),
        ("done", answer(outcome="blocked_output", text="An approved text.")),
    ]
    widget.gateway.held |= {"a", "b"}
    widget.opened().ask("How?")
    expect(widget.last).to_contain_text("First words.")
    widget.gateway.held.remove("a")
    expect(widget.last).not_to_contain_text("First words.")
    widget.gateway.held.clear()
    expect(widget.last).to_contain_text("An approved text.")


def test_a_handoff_shows_a_card_of_who_takes_over(widget: WidgetPage) -> None:
    widget.gateway.scripts["person"] = told(source="handoff", contact=CONTACT, text="A colleague takes over.")
    widget.opened().ask("person")
    card = widget.last.locator(".card")
    for text in (CONTACT["name"], CONTACT["email"], CONTACT["phone"], CONTACT["hours"], "intranet.example.test/hr"):
        expect(card).to_contain_text(text)


def test_a_choice_is_asked_for_with_buttons_and_many_with_a_list(widget: WidgetPage) -> None:
    many = [f"Office {number}" for number in range(9)]
    widget.gateway.scripts["where"] = told(**CLARIFY, text="Which site?", slot=slot("enum", "Leeds", "York"))
    widget.gateway.scripts["Leeds"] = told(**CLARIFY, text="Which office?", slot=slot("enum", *many))
    widget.opened().ask("where")
    widget.button("Leeds").click()
    widget.last.get_by_role("combobox").select_option("Office 4")
    widget.button("Continue").click()
    expect(widget.last).to_contain_text("25 days")
    assert [one.body["message"] for one in widget.gateway.of("POST", CHAT)] == ["where", "Leeds", "Office 4"]


def test_a_day_is_asked_for_with_a_calendar_and_shown_as_people_write_it(widget: WidgetPage) -> None:
    widget.gateway.scripts["when"] = told(**CLARIFY, text="From when?", slot=slot("date", ask="From when?"))
    widget.opened().ask("when")
    field = widget.last.get_by_label("From when?")
    expect(field).to_have_attribute("type", "date")
    field.fill("2026-03-05")
    field.press("Enter")
    expect(widget.last.locator(".tools")).to_be_visible()
    expect(widget.last.locator(".mine")).to_contain_text("March 5, 2026")
    assert widget.gateway.of("POST", CHAT)[1].body["message"] == "2026-03-05"


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "2026-02"])
def test_a_day_that_does_not_exist_is_shown_as_it_was_typed(widget: WidgetPage, day: str) -> None:
    widget.gateway.scripts["when"] = told(**CLARIFY, text="From when?", slot=slot("date", ask="From when?"))
    widget.opened().ask("when")
    expect(widget.last.get_by_label("From when?")).to_be_visible()
    widget.ask(day)
    expect(widget.last.locator(".tools")).to_be_visible()
    expect(widget.last.locator(".mine > div")).to_have_text(f"You said: {day}")


@pytest.mark.parametrize(("kind", "value"), [("integer", "12"), ("short_text", "Ada"), ("quoted_text", "one\ntwo")])
def test_numbers_and_texts_are_asked_for_with_a_field(widget: WidgetPage, kind: str, value: str) -> None:
    widget.gateway.scripts["ask"] = told(**CLARIFY, text="Which one?", slot=slot(kind) | {"is_invalid": True})
    widget.opened().ask("ask")
    field = widget.last.get_by_label("Which one?")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill(value)
    widget.button("Continue").click()
    expect(widget.last).to_contain_text("25 days")
    assert widget.gateway.of("POST", CHAT)[1].body["message"] == value


@pytest.mark.parametrize(("most", "over"), [(2000, 200), (500, 700)])
def test_a_text_that_is_too_long_stays_in_its_field(widget: WidgetPage, most: int, over: int) -> None:
    widget.gateway.configuration["max_length"] = most
    widget.gateway.scripts["ask"] = told(**CLARIFY, text="Which one?", slot=slot("quoted_text"))
    widget.opened().ask("ask")
    field = widget.last.get_by_label("Which one?")
    field.fill("x" * 1200)
    widget.button("Continue").click()
    expect(field).to_have_accessible_description(f"Too long: {over} characters over the limit")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_value("x" * 1200)
    field.fill("x" * min(1000, most))
    widget.button("Continue").click()
    expect(widget.last).to_contain_text("25 days")
    assert len(widget.gateway.of("POST", CHAT)) == 2


@pytest.mark.parametrize(
    ("kind", "reason", "control"),
    [
        ("date", "Please give one date that exists.", "field"),
        ("enum", "Please choose one of these.", "chip"),
        ("integer", "This does not fit here. Please give another value.", "field"),
    ],
)
def test_a_wrong_value_is_asked_for_again_with_the_reason_told_once(widget: WidgetPage, kind, reason, control) -> None:
    values = ("Leeds", "York") if kind == "enum" else ()
    wrong = slot(kind, *values, ask="Which one?") | {"is_invalid": True}
    widget.gateway.scripts["ask"] = told(**CLARIFY, text="Which one?", slot=slot(kind, *values, ask="Which one?"))
    widget.gateway.scripts["31 February"] = told(**CLARIFY, text="Which one?", slot=wrong)
    widget.opened().ask("ask")
    expect(widget.last.locator(".slot")).to_be_visible()
    widget.listen()
    widget.ask("31 February")
    error = widget.last.locator("#wrong")
    expect(error).to_have_text(reason)
    focused = widget.last.locator(f".slot .{control}").first
    expect(focused).to_be_focused()
    expect(widget.last.locator(".slot" if kind == "enum" else ".field")).to_have_accessible_description(reason)
    widget.page.wait_for_timeout(600)
    assert "\n".join(widget.spoken).count(reason) == 1
    widget.input.fill("something else")
    widget.input.press("Enter")
    expect(widget.last.locator(".tools")).to_be_visible()
    expect(widget.input).to_be_focused()


def test_what_was_wrong_of_one_value_is_not_said_of_the_next(widget: WidgetPage) -> None:
    wrong = slot("integer", ask="How many?") | {"is_invalid": True}
    widget.gateway.scripts["ask"] = told(**CLARIFY, text="How many?", slot=wrong)
    widget.gateway.scripts["12"] = told(**CLARIFY, text="Which one?", slot=slot("short_text"))
    widget.opened().ask("ask")
    expect(widget.last.locator(".field")).to_have_accessible_description(re.compile("another value"))
    widget.ask("12")
    field = widget.last.get_by_label("Which one?")
    expect(field).to_be_visible()
    expect(field).to_have_accessible_description("")


def test_a_limit_counts_down_while_the_next_question_can_be_typed(widget: WidgetPage) -> None:
    widget.expected.append("429")
    widget.page.clock.install()
    widget.gateway.refusals[f"POST {CHAT}"].append(Refusal(429, "rate_limited", {"retry-after": "7"}))
    widget.opened().ask("How?")
    expect(widget.status).to_contain_text("Trying again in 7 s")
    widget.input.fill("next")
    widget.page.clock.run_for(3000)
    expect(widget.status).to_contain_text("in 4 s")
    widget.page.clock.run_for(5000)
    expect(widget.last).to_contain_text("25 days")
    expect(widget.input).to_have_value("next")
    assert len({one.headers["idempotency-key"] for one in widget.gateway.of("POST", CHAT)}) == 1


def test_an_ended_session_is_renewed_once_without_a_word(widget: WidgetPage) -> None:
    widget.expected.append("401")
    widget.gateway.configuration["sign_in"] = "required"
    widget.visit()
    widget.page.evaluate("let n = 0; document.querySelector('canongate-chat').token = async () => `token ${++n}`; 0")
    widget.launcher.click()
    widget.gateway.refusals[f"POST {CHAT}"].append(Refusal(401, "session_expired"))
    widget.ask("How?")
    expect(widget.last).to_contain_text("25 days")
    assert [one.body["token"] for one in widget.gateway.of("POST", SESSIONS)] == ["token 1", "token 2"]
    sent = widget.gateway.of("POST", CHAT)
    assert [one.headers["authorization"] for one in sent] == ["Bearer cgw_1", "Bearer cgw_2"]


def test_whoever_is_signed_out_is_told_so_after_one_renewal(widget: WidgetPage) -> None:
    widget.expected.append("401")
    widget.opened()
    widget.gateway.refusals[f"POST {CHAT}"] = [Refusal(401, "session_expired") for _ in range(5)]
    widget.ask("How?")
    expect(widget.status).to_contain_text("Please reload the page to sign in")
    expect(widget.button("Reload the page")).to_be_visible()
    assert len(widget.gateway.of("POST", CHAT)) == 2
    assert widget.told("error")[0]["code"] == "session_expired"


def test_a_page_without_a_token_is_told_to_sign_in_before_anything_is_sent(widget: WidgetPage) -> None:
    widget.gateway.configuration["sign_in"] = "required"
    widget.opened()
    expect(widget.element.locator(".notice")).to_contain_text("reload the page to sign in")
    assert not widget.gateway.of("POST", SESSIONS)
    widget.page.evaluate("document.querySelector('canongate-chat').token = 'late'")
    expect(widget.element.locator(".notice")).to_be_hidden()
    widget.ask("How?")
    expect(widget.last).to_contain_text("25 days")


def test_a_page_that_may_not_embed_it_is_told_and_nothing_is_tried_again(widget: WidgetPage) -> None:
    widget.expected.append("403")
    widget.gateway.refusals[f"POST {CHAT}"] = [Refusal(403, "origin_not_allowed") for _ in range(3)]
    widget.opened().ask("How?")
    expect(widget.status).to_have_text("The assistant may not be used on this page.")
    assert len(widget.gateway.of("POST", CHAT)) == 1


def test_a_new_conversation_forgets_the_old_one(widget: WidgetPage) -> None:
    widget.opened().ask("How?")
    expect(widget.last).to_contain_text("25 days")
    widget.button("New conversation").click()
    expect(widget.log).to_contain_text("Ask me about leave")
    widget.page.wait_for_timeout(100)
    assert [one.path for one in widget.gateway.of("DELETE", "/widget/v1/conv")] == ["/widget/v1/conversations/c1"]
    assert widget.page.evaluate("sessionStorage.length") == 0
    widget.ask("Again?")
    expect(widget.last).to_contain_text("25 days")
    assert widget.gateway.of("POST", CHAT)[1].body["conversation"] is None
    assert len(widget.told("reset")) == 1


def test_a_question_that_is_too_long_is_said_to_be_and_not_cut(widget: WidgetPage) -> None:
    widget.gateway.configuration["max_length"] = 20
    widget.opened('max-length="500"')
    widget.ask("x" * 23)
    expect(widget.element.locator(".count")).to_have_text("Too long: 3 characters over the limit")
    expect(widget.input).to_have_value("x" * 23)
    assert not widget.page.evaluate("document.querySelector('canongate-chat').ask('x'.repeat(21))")
    assert not widget.gateway.of("POST", CHAT)
    assert widget.page.evaluate("document.querySelector('canongate-chat').ask('x'.repeat(20))")
    expect(widget.last).to_contain_text("25 days")


def test_an_answer_that_came_while_it_was_closed_is_marked(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = [("hold", "a"), *told()]
    widget.gateway.held.add("a")
    widget.opened().ask("How?")
    widget.input.press("Escape")
    widget.gateway.held.clear()
    expect(widget.launcher).to_have_accessible_name("Open chat, new answer")
    widget.launcher.click()
    expect(widget.last).to_contain_text("25 days")
    expect(widget.launcher).not_to_have_class(re.compile("news"))


def test_methods_and_attributes_do_what_buttons_do(widget: WidgetPage) -> None:
    widget.visit('heading="My helper" suggestions="One?|Two?" greeting="Hi." launcher="none"')
    expect(widget.launcher).to_be_hidden()
    chat = "document.querySelector('canongate-chat')"
    widget.page.evaluate(f"{chat}.open()")
    expect(widget.element.locator(".panel")).to_have_accessible_name("My helper")
    expect(widget.button("Two?")).to_be_visible()
    assert widget.page.evaluate(f"{chat}.ask('One?')") is True
    expect(widget.last).to_contain_text("25 days")
    widget.page.evaluate(f"{chat}.toggle()")
    expect(widget.element.locator(".panel")).to_be_hidden()
    widget.page.evaluate(f"{chat}.strings = {{message: 'Say it'}}; {chat}.open()")
    assert widget.focused == "Say it"
    widget.page.evaluate(f"{chat}.reset(); {chat}.close()")
    assert [name for name, _ in widget.page.evaluate("window.told")] == [
        "ready", "open", "message", "message", "close", "open", "reset", "close",
    ]  # fmt: skip
