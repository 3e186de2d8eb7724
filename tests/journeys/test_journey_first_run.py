"""From a gateway that was never started to the first answered question, all of it by a person at a browser."""

from store.content import Generate
from store.people import Role
from store.types import KeyScope
from tests.administration import PASSWORD
from tests.journeys import town as towns
from tests.journeys.town import Town


def test_a_first_run_leads_to_the_first_answered_question(empty_town: Town) -> None:
    access = empty_town.administration.access
    invited = access.users.first_administrator()
    assert invited is not None
    admin = empty_town.stranger()
    admin.go("/admin")
    admin.follow("I have a one-time token")
    admin.fill(token=invited.token, password=PASSWORD, again=PASSWORD)
    admin.press("Set password")
    admin.fill(name="admin", password=PASSWORD)
    admin.press("Sign in")
    admin.see("First steps", "Publish prompts", "Import a file of questions and answers")
    admin.go("/admin/playground")
    admin.see("No assistant to ask yet")

    towns.fill(empty_town)
    assert len(empty_town.catalog.prompts) > 50
    admin.go("/admin")
    admin.see("1 of 5 done")
    admin.follow("Ask a first question")
    admin.fill(question="report phishing")
    admin.press("Ask")
    admin.see("Found word for word as an approved phrasing.", "The model gave no words.")
    assert admin.sees("The step that words answers cannot run.")
    reply = empty_town.prompt("security.phishing-report").reply
    assert isinstance(reply, Generate)
    assert admin.sees(reply.fallback)
    assert access.users.page(invited.user.actor, limit=2)[0].actor.may(Role.ADMIN)

    admin.go("/admin")
    admin.follow("Make a key for your first client")
    admin.fill(name="Intranet")
    admin.page.check("#f-scope-CHAT")
    admin.press("Make a key")
    token = admin.page.locator("#token").input_value()
    (key,) = access.keys.all(invited.user.actor)
    assert (key.name, key.scopes) == ("Intranet", (KeyScope.CHAT,))
    assert empty_town.ask("I forgot my password", token)["outcome"] == "degraded"
    admin.go("/admin")
    admin.follow("Add a second person")
    admin.fill(name="Bob Ekwueme")
    admin.page.check("#f-role-approver")
    admin.press("Add a person")
    admin.see("This token is shown only now.")
    admin.go("/admin")
    admin.see("4 of 5 done")
    assert any(user.actor.may(Role.APPROVER) for user in access.users.page(invited.user.actor, limit=3))
