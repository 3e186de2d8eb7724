"""What people say of an answer: given, changed, explained, and never lost."""

import pytest
from playwright.sync_api import expect

from tests.widget.stand_in import Refusal, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser


def test_feedback_is_given_changed_and_explained(widget: WidgetPage) -> None:
    widget.opened().ask("How?")
    widget.button("Helpful").click()
    expect(widget.button("Helpful")).to_have_attribute("aria-pressed", "true")
    widget.button("Not helpful").click()
    expect(widget.button("Helpful")).to_have_attribute("aria-pressed", "false")
    widget.button("Out of date").click()
    widget.button("Other").click()
    widget.page.keyboard.type("since May")
    widget.button("Send feedback").click()
    expect(widget.element.locator(".feedback")).to_be_hidden()
    given = [one.body for one in widget.gateway.of("POST", "/widget/v1/feedback")]
    assert [one["verdict"] for one in given] == ["up", "down", "down"]
    assert given[2] == {"decision": "d1", "verdict": "down", "reasons": ["out_of_date"], "comment": "since May"}
    assert len(widget.told("feedback")) == 3


def test_what_asks_why_is_seen_whole(widget: WidgetPage) -> None:
    widget.gateway.scripts["How?"] = told(text="\n\n".join(f"Paragraph {number}." for number in range(20)))
    widget.opened().ask("How?")
    widget.button("Not helpful").click()
    expect(widget.button("Send feedback")).to_be_in_viewport(ratio=1)


def test_feedback_that_could_not_be_saved_keeps_what_was_written(widget: WidgetPage) -> None:
    widget.expected.append("503")
    widget.opened().ask("How?")
    widget.button("Not helpful").click()
    widget.element.get_by_label("Comment (optional)").fill("wrong year")
    widget.gateway.refusals["POST /widget/v1/feedback"].append(Refusal(503))
    widget.button("Send feedback").click()
    expect(widget.last).to_contain_text("could not be saved")
    expect(widget.element.get_by_label("Comment (optional)")).to_have_value("wrong year")


def test_a_client_that_wants_no_feedback_shows_no_thumbs(widget: WidgetPage) -> None:
    widget.gateway.configuration["feedback"] = False
    widget.opened().ask("How?")
    expect(widget.last).to_contain_text("25 days")
    expect(widget.button("Helpful")).to_have_count(0)


def test_a_thumb_up_that_could_not_be_saved_asks_not_what_was_wrong(widget: WidgetPage) -> None:
    widget.expected.append("503")
    widget.opened().ask("How?")
    widget.gateway.refusals["POST /widget/v1/feedback"].append(Refusal(503))
    widget.button("Helpful").click()
    expect(widget.last).to_contain_text("could not be saved")
    expect(widget.element.locator(".feedback")).to_be_hidden()
    expect(widget.button("Helpful")).to_have_attribute("aria-pressed", "false")
