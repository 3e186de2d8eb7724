"""Words on their way to people: edited, tried, reviewed by somebody else, published, taken back, at a time."""

import datetime as dt
from uuid import UUID

from store.changes.types import ChangeState, EditKind, Item
from store.content import Verbatim
from store.people import Role
from tests.journeys.change_journeys import approve, change_in, edit, publish, published, state_of, submit, take
from tests.journeys.town import Town, until

NEW = "Your visitor chooses the network 'Tarnwick Guest' and types your extension."


def answer_of(town: Town, key: str) -> str:
    reply = town.prompt(key).reply
    assert isinstance(reply, Verbatim)
    return reply.answer


def test_an_edit_is_warned_about_tried_reviewed_and_answered_over_the_api(town: Town) -> None:
    ines = town.somebody("Ines Prado", Role.EDITOR)
    otto = town.somebody("Otto Brand", Role.APPROVER)
    key, before = town.key(), answer_of(town, "it.wifi-guest")
    ines.go("/admin/prompts")
    ines.fill(search="visitor wifi")
    ines.go("/admin/prompts/it.wifi-guest/edit")
    phrasings = ines.page.locator("#f-phrasings").input_value()
    ines.fill(phrasings=f"{phrasings}\nreport phishing", answer=NEW)
    ines.send("Save draft")
    ines.see("Phrasings that do not stand by themselves:")
    change = change_in(ines)
    ines.follow("See all of them")
    ines.see("Another prompt has it")
    assert ines.page.locator("main a[href='/admin/prompts/security.phishing-report']").count()
    edit(ines, "it.wifi-guest", change, phrasings=f"{phrasings}\nwireless for the plumber")

    ines.go(f"/admin/playground?change={change}&assistant=helpdesk&question=wireless+for+the+plumber")
    ines.press("Ask")
    ines.see("Reply of the draft", NEW)
    assert town.ask("guest wifi", key)["text"] == before

    submit(ines, change)
    assert state_of(town, change) is ChangeState.IN_REVIEW
    assert not ines.page.get_by_role("link", name="Approve", exact=True).count()
    otto.go("/admin/changes?tab=waiting")
    otto.see("it.wifi-guest")
    approve(otto, change)
    publish(otto, change)
    town.until_live()
    assert state_of(town, change) is ChangeState.LIVE
    assert answer_of(town, "it.wifi-guest") == NEW
    told = town.ask("wireless for the plumber", key)
    assert (told["outcome"], told["text"]) == ("answered", NEW)


def test_two_editors_at_one_draft_see_both_texts_and_lose_nothing(town: Town) -> None:
    mila, noor = town.somebody("Mila Rossi", Role.EDITOR), town.somebody("Noor Aziz", Role.EDITOR)
    change = edit(mila, "it.mfa-new-phone", title="First words")
    noor.go(f"/admin/prompts/it.mfa-new-phone/edit?change={change}")
    edit(mila, "it.mfa-new-phone", change, title="What Mila typed")
    noor.fill(title="What Noor typed", answer="Noor's long answer.")
    noor.press("Save draft")
    noor.see("Somebody else changed this meanwhile.", "Both texts")
    both = noor.page.locator("section", has=noor.page.locator("#both"))
    assert "Mila" in both.locator("del").first.inner_text()
    assert "Noor" in both.locator("ins").first.inner_text()
    assert noor.page.locator("#f-title").input_value() == "What Noor typed"
    assert noor.page.locator("#f-answer").input_value() == "Noor's long answer."
    contents, actor = town.administration.changing.contents, town.user("Noor Aziz").actor
    item = Item(EditKind.PROMPT, "it.mfa-new-phone")
    assert contents.get(actor, item, UUID(change)).document["title"] == "What Mila typed"
    noor.send("Save over it")
    noor.see("The draft is saved.")
    assert contents.get(actor, item, UUID(change)).document["title"] == "What Noor typed"


def test_an_old_version_is_restored_as_a_new_one(town: Town) -> None:
    first = answer_of(town, "travel.train-class")
    published(town, "travel.train-class", {"reply": {"mode": "verbatim", "answer": "Ask your manager."}})
    assert town.prompt("travel.train-class").reply == Verbatim(answer="Ask your manager.")
    lena, paul = town.somebody("Lena Vogt", Role.EDITOR), town.somebody("Paul Adeyemi", Role.APPROVER)
    lena.go("/admin/prompts/travel.train-class/versions")
    lena.see("Version 2")
    lena.page.get_by_role("button", name="Restore Version 1").click()
    lena.see("The old version is drafted.")
    change = change_in(lena)
    submit(lena, change)
    approve(paul, change)
    publish(paul, change)
    town.until_live()
    version = town.catalog.prompts["travel.train-class"]
    assert (version.number, answer_of(town, "travel.train-class")) == (3, first)
    lena.go("/admin/prompts/travel.train-class/versions?from=2&to=3")
    lena.see("From version 2 to version 3")
    assert lena.page.locator("del", has_text="manager").count()


def test_a_published_change_is_taken_back(town: Town) -> None:
    before = answer_of(town, "hr.parental-leave")
    made = published(town, "hr.parental-leave", {"reply": {"mode": "verbatim", "answer": "There is none."}})
    sven = town.somebody("Sven Falk", Role.APPROVER)
    take(sven, str(made.id), "Take it back now", "Taken back.")
    assert sven.path.rpartition("/")[2] != str(made.id)
    town.until_live()
    assert answer_of(town, "hr.parental-leave") == before
    sven.go(f"/admin/changes/{made.id}")
    sven.see("Superseded")


def test_a_change_goes_live_at_its_time(town: Town) -> None:
    tara, ugo = town.somebody("Tara Boyd", Role.EDITOR), town.somebody("Ugo Marin", Role.APPROVER)
    change = edit(tara, "facilities.fire-alarm", answer="Leave by the stairs.")
    submit(tara, change)
    approve(ugo, change)
    ugo.go(f"/admin/changes/{change}/steps/publish")
    ugo.page.check("#f-when-later")
    at = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=5)  # the field knows whole seconds
    ugo.page.locator("#f-publish_at").evaluate("one => { one.step = 'any' }")  # minutes are what people choose
    ugo.page.fill("#f-publish_at", at.strftime("%Y-%m-%dT%H:%M:%S"))
    ugo.press("Publish")
    ugo.see("It goes live at")
    assert state_of(town, change) is ChangeState.APPROVED
    assert answer_of(town, "facilities.fire-alarm") != "Leave by the stairs."
    until(lambda: state_of(town, change) is ChangeState.LIVE)
    assert answer_of(town, "facilities.fire-alarm") == "Leave by the stairs."
    assert dt.datetime.now(dt.UTC) >= at
    ugo.go(f"/admin/changes/{change}")
    ugo.see("published it")
