"""An assistant is changed by two people whose accounts an administrator made; whoever made them is told why not."""

import re

from store.changes.types import ChangeState
from store.content import KeepsText
from store.people import Role
from tests.administration import PASSWORD
from tests.journeys.change_journeys import CHANGES, approve, change_in, publish, state_of, submit
from tests.journeys.town import Somebody, Town


def invite(town: Town, admin: Somebody, name: str, role: Role) -> Somebody:
    """Makes an account on its page; the person sets a password with the token and signs in."""
    admin.go("/admin/people/new")
    admin.fill(name=name)
    admin.page.check(f"#f-role-{role.value}")
    admin.send("Add a person")
    token = admin.page.locator("input.secret").input_value()
    made = town.stranger()
    made.go("/admin/setup")
    made.fill(token=token, password=PASSWORD, again=PASSWORD)
    made.send("Set password")
    made.fill(name=name, password=PASSWORD)
    made.send("Sign in")
    return made


def test_two_people_whom_an_administrator_made_change_an_assistant(town: Town) -> None:
    admin = town.somebody("Ines Admin", Role.ADMIN, Role.EDITOR)
    edda, bob = invite(town, admin, "Edda Moreau", Role.EDITOR), invite(town, admin, "Bob Ekwueme", Role.APPROVER)
    assert town.catalog.assistants["helpdesk"].keeps_text is KeepsText.REDACTED

    admin.go("/admin/assistants/helpdesk/edit")
    admin.fill(greeting="Written by whoever made Bob's account.")
    admin.send("Save draft")
    admin.go(f"{CHANGES}/{change_in(admin)}")
    admin.see("Nobody could approve this change, although somebody has the role:")
    assert re.search("Bob Ekwueme's account was made, or given its rights, by Ines Admin", admin.text)

    edda.follow("Assistants")
    edda.follow("Tarnwick help desk")
    edda.follow("Edit")
    edda.fill(greeting="Good day. What do you need?")
    edda.page.select_option("[name=keeps_text]", "off")
    edda.send("Save draft")
    change = change_in(edda)
    edda.see("Good day. What do you need?")
    submit(edda, change, "Friendlier, and fewer words kept.")
    bob.go(f"{CHANGES}/{change}")
    bob.see("Assistant helpdesk")
    bob.follow("Open")
    bob.see("Good day. What do you need?")
    approve(bob, change)
    publish(bob, change)
    town.until_live()
    assert state_of(town, change) is ChangeState.LIVE
    live = town.catalog.assistants["helpdesk"]
    assert (live.greeting, live.keeps_text) == ("Good day. What do you need?", KeepsText.OFF)
    bob.go("/admin/unmatched")
    bob.see("Assistants that keep nothing of what people write:")
    bob.page.locator("main a[href='/admin/assistants/helpdesk']").click()
    bob.see("What it keeps of words", "Nothing")
