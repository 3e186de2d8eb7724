"""A site is added, its widget is looked at, coloured and installed, and its secret is replaced."""

import httpx

from store.people import OPERATOR, Role
from store.widgets import WidgetClient
from tests.journeys.town import Somebody, Town
from tests.real_browser import axe_source

ORIGIN = "https://portal.example"


def stored(town: Town, client: str) -> WidgetClient:
    return town.administration.widgets.get(OPERATOR, client)


def test_a_site_is_added_coloured_and_installed_and_its_secret_is_replaced(town: Town) -> None:
    wilma = town.somebody("Wilma Berg", Role.ADMIN, permissions=["clipboard-read", "clipboard-write"])
    wilma.go("/admin/widget")
    wilma.follow("Add a site")
    wilma.fill(id="portal", title="Staff portal", origins=ORIGIN)
    wilma.send("Add the site")
    wilma.see("This secret is shown only now.")
    first = wilma.page.locator("#secret").input_value()
    wilma.follow("I have stored it")
    frame = wilma.page.frame_locator("iframe")
    frame.get_by_role("textbox").wait_for()
    assert wilma.watched.violations(axe_source()) == []
    wilma.page.locator("#s-loader ~ pre ~ button").click()
    wilma.see("Copied")
    copied = wilma.page.evaluate("navigator.clipboard.readText()")
    assert copied == f'<script src="{town.address}/embed/v1/loader.js" defer data-client="portal"></script>'
    assert httpx.get(f"{town.address}/embed/v1/loader.js").status_code == 200
    choose_colours(town, wilma)
    wilma.page.select_option("#f-overlap", "0")
    wilma.send("New secret")
    wilma.see("The old secret has ended.")
    assert wilma.page.locator("#secret").input_value() not in ("", first)
    wilma.follow("I have stored it")
    wilma.send("Turn off")
    wilma.see("The widget is off.")
    assert not wilma.page.locator("iframe").count()


def choose_colours(town: Town, wilma: Somebody) -> None:
    """Chooses colours that cannot be read, sees the number, is refused with nothing lost, and mends it."""
    wilma.follow("Change")
    frame = wilma.page.frame_locator("iframe")
    frame.get_by_role("textbox").wait_for()
    wilma.page.fill("#f-accent", "#ffd400")
    wilma.page.fill("#f-heading_en", "Ask the staff desk")
    frame.get_by_role("heading", name="Ask the staff desk").wait_for()
    assert colour_of(wilma) == "rgb(255, 212, 0)", "the preview wears what is not saved yet"
    wilma.see("too low")
    assert wilma.page.locator("[data-ratio]").inner_text() == "1.4"
    wilma.send("Save")
    wilma.see("What stands on it: The contrast to the main colour is")
    assert wilma.page.locator("#f-heading_en").input_value() == "Ask the staff desk"
    assert stored(town, "portal").settings.theme.accent == "#1f4fbf"
    wilma.page.fill("#f-on_accent", "#000000")
    wilma.see("enough")
    wilma.send("Save")
    wilma.see("The site is changed.")
    saved = stored(town, "portal").settings
    assert (saved.theme.accent, saved.theme.on_accent) == ("#ffd400", "#000000")
    assert saved.texts["en"].heading == "Ask the staff desk"


def colour_of(somebody: Somebody) -> str:
    """Gives the accent that the previewed widget has."""
    found: str = (
        somebody.page.frame_locator("iframe")
        .locator("canongate-chat")
        .evaluate(
            """widget => {
            const probe = document.createElement("span");
            probe.style.color = "var(--cg-accent)";
            widget.shadowRoot.append(probe);
            const colour = getComputedStyle(probe).color;
            probe.remove();
            return colour;
        }"""
        )
    )
    return found


def test_g_and_w_lead_to_the_sites_and_a_visitor_of_the_preview_is_answered(town: Town) -> None:
    xenia = town.somebody("Xenia Moor", Role.ADMIN)
    xenia.go("/admin/widget/new")
    xenia.fill(id="shop-window", title="Shop window", origins="https://shop.example")
    xenia.page.select_option("#f-sign_in", "none")
    xenia.send("Add the site")
    xenia.see("The site is added.")
    frame = xenia.page.frame_locator("iframe")
    frame.get_by_role("textbox").fill("report phishing")
    frame.get_by_role("textbox").press("Enter")
    frame.get_by_text("Based on").first.wait_for()
    xenia.page.reload()
    xenia.see("Silent")
    assert not xenia.sees("Heard of"), "a preview says nothing of the site"
    xenia.page.locator("body").press("g")
    xenia.page.keyboard.press("w")
    xenia.page.wait_for_url("**/admin/widget")


def test_the_playground_shows_the_very_widget_beside_the_trace(town: Town) -> None:
    yara = town.somebody("Yara Lind", Role.ADMIN)
    yara.go("/admin/widget/new")
    yara.fill(id="lobby", title="Lobby screen", origins="https://lobby.example")
    yara.page.select_option("#f-sign_in", "none")
    yara.send("Add the site")
    yara.follow("Beside its trace, in the Playground")
    asked = town.asked()
    yara.fill(question="report phishing")
    yara.send("Ask")
    frame = yara.page.frame_locator("iframe")
    frame.get_by_text("Based on").first.wait_for()
    assert frame.get_by_text("report phishing").count()
    yara.see("How far")
    assert town.asked() == asked + 2, "once for the trace, once by the widget"
    yara.follow("The record of its newest answer")
    yara.see("widget:lobby:anonymous")
