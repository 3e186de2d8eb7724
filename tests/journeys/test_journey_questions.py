"""What people asked in vain becomes a phrasing, a prompt or a case of a test set, and can be undone."""

import pytest

from store.changes.types import EditKind, Item
from store.formats.suite import Expectation
from store.people import Actor, Role
from tests.journeys.change_journeys import change_in, submit
from tests.journeys.town import Somebody, Town


def ask_in_vain(town: Town, question: str) -> None:
    """Has three people ask what nothing answers, so that it is a group of its own."""
    key = town.key()
    for _ in range(3):
        assert town.ask(question, key)["outcome"] in ("no_match", "clarify")


def open_group(somebody: Somebody, question: str) -> None:
    """Opens the group of a question once it is placed."""
    for _ in range(100):
        somebody.go("/admin/unmatched?text=" + question.rsplit(maxsplit=1)[-1].strip("?"))
        link = somebody.page.locator("table.rows a.row-link").first
        if link.count():
            return link.click()
        somebody.page.wait_for_timeout(200)
    return pytest.fail("the question does not come into the queue")


def drafted(town: Town, actor: Actor, kind: EditKind, name: str) -> dict[str, object]:
    """Gives a document as the actor's open change has it."""
    changing = town.administration.changing
    (head,) = changing.drafts.page(actor, author=actor.person, item=Item(kind, name)).changes
    return dict(changing.contents.get(actor, Item(kind, name), head.id).document)


def test_a_question_becomes_a_phrasing_and_is_taken_back(town: Town) -> None:
    question = "Where do zebras borrow their umbrellas?"
    ask_in_vain(town, question)
    anna = town.somebody("Anna Berg", Role.EDITOR)
    open_group(anna, question)
    anna.see("Where it may belong")
    anna.page.fill("#f-prompt", "it.wifi-guest")
    anna.page.locator("#f-prompt ~ .actions button").click()
    anna.see("It is drafted, and not live yet.")
    document = drafted(town, anna_of(town), EditKind.PROMPT, "it.wifi-guest")
    assert question in document["phrasings"]
    anna.press("Undo")
    anna.see("The questions are back.")
    changes = town.administration.changing.drafts.page(anna_of(town), author=anna_of(town).person).changes
    assert not any(Item(EditKind.PROMPT, "it.wifi-guest") in one.items for one in changes)
    anna.go("/admin/unmatched?text=umbrellas")
    anna.see(question)


def anna_of(town: Town) -> Actor:
    return town.user("Anna Berg").actor


def test_a_question_becomes_a_prompt(town: Town) -> None:
    question = "Who hands out sledges to a walrus?"
    ask_in_vain(town, question)
    beth = town.somebody("Beth Carr", Role.EDITOR)
    open_group(beth, question)
    beth.press("New prompt")
    beth.fill(title="Parking permits", key="facilities.parking-permits", owner="Facilities", answer="Ask at the desk.")
    beth.page.select_option("#f-area", "facilities")
    beth.press("Draft the prompt")
    beth.see("It is drafted, and not live yet.")
    document = drafted(town, town.user("Beth Carr").actor, EditKind.PROMPT, "facilities.parking-permits")
    assert document["phrasings"] == [question]
    beth.follow("Open the change")
    beth.see("facilities.parking-permits", "Ask at the desk.")
    assert "facilities.parking-permits" not in town.catalog.prompts


def test_a_question_out_of_scope_goes_into_the_test_set_and_is_undone(town: Town) -> None:
    question = "Why do otters juggle with turnips?"
    ask_in_vain(town, question)
    cleo = town.somebody("Cleo Dunn", Role.EDITOR)
    open_group(cleo, question)
    cleo.press("Out of scope")
    cleo.see("must be refused, in the test set:")
    actor = town.user("Cleo Dunn").actor
    changes = town.administration.changing.drafts.page(actor, author=actor.person).changes
    assert [item.kind for one in changes for item in one.items] == [EditKind.SUITE]
    cleo.go("/admin/unmatched/actions")
    cleo.press("Undo")
    cleo.see("The questions are back.")
    changes = town.administration.changing.drafts.page(actor, author=actor.person).changes
    assert not [item for one in changes for item in one.items]


def test_an_answer_that_helped_becomes_a_case_that_runs_against_what_is_live(town: Town) -> None:
    dora = town.somebody("Dora Eklund", Role.EDITOR)
    dora.go("/admin/playground?assistant=helpdesk&question=shared+mailbox+access")
    dora.press("Ask")
    dora.page.locator("a[href*='/helpdesk/case?']").click()
    assert dora.page.locator("#f-prompt").input_value() == "it.shared-mailbox"
    dora.fill(id="shared-mailbox")
    dora.press("Draft the case")
    dora.see("The case is drafted.")
    change = change_in(dora)
    suite = drafted(town, town.user("Dora Eklund").actor, EditKind.SUITE, "helpdesk")
    (case,) = [one for one in suite["cases"] if one["id"] == "shared-mailbox"]
    assert (case["message"], case["expect"]) == ("shared mailbox access", Expectation.ANSWER.value)
    submit(dora, change, "One more question.")
    dora.go(f"/admin/suites/helpdesk?change={change}")
    dora.see("the gate has passed", "4 of 4 right", "Before the change, 4 were right.")


def test_feedback_leads_into_a_test_set(town: Town) -> None:
    key = town.key()
    told = town.ask("guest wifi", key)
    town.judge(told["id"], key, verdict="up")
    emil = town.somebody("Emil Foss", Role.EDITOR)
    emil.go("/admin/feedback")
    emil.see("Helped")
    emil.page.locator("a[href*='/helpdesk/case?']").first.click()
    assert emil.page.locator("#f-message").input_value() == "guest wifi"
    assert emil.page.locator("#f-prompt").input_value() == "it.wifi-guest"
