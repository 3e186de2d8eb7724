"""What pages do while somebody works at them: checks while typing, letters, progress, and who else is there."""

import re
from typing import Any

import msgspec

from store.catalog import publish_bundle
from store.changes.suite_runs import SuiteRunState
from store.formats.bundle import Bundle
from store.people import Grant, Role
from tests.journeys.test_journey_questions import ask_in_vain, open_group
from tests.journeys.town import Somebody, Town
from tests.real_browser import axe_source

EDIT = "/admin/prompts/it.wifi-guest/edit"
TAKEN = "How do I reset my password?"
CHECKED = "[data-said]"


def said(somebody: Somebody, part: str) -> str:
    return re.sub(r"[\u2068\u2069]", "", somebody.page.locator(f"#{part} {CHECKED}").inner_text())


def asked_in_vain(town: Town, *questions: str) -> str:
    """Has what nothing answers asked, of some questions whose fate a fake embedder decides; gives it."""
    key = town.key()
    found = next(one for one in questions if town.ask(one, key)["outcome"] in ("no_match", "clarify"))
    ask_in_vain(town, found)
    return found


def drafts_of(town: Town, name: str) -> int:
    actor = town.user(name).actor
    return len(town.administration.changing.drafts.page(actor, author=actor.person).changes)


def test_phrasings_are_checked_while_somebody_types_and_nothing_is_saved(town: Town) -> None:
    nora = town.somebody("Nora Vance", Role.EDITOR)
    nora.go(EDIT)
    nora.page.locator("#f-phrasings").press("Control+End")
    nora.page.locator("#f-phrasings").press_sequentially(f"\n{TAKEN}")
    nora.page.locator("#live-checks li", has_text=TAKEN).wait_for()
    nora.see("Another prompt has it")
    assert "phrasings do not stand by themselves." in said(nora, "live-checks")
    assert nora.page.locator(f"#live-checks {CHECKED}").get_attribute("role") == "status"
    assert not nora.watched.violations(axe_source())
    assert drafts_of(town, "Nora Vance") == 0
    assert nora.path == EDIT


def test_a_check_that_fails_is_told_and_the_next_one_mends_it(town: Town) -> None:
    olga = town.somebody("Olga Pine", Role.EDITOR)
    olga.go(EDIT)
    olga.page.route("**/check", lambda route: route.fulfill(status=404, body="away", content_type="text/plain"))
    olga.page.locator("#f-phrasings").press_sequentially("Dim the lamp\n")
    olga.see("This could not be checked just now.")
    olga.page.unroute("**/check")
    olga.press("Check the phrasings")
    olga.page.locator("#live-checks li", has_text="Dim the lamp").wait_for()
    assert "could not be checked" not in said(olga, "live-checks")
    assert olga.path == EDIT, "the button checks without leaving the page"


def test_an_answer_that_comes_too_late_does_not_replace_a_newer_one(town: Town) -> None:
    pia = town.somebody("Pia Quist", Role.EDITOR)
    pia.go(EDIT)
    held: list[Any] = []

    def hold(route: Any) -> None:  # a function of ours: the browser's library marks the one it is given
        held.append(route)

    pia.page.route("**/check", hold)
    pia.page.locator("#f-phrasings").fill("First words of mine")
    pia.page.wait_for_timeout(1200)
    pia.page.unroute("**/check")
    pia.page.locator("#f-phrasings").fill("Second words of mine")
    pia.page.locator("#live-checks li", has_text="Second words of mine").wait_for()
    assert len(held) == 1
    pia.page.wait_for_timeout(300)
    assert not pia.page.locator("#live-checks li", has_text="First words").count()


def test_a_policy_is_linted_while_somebody_types(town: Town) -> None:
    quin = town.somebody("Quin Adler", Role.EDITOR)
    quin.go("/admin/rails/helpdesk/code")
    quin.page.locator(".editor .cm-content").click()
    quin.page.keyboard.press("Control+Home")
    quin.page.keyboard.type("nmae: x\n")
    quin.page.locator("#live-lint li[data-line]").first.wait_for()
    quin.page.locator(".editor .cm-lint-marker-error").first.wait_for()
    assert said(quin, "live-lint").startswith("To be mended: ")
    assert not quin.watched.violations(axe_source())
    quin.page.locator(".editor .cm-content").click()
    quin.page.keyboard.press("Control+Home")
    quin.page.keyboard.press("Control+Shift+ArrowDown")
    quin.page.keyboard.press("Control+z")
    quin.page.keyboard.press("Control+z")
    quin.see("Nothing is wrong with it")
    quin.go("/admin/rails/helpdesk/form")
    quin.page.check("[name='output.repetition.gone']")
    quin.see("Places where it stops less than what is live: 1.")
    quin.page.locator("#live-lint", has_text="is taken out").wait_for()
    assert not quin.watched.violations(axe_source())
    assert drafts_of(town, "Quin Adler") == 0


def test_letters_act_on_a_group_outside_of_fields_unless_they_are_off(town: Town) -> None:
    question = asked_in_vain(
        town,
        "Who lends lanterns to a heron?",
        "Why do badgers polish their trombones?",
        "When may the pelicans paint our lighthouse?",
        "Which walnut sings to the tortoises?",
    )
    rosa = town.somebody("Rosa Lind", Role.EDITOR)
    open_group(rosa, question)
    rosa.page.wait_for_url("**/clusters/**")
    here = rosa.path
    rosa.page.locator("#f-wording").press_sequentially("xsno")
    assert (rosa.path, rosa.page.locator("#f-wording").input_value()) == (here, "xsno")
    rosa.page.locator("#f-wording").fill("")
    rosa.page.locator("h1").click()
    rosa.page.keyboard.press("?")
    rosa.see("Unmatched: snooze")
    rosa.page.keyboard.press("x")
    rosa.page.keyboard.press("Escape")
    assert rosa.path == here, "not while the sheet is open"
    rosa.page.keyboard.press("Control+x")
    assert rosa.path == here
    if rosa.page.locator("#f-into").count():
        rosa.page.keyboard.press("m")
        assert rosa.page.evaluate("document.activeElement.id") == "f-into"
        rosa.page.evaluate("document.activeElement.blur()")
    with rosa.page.expect_navigation():
        rosa.page.keyboard.press("n")
    assert rosa.page.locator("#f-key").count() == 1
    rosa.go(here)
    with rosa.page.expect_navigation():
        rosa.page.keyboard.press("s")
    with rosa.page.expect_navigation():
        rosa.press("Undo")
    rosa.go(here)
    with rosa.page.expect_navigation():
        rosa.page.keyboard.press("o")
    rosa.press("Undo")
    rosa.go("/admin/profile")
    rosa.page.select_option("#f-shortcuts", "off")
    rosa.send("Keep")
    rosa.go(here)
    assert not rosa.page.locator("[aria-keyshortcuts]").count()
    rosa.page.keyboard.press("x")
    rosa.page.wait_for_timeout(300)
    assert rosa.path == here
    rosa.go("/admin/profile")
    rosa.page.select_option("#f-shortcuts", "on")
    rosa.send("Keep")
    rosa.go(here)
    with rosa.page.expect_navigation():
        rosa.page.keyboard.press("x")
    rosa.see("Undo")


def test_a_group_goes_to_its_best_candidate_by_a_letter(town: Town) -> None:
    question = asked_in_vain(
        town,
        "Where do llamas keep their snorkels?",
        "Who irons the flags of the hedgehogs?",
        "Why is the penguin counting thimbles?",
        "When does the marmot rent its canoe?",
    )
    sara = town.somebody("Sara Voss", Role.EDITOR)
    open_group(sara, question)
    sara.page.locator("button[aria-keyshortcuts=a]").wait_for()
    best = sara.page.locator(".prospect code").first.inner_text()
    with sara.page.expect_navigation():
        sara.page.keyboard.press("a")
    sara.see("It is drafted, and not live yet.")
    actor = town.user("Sara Voss").actor
    (head,) = town.administration.changing.drafts.page(actor, author=actor.person).changes
    assert [item.name for item in head.items] == [best]


def test_two_who_edit_one_prompt_see_each_other_while_they_do(town: Town) -> None:
    mira, tove = town.somebody("Mira Solberg", Role.EDITOR), town.somebody("Tove Lie", Role.EDITOR)
    mira.go("/admin/prompts/hr.sick-note/edit")
    assert not mira.sees("is editing this too.")
    plain = town.stranger(java_script_enabled=False)
    town.sign_in(plain, town.user("Tove Lie"))
    plain.go("/admin/prompts/hr.sick-note/edit")
    assert plain.sees("Mira Solberg is editing this too."), "without scripts when the page is opened"
    mira.page.locator("#here", has_text="Tove Lie").wait_for()
    assert said(mira, "here") == "Tove Lie is editing this too."
    assert not mira.watched.violations(axe_source())
    tove.go("/admin/prompts/it.account-locked/edit")
    assert not tove.sees("is editing this too.")


def test_a_test_set_is_run_against_what_is_live_and_its_page_follows(town: Town) -> None:
    uma = town.somebody("Uma Reyes", Role.EDITOR)
    uma.go("/admin/suites/helpdesk")
    uma.see("It has not been run against what is live yet.")
    uma.send("Run it against what is live")
    uma.see("The last run is finished: 3 cases.")
    uma.send("Run it against what is live")
    uma.see("Beside the run of")
    assert not uma.watched.violations(axe_source())
    runs = town.administration.suites.of(town.user("Uma Reyes").actor, "helpdesk")
    assert [one.state for one in runs] == [SuiteRunState.DONE] * 2
    assert {one.case for one in runs[0].cases} == {"phish", "reset", "attack"}


def test_a_person_gets_a_role_in_areas_that_are_ticked(town: Town) -> None:
    root = town.somebody("Wanda Root", Role.ADMIN)
    root.go("/admin/people/new")
    root.fill(name="Yves Keller")
    root.send("Add a person")
    root.see("Give at least one role.")
    root.page.check("#f-role-approver")
    root.page.check("[name=where_approver][value=some]")
    root.send("Add a person")
    root.see("Tick an area, or choose everywhere.")
    root.page.check("[name=areas_approver][value=hr]")
    assert not root.watched.violations(axe_source())
    root.send("Add a person")
    made = town.administration.access.users.named("Yves Keller")
    assert made.grants == {Grant(Role.APPROVER, frozenset({"hr"}))}


def test_an_old_version_of_an_assistant_is_seen_word_by_word_and_drafted_again(town: Town) -> None:
    before = town.catalog.assistants["helpdesk"]
    changed = Bundle((), (msgspec.structs.replace(before, greeting="Hello there."),), {})
    publish_bundle(town.administration.database, changed, author="operator", note="greeting")
    town.until_live()
    zoe = town.somebody("Zoe Marsh", Role.EDITOR)
    zoe.go("/admin/assistants/helpdesk")
    zoe.follow("Versions")
    zoe.press("Compare")
    zoe.page.locator("#difference ins").first.wait_for()
    assert not zoe.watched.violations(axe_source())
    zoe.page.locator("form[action$='/restore'] button").first.click()
    zoe.see("The old version is drafted.")
    zoe.go("/admin/assistants/helpdesk/remove")
    zoe.see("What then has nobody to ask", "Prompts that nobody answers with")
    assert not zoe.watched.violations(axe_source())
