"""From a gateway that was never started to the first answered question, all of it by a person at a browser."""

from store.content import Generate
from store.people import Role
from store.types import KeyScope
from tests.administration import PASSWORD
from tests.journeys.town import Somebody, Town


def begun(town: Town, **choices: object) -> Somebody:
    """Sets the first administrator's password, signs in, and begins with the example, all on pages."""
    invited = town.administration.access.users.first_administrator()
    assert invited is not None
    admin = town.stranger(**choices)
    admin.go("/admin")
    admin.follow("I have a one-time token")
    admin.fill(token=invited.token, password=PASSWORD, again=PASSWORD)
    admin.send("Set password")
    admin.fill(name="admin", password=PASSWORD)
    admin.send("Sign in")
    admin.see("First steps", "Publish what people may ask", "Nothing is published yet")
    admin.send("Begin with the example help desk")
    admin.see("It is published.")
    return admin


def test_a_first_run_leads_to_the_first_answered_question(empty_town: Town) -> None:
    admin = begun(empty_town)
    access = empty_town.administration.access
    (row,) = empty_town.trail("content.begun")
    assert access.users.names(access.users.named("admin").actor, [row.actor.removeprefix("user:")])
    assert len(empty_town.catalog.prompts) > 50
    empty_town.until_live()
    admin.go("/admin")
    admin.see("1 of 5 done")
    assert not admin.sees("Begin with the example")
    admin.follow("Ask a first question")
    admin.fill(question="report phishing")
    admin.press("Ask")
    admin.see("Found word for word as an approved phrasing.", "The model gave no words.")
    assert admin.sees("The step that words answers cannot run.")
    reply = empty_town.prompt("security.phishing-report").reply
    assert isinstance(reply, Generate)
    assert admin.sees(reply.fallback)

    admin.go("/admin")
    admin.follow("Make a key for your first client")
    admin.fill(name="Intranet")
    admin.page.check("#f-scope-CHAT")
    admin.press("Make a key")
    token = admin.page.locator("#token").input_value()
    (key,) = access.keys.all(access.users.named("admin").actor)
    assert (key.name, key.scopes) == ("Intranet", (KeyScope.CHAT,))
    assert empty_town.ask("I forgot my password", token)["outcome"] == "degraded"
    for name, role in (("Edda Moreau", Role.EDITOR), ("Bob Ekwueme", Role.APPROVER)):
        admin.go("/admin")
        admin.follow("Add an editor and an approver")
        admin.fill(name=name)
        admin.page.check(f"#f-role-{role.value}")
        admin.press("Add a person")
        admin.see("This token is shown only now.")
    admin.go("/admin")
    admin.see("4 of 5 done")


def test_a_first_run_needs_no_javascript(empty_town: Town) -> None:
    admin = begun(empty_town, java_script_enabled=False)
    empty_town.until_live()
    admin.go("/admin/assistants")
    admin.see("Tarnwick help desk")
    admin.go("/admin/unmatched")
    assert not admin.sees("Assistants that keep nothing of what people write:")
