"""On a page of somebody else: its policy, its styles, and other widgets beside it."""

import pytest
from playwright.sync_api import expect

from tests.widget.stand_in import DIST, told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
STYLES = """element => {
  const at = (name) => element.shadowRoot.querySelector(name);
  const told = (node, names) => names.map(name => getComputedStyle(node)[name]);
  const box = at(".panel").getBoundingClientRect();
  return [
    told(at(".panel"), ["color", "fontSize", "letterSpacing", "textTransform", "transform", "margin"]),
    told(at(".chip"), ["color", "fontSize", "lineHeight", "padding", "margin"]),
    told(at(".launcher"), ["backgroundColor", "width", "opacity", "display"]),
    [box.x, box.y, box.width, box.height],
  ];
}"""


def test_no_source_writes_markup_or_inline_styles() -> None:
    sources = (DIST.parent / "widget" / "src").rglob("*.ts")
    texts = {path.name: path.read_text() for path in sources}
    assert len(texts) > 20
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        '"style"',
        "document.write",
        "eval(",
        "localStorage",
        "cookie",
    ):
        assert [name for name, text in texts.items() if word in text] == []


def test_hostile_styles_change_nothing_inside_and_the_widget_nothing_outside(widget: WidgetPage) -> None:
    widget.opened()
    expect(widget.button("When is payday?")).to_be_visible()
    plain = widget.element.evaluate(STYLES)
    widget.host.has_styles = True
    heading = "getComputedStyle(document.querySelector('h1'))"
    look = f"JSON.stringify([{heading}.color, {heading}.fontSize, document.body.getBoundingClientRect().width])"
    widget.host.body = ""
    widget.page.goto(widget.address)
    without = widget.page.evaluate(look)
    widget.opened()
    expect(widget.button("When is payday?")).to_be_visible()
    assert widget.element.evaluate(STYLES) == plain
    assert widget.page.evaluate(look) == without


def test_two_widgets_on_a_page_do_not_disturb_each_other(widget: WidgetPage) -> None:
    widget.visit("", 'position="start" heading="Other"')
    one, other = (widget.page.locator("canongate-chat").nth(at) for at in (0, 1))
    for at in (one, other):
        at.locator(".launcher").click()
    for at, question in ((one, "First?"), (other, "Second?")):
        at.locator("textarea").fill(question)
        at.locator("textarea").press("Enter")
        expect(at.locator(".tools")).to_have_count(1)
    expect(one.locator(".log")).to_contain_text("First?")
    expect(one.locator(".log")).not_to_contain_text("Second?")
    boxes = [at.locator(".panel").bounding_box() for at in (one, other)]
    assert boxes[1]["x"] + boxes[1]["width"] <= boxes[0]["x"]
    sent = widget.gateway.of("POST", "/widget/v1/chat")
    assert [item.body["conversation"] for item in sent] == [None, None]
    one.locator(".panel").get_by_role("button", name="Close chat").click()
    expect(other.locator(".panel")).to_be_visible()


def test_the_loader_makes_the_element_out_of_its_own_data(widget: WidgetPage) -> None:
    widget.host.load('data-heading="From the loader" data-max-length="50" data-position="start" data-theme="dark"')
    widget.page.goto(widget.address)
    widget.page.evaluate("window.Canongate.token = () => 'early'")
    widget.launcher.click()
    expect(widget.element.locator(".panel")).to_have_accessible_name("From the loader")
    names = "Object.fromEntries([...window.Canongate.attributes].map(one => [one.name, one.value]))"
    attributes = widget.page.evaluate(names)
    assert attributes == {
        "server": widget.host.server, "client": "hr-portal", "heading": "From the loader", "max-length": "50",
        "position": "start", "theme": "dark", "open": "",
    }  # fmt: skip
    assert widget.page.evaluate("window.Canongate === document.querySelector('canongate-chat')")


def test_an_inline_widget_fills_its_place_and_takes_no_focus(widget: WidgetPage) -> None:
    widget.visit("inline")
    widget.page.evaluate("document.querySelector('canongate-chat').style.height = '500px'")
    expect(widget.log).to_contain_text("Ask me about leave")
    expect(widget.launcher).to_be_hidden()
    expect(widget.button("Close chat")).to_have_count(0)
    assert widget.element.locator(".panel").bounding_box()["height"] == 500
    assert widget.page.evaluate("document.activeElement.tagName") == "BODY"
    widget.ask("How?")
    expect(widget.last).to_contain_text("25 days")
    widget.input.press("Escape")
    expect(widget.log).to_be_visible()


def test_the_clients_colours_hold_until_the_page_has_its_own(widget: WidgetPage) -> None:
    widget.gateway.configuration["theme"] = {
        "accent": "#7a1fa2", "on_accent": "red} .x{color:red", "radius": 4, "position": "start",
    }  # fmt: skip
    widget.opened()
    colour = "element => getComputedStyle(element.shadowRoot.querySelector('.launcher')).backgroundColor"
    assert widget.element.evaluate(colour) == "rgb(122, 31, 162)"
    radius = "element => getComputedStyle(element.shadowRoot.querySelector('.panel')).borderTopLeftRadius"
    assert widget.element.evaluate(radius) == "4px"
    assert widget.element.locator(".panel").bounding_box()["x"] < 100
    widget.element.evaluate("element => element.style.setProperty('--cg-accent', 'rgb(1, 2, 3)')")
    assert widget.element.evaluate(colour) == "rgb(1, 2, 3)"


@pytest.mark.parametrize(
    ("more", "page", "name"),
    [
        ('lang="de-AT"', "fr", "Chat öffnen"),
        ("", "fr", "Ouvrir le chat"),
        ("", "pt", "Open chat"),
        ("", "", "Abrir el chat"),
    ],
)
@pytest.mark.parametrize("options", [{"locale": "es-ES", "viewport": {"width": 900, "height": 700}}])
def test_its_language_is_the_elements_then_the_pages_then_the_browsers(
    widget: WidgetPage, more: str, page: str, name: str
) -> None:
    widget.host.lang = page
    widget.visit(more)
    expect(widget.launcher).to_have_accessible_name(name)


@pytest.mark.parametrize(("language", "direction"), [("he", "rtl"), ("pt-BR", "ltr")])
def test_a_language_of_the_clients_own_has_its_name_and_its_direction(
    widget: WidgetPage, language: str, direction: str
) -> None:
    widget.opened(f'lang="{language}"')
    expect(widget.log).to_contain_text("Ask me about leave")
    expect(widget.element.locator(".root")).to_have_attribute("lang", language)
    expect(widget.element.locator(".panel")).to_have_css("direction", direction)


def test_another_look_costs_nothing_that_was_typed_or_pressed(widget: WidgetPage) -> None:
    widget.opened().ask("How?")
    widget.button("Not helpful").click()
    comment = widget.element.get_by_label("Comment (optional)")
    comment.fill("wrong year")
    expect(widget.button("Not helpful")).to_have_attribute("aria-pressed", "true")
    widget.element.evaluate("element => element.setAttribute('theme', 'dark')")
    expect(widget.element.locator(".root")).to_have_css("color-scheme", "dark")
    expect(comment).to_have_value("wrong year")
    expect(comment).to_be_focused()
    widget.element.evaluate("element => element.setAttribute('heading', 'Desk')")
    expect(widget.element.locator("h2")).to_have_text("Desk")
    expect(widget.button("Not helpful")).to_have_attribute("aria-pressed", "true")
    widget.button("Not helpful").click()
    assert len(widget.gateway.of("POST", "/widget/v1/feedback")) == 1


def test_it_speaks_the_language_that_the_configuration_brings(widget: WidgetPage) -> None:
    widget.gateway.scripts["Wie viele?"] = told(text="Sie haben 25 Tage.")
    widget.opened('lang="de"').ask("Wie viele?")
    expect(widget.last.locator(".source")).to_have_text("Grundlage: Annual leave policy, v7")
    expect(widget.button("Antwort kopieren")).to_be_visible()
    widget.input.fill("noch eine")
    widget.element.evaluate("element => element.setAttribute('lang', 'ar')")
    expect(widget.element.locator(".root")).to_have_attribute("dir", "rtl")
    expect(widget.input).to_have_value("noch eine")
    expect(widget.input).to_be_focused()
    expect(widget.button("إغلاق المحادثة").first).to_be_visible()
