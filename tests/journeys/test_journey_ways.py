"""Other ways to the same: without a mouse, without scripts, from right to left, on a phone, and over a lost session."""

from store.changes.types import ChangeState, EditKind
from store.content import Verbatim
from store.people import Role
from tests.administration import PASSWORD
from tests.journeys.change_journeys import CHANGES, approve, change_in, edit, publish, published, state_of, submit, take
from tests.journeys.town import Somebody, Town

SESSION = "canongate-plain"
SIDES = ("live", "draft")


def tab_to(somebody: Somebody, name: str) -> None:
    """Presses Tab until what has the focus is called so."""
    told = """() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"""
    for _ in range(120):
        somebody.page.keyboard.press("Tab")
        if somebody.page.evaluate(told) == name:
            return
    raise AssertionError(f"nothing called {name} is reached")


def test_a_change_is_approved_without_a_mouse(town: Town) -> None:
    ada, bert = town.somebody("Ada Nowak", Role.EDITOR), town.somebody("Bert Kim", Role.APPROVER)
    change = edit(ada, "it.ticket-status", title="Where a ticket stands")
    submit(ada, change)
    bert.go("/admin")
    bert.page.keyboard.press("g")
    bert.page.keyboard.press("c")
    bert.page.wait_for_url("**/admin/changes")
    tab_to(bert, "Waiting for me")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_url("**tab=waiting")
    tab_to(bert, "Edit prompt: Where a ticket stands")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_url(f"**/{change}")
    tab_to(bert, "Approve")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_url("**/steps/approve")
    tab_to(bert, "Approve")
    bert.page.keyboard.press("Enter")
    bert.see("Approved. It is not live yet.")
    assert state_of(town, change) is ChangeState.APPROVED
    tab_to(bert, "Publish")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_url("**/steps/publish")
    tab_to(bert, "Publish")
    bert.page.keyboard.press("Enter")
    bert.see("What is published is live within a moment.")
    assert town.prompt("it.ticket-status").title == "Where a ticket stands"


def test_rows_are_ticked_without_a_mouse_and_a_range_with_shift(town: Town) -> None:
    nele = town.somebody("Nele Vos", Role.EDITOR)
    nele.go("/admin/prompts")
    ticked = nele.page.locator("[data-selection] :checked")
    for key in ("j", "Space", "j", "j", "Shift+Space"):
        nele.page.keyboard.press(key)
    nele.see("Ticked: 3")
    nele.page.keyboard.press("Space")
    nele.see("Ticked: 2")
    boxes = nele.page.locator("[data-selection] tbody input")
    boxes.nth(3).click()
    boxes.nth(6).click(modifiers=["Shift"])
    nele.see("Ticked: 6")
    assert ticked.evaluate_all("all => all.map(one => one.closest('tr').rowIndex)") == [1, 2, 4, 5, 6, 7]
    chosen = ticked.evaluate_all("all => all.map(one => one.value)")
    nele.press("With the ticked ones…")
    nele.see("Selected prompts")
    assert all(nele.page.locator(f"main a[href='/admin/prompts/{key}']").count() for key in chosen)


def test_an_open_page_says_when_something_waits(town: Town) -> None:
    olaf, pia = town.somebody("Olaf Lind", Role.EDITOR), town.somebody("Pia Roth", Role.APPROVER)
    pia.page.clock.install()
    pia.go("/admin/prompts")
    link = pia.page.locator("#nav a[href='/admin/changes']")
    before = int(link.locator("[data-count] > [aria-hidden]").text_content() or "0")
    submit(olaf, edit(olaf, "travel.car-hire", title="Cars for a business trip"))
    pia.page.clock.fast_forward(31_000)
    pia.page.get_by_role("link", name=f"Changes (waiting for you: {before + 1})").wait_for()
    assert pia.path == "/admin/prompts"


def test_without_scripts_a_change_is_published_and_taken_back(town: Town) -> None:
    cora = town.somebody("Cora Blum", Role.EDITOR, java_script_enabled=False)
    dirk = town.somebody("Dirk Sato", Role.APPROVER, java_script_enabled=False)
    before = town.prompt("hr.remote-work-abroad").reply
    cora.go("/admin/prompts")
    cora.fill(search="abroad")
    cora.press("Filter")
    cora.page.locator("a[href='/admin/prompts/hr.remote-work-abroad']").click()
    cora.page.locator("main .heading a.primary").click()
    cora.fill(answer="Ask first.")
    cora.send("Save draft")
    change = change_in(cora)
    submit(cora, change)
    approve(dirk, change)
    publish(dirk, change)
    assert town.prompt("hr.remote-work-abroad").reply == Verbatim(answer="Ask first.")
    take(cora, change, "Draft the way back", "This change takes the other one back.")
    back = cora.path.rpartition("/")[2]
    submit(cora, back, "It said too little.")
    approve(dirk, back)
    publish(dirk, back)
    assert town.prompt("hr.remote-work-abroad").reply == before
    town.until_live()


def test_a_session_lost_while_editing_keeps_what_was_typed(town: Town) -> None:
    finn = town.somebody("Finn Osei", Role.EDITOR)
    finn.go("/admin/prompts/finance.card-lost/edit")
    finn.fill(title="A card is gone", answer="A long and careful answer that nobody wants to type twice.")
    finn.page.context.clear_cookies(name=SESSION)
    finn.press("Save draft")
    finn.see("Your session is over.", "What you typed is kept. Sign in to go on.")
    finn.fill(name="Finn Osei", password=PASSWORD)
    finn.press("Sign in")
    finn.see("You are signed in again", "A long and careful answer that nobody wants to type twice.")
    finn.press("Save it now")
    finn.page.wait_for_url("**change=*")
    finn.see("The draft is saved.", "A card is gone")
    actor = town.user("Finn Osei").actor
    (head,) = town.administration.changing.drafts.page(actor, author=actor.person).changes
    assert [(one.kind, one.name) for one in head.items] == [(EditKind.PROMPT, "finance.card-lost")]


def test_the_whole_way_in_arabic_runs_from_right_to_left(town: Town) -> None:
    gada = town.somebody("Gada Nasser", Role.EDITOR, locale="ar-EG")
    hana = town.somebody("Hana Saleh", Role.APPROVER, locale="ar-EG")
    gada.go("/admin/prompts/facilities.office-hours-weekend/edit")
    assert gada.page.locator("html").get_attribute("dir") == "rtl"
    side = "() => document.querySelector('#nav').getBoundingClientRect().left > innerWidth / 2"
    assert gada.page.evaluate(side)
    gada.fill(title="عطلة نهاية الأسبوع", answer="Closed. مغلق.")
    gada.page.locator("main form button.primary").click()
    gada.page.wait_for_url("**change=*")
    change = change_in(gada)
    gada.go(f"{CHANGES}/{change}/steps/submit")
    gada.fill(note="ليفهمه الجميع")
    gada.page.locator("main form button.primary").click()
    gada.page.wait_for_url(f"**/{change}")
    gada.go(f"{CHANGES}/{change}/gate")
    gada.page.locator("main form button.primary").click()
    gada.page.locator(".badge-ok").first.wait_for(timeout=60_000)
    for step in ("approve", "publish"):
        hana.go(f"{CHANGES}/{change}/steps/{step}")
        hana.page.locator("main form button.primary").click()
        hana.page.wait_for_url(f"**/{change}")
    assert hana.page.locator("html").get_attribute("lang") == "ar"
    assert town.prompt("facilities.office-hours-weekend").title == "عطلة نهاية الأسبوع"
    assert not [word for word in ("Approve", "Publish", "Submit") if hana.sees(word)]
    town.until_live()


def test_on_a_phone_everything_is_reached_and_nothing_scrolls_sideways(town: Town) -> None:
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
    ivar, jana = town.somebody("Ivar Lund", Role.EDITOR, **phone), town.somebody("Jana Zeman", Role.APPROVER, **phone)
    ivar.go("/admin")
    ivar.press("Menu")
    ivar.page.locator("#nav").get_by_role("link", name="Prompts").click()
    ivar.page.wait_for_url("**/admin/prompts")
    assert not ivar.watched.overflows
    change = edit(ivar, "it.shared-mailbox", title="A mailbox for many")
    assert not ivar.watched.overflows
    submit(ivar, change)
    assert not ivar.watched.overflows
    jana.go(f"{CHANGES}?tab=waiting")
    assert not jana.watched.overflows
    approve(jana, change)
    publish(jana, change)
    assert not jana.watched.overflows
    assert town.prompt("it.shared-mailbox").title == "A mailbox for many"
    town.until_live()


def test_the_look_is_chosen_in_the_profile(town: Town) -> None:
    karl = town.somebody("Karl Weiss", Role.VIEWER)
    karl.go("/admin/profile")
    karl.page.select_option("#f-theme", "dark")
    karl.page.select_option("#f-density", "compact")
    karl.page.select_option("#f-language", "ar")
    with karl.page.expect_navigation():
        karl.form("/admin/look").locator("button").click()
    html = karl.page.locator("html")
    assert (html.get_attribute("data-theme"), html.get_attribute("data-density")) == ("dark", "compact")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == ("ar", "rtl")
    colour = "() => getComputedStyle(document.body).backgroundColor"
    assert karl.page.evaluate(colour) == "rgb(13, 19, 23)"
    karl.go("/admin/prompts")
    assert karl.page.locator("html").get_attribute("data-theme") == "dark"
    assert not town.trail("user.look"), "it is kept in the browser alone"


def test_the_playground_shows_live_and_draft_side_by_side(town: Town) -> None:
    lotte = town.somebody("Lotte Groen", Role.EDITOR)
    change = edit(lotte, "it.wifi-guest", answer="Ask the desk.")
    before = town.asked()
    lotte.go(f"/admin/playground?assistant=helpdesk&change={change}&question=guest+wifi")
    lotte.page.check("[name=compare]")
    lotte.page.locator("#f-question").focus()
    lotte.page.keyboard.press("Control+Enter")
    lotte.see("What the draft changes", "Reply of what is live", "Reply of the draft")
    differs = lotte.page.locator("section", has=lotte.page.locator("#differs"))
    assert "Ask" in differs.locator("ins").first.inner_text()
    replies = {side: lotte.page.locator("section", has=lotte.page.locator(f"#reply-{side}")) for side in SIDES}
    assert {side: "Ask the desk." in one.inner_text() for side, one in replies.items()} == {
        "live": False,
        "draft": True,
    }
    assert lotte.page.locator("#way-live, #way-draft").count() == 2
    lotte.page.check("[name=repeat]")
    lotte.press("Ask")
    lotte.see("5 of 5 replies are the same as the first.")
    assert town.asked() == before, "what is tried out is not recorded"


def test_the_trail_shows_what_was_done_and_is_whole(town: Town) -> None:
    made = published(town, "hr.parental-leave", {"title": "Leave for parents"})
    mats = town.somebody("Mats Hult", Role.AUDITOR)
    mats.go("/admin/audit?action=change.")
    mats.see("published a change", "approved a change", "submitted a change", "edited a change")
    done = [one.action for one in town.trail("change.") if one.target == f"change {made.id}"]
    assert {"change.created", "change.edited", "change.submitted", "change.approved", "change.published"} <= set(done)
    mats.follow("Check the trail")
    mats.see("The trail is whole.")
