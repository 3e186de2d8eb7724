"""Rails in a browser: a mistake is told with its line; a check that goes takes a confirmation and an administrator."""

import re
from uuid import UUID

from store.changes.types import ChangeState, EditKind, Item
from store.people import Role
from tests.journeys.change_journeys import CHANGES, approve, change_in, publish, state_of, submit
from tests.journeys.town import Town

CODE = "/admin/rails/helpdesk/code"


def test_a_bad_policy_is_refused_with_its_line(town: Town) -> None:
    vera = town.somebody("Vera Holm", Role.EDITOR, java_script_enabled=False)
    vera.go(CODE)
    text = vera.page.locator("#f-text").input_value()
    broken = text.replace("rail: injection", "rail: injektion", 1)
    vera.page.fill("#f-text", broken)
    vera.press("Save as a draft")
    line = next(number for number, one in enumerate(broken.split("\n"), 1) if "injektion" in one)
    vera.see("What is wrong", f"Line {line}, column", "There is no rail `injektion`")
    assert "injektion" in vera.page.locator("#f-text").input_value()
    drafts = town.administration.changing.drafts
    assert not drafts.page(town.user("Vera Holm").actor, author=town.user("Vera Holm").actor.person).changes


def test_a_rail_that_goes_is_confirmed_and_needs_an_administrator(town: Town) -> None:
    wim, xena = town.somebody("Wim Baker", Role.EDITOR), town.somebody("Xena Costa", Role.APPROVER)
    yuri = town.somebody("Yuri Frank", Role.APPROVER, Role.ADMIN)
    wim.go("/admin/rails/helpdesk/form")
    wim.page.check("[name='output.repetition.gone']")
    wim.press("Save as a draft")
    wim.see("Less would be stopped than now. Look at each line, and say that it is meant.", "is taken out")
    assert "change=" not in wim.page.url
    wim.page.check("[name=meant]")
    wim.press("Save as a draft")
    wim.see("Less is stopped than now, or may be: 1")
    change = change_in(wim)
    submit(wim, change, "It stopped good answers.")
    xena.go(f"{CHANGES}/{change}")
    if xena.page.get_by_role("link", name="Approve", exact=True).count():
        xena.follow("Approve")
        xena.press("Approve")
        xena.see("An administrator who is an approver too has to approve it.")
    assert state_of(town, change) is ChangeState.IN_REVIEW
    approve(yuri, change)
    publish(yuri, change)
    town.until_live()
    live = town.catalog.policies["helpdesk"].document
    assert "repetition" not in [one["rail"] for one in live["output"]]
    wim.go("/admin/rails/helpdesk")
    wim.see("On the answer")
    assert not wim.page.locator("main h3 code", has_text="repetition").count()


def test_a_rail_of_the_shipped_policy_goes_with_the_tests_that_name_it(town: Town) -> None:
    tess = town.somebody("Tess Moor", Role.EDITOR)
    shipped = town.catalog.policies["helpdesk"].document
    (test,) = [one["text"] for one in shipped["tests"] if one.get("by") == "injection"]
    tess.go("/admin/rails/helpdesk/form")
    tess.page.check("[name='input.injection.gone']")
    tess.press("Save as a draft")
    tess.see("Less would be stopped than now.", "These tests of the policy go with it", test)
    tess.page.check("[name=meant]")
    tess.press("Save as a draft")
    tess.see("Less is stopped than now, or may be")
    contents = town.administration.changing.contents
    drafted = contents.get(town.user("Tess Moor").actor, Item(EditKind.POLICY, "helpdesk"), UUID(change_in(tess)))
    assert drafted.document["tests"] == [one for one in shipped["tests"] if one.get("by") != "injection"]


def test_code_without_the_rail_says_which_test_names_it(town: Town) -> None:
    ugo = town.somebody("Ugo Lenz", Role.EDITOR, java_script_enabled=False)
    ugo.go(CODE)
    text = ugo.page.locator("#f-text").input_value()
    ugo.page.fill("#f-text", re.sub(r"\n *- rail: injection(?=\n)", "", text, count=1))
    ugo.press("Save as a draft")
    ugo.see("Test 3 of the policy's own tests", "Take the test out, put the rail back, or name one that runs.")
