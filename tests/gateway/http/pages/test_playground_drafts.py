"""The playground beside what is live: a draft alone, both side by side, and one question five times."""

import msgspec
import pytest

from gateway.http.pages import playground
from gateway.readiness import PartReport, PartState
from store.catalog import publish_bundle
from store.content import Assistant
from store.errors import InvalidContent
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import draft
from tests.plain_browser import PlainBrowser
from tests.store.store_content import prompt
from tests.world import ANSWERS, ASSISTANT, POLICY, PROMPTS

pytestmark = pytest.mark.anyio
PAGE = "/admin/playground"
QUESTION = "How do I report a phishing mail?"
LIVE, NEW = "Press the Report button in your mail program, then delete the mail.", "Forward it to abuse at once."


@pytest.fixture
def desk(admin: AdminWorld) -> AdminWorld:
    """A gateway whose database has what the world serves."""
    more = {"owner": "Test", "language": "en", "review_by": "2027-06-30"}
    documents = [one | more | {"area": one["key"].split(".")[0]} for one in PROMPTS]
    prompts = tuple(prompt(**one) for one in documents)
    bundle = Bundle(prompts, (msgspec.convert(ASSISTANT, Assistant),), {"helpdesk": POLICY})
    publish_bundle(admin.database, bundle, author="tests")
    admin.user("ada", Role.EDITOR)
    admin.user("vic", Role.VIEWER)
    return admin


async def change_of(browser: PlainBrowser) -> str:
    """Drafts another answer; gives the id of its change."""
    path = await draft(browser, "/admin/prompts/security.phishing-report", answer=NEW)
    return path.rpartition("/")[2]


async def ask(browser: PlainBrowser, **more: str) -> PlainBrowser:
    await browser.open(f"{PAGE}?assistant=helpdesk")
    return await browser.send(PAGE, question=QUESTION, **more)


async def test_a_draft_is_asked_and_nothing_is_recorded(desk: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    change = await change_of(browser)
    await browser.open(f"{PAGE}?change={change}")
    assert dict(browser.page.form(PAGE)["fields"])["change"] == change
    await browser.send(PAGE, assistant="helpdesk", question=QUESTION)
    assert NEW in browser.text
    assert LIVE not in browser.text
    assert "Not recorded: it was asked to try something out." in browser.text
    assert not desk.world.decisions.kept
    await ask(browser)
    assert LIVE in browser.text
    assert len(desk.world.decisions.kept) == 1


async def test_live_and_draft_stand_side_by_side_with_what_differs(desk: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    change = await change_of(browser)
    await ask(browser, change=change, compare="1")
    assert browser.status == 200
    assert "Reply of what is live ● Answered" in browser.text
    assert "Reply of the draft ● Answered" in browser.text
    differing = browser.text.partition("What the draft changes")[2].partition("Reply of what is live")[0]
    assert "removed: Press the Report button" in differing
    assert "added: Forward it to abuse at once" in differing
    assert "Outcome" not in differing
    assert not desk.world.decisions.kept
    assert browser.page.count("table") == 2


@pytest.mark.usefixtures("desk")
async def test_to_compare_takes_a_draft(signed_in) -> None:
    browser = await signed_in("ada")
    await change_of(browser)
    await ask(browser, compare="1")
    assert browser.status == 422
    assert "Choose the draft that is to stand beside what is live." in browser.text
    assert QUESTION in dict(browser.page.form(PAGE)["fields"])["question"]


async def test_five_replies_say_how_often_they_are_the_same(desk: AdminWorld, signed_in) -> None:
    said = iter([ANSWERS["reset"]] * 4 + ["Open https://id.tarnwick.example and choose Forgot password."])
    desk.world.model.answer = lambda _: next(said)
    browser = await signed_in("ada")
    await browser.open(f"{PAGE}?assistant=helpdesk")
    await browser.send(PAGE, question="How do I reset my password?", repeat="1")
    assert "4 of 5 replies are the same as the first." in browser.text
    assert browser.text.count("◐ Another") == 1
    assert not desk.world.decisions.kept


@pytest.mark.usefixtures("desk")
async def test_a_viewer_is_offered_no_draft_and_gets_none(signed_in) -> None:
    change = await change_of(await signed_in("ada"))
    browser = await signed_in("vic")
    await browser.open(PAGE)
    assert "Which state" not in browser.text
    fields = [one for one in browser.page.form(PAGE)["fields"] if one[0] not in ("question", "change")]
    await browser.post(PAGE, [*fields, ("question", QUESTION), ("change", change)])
    assert browser.status == 403
    assert NEW not in browser.text


async def test_a_draft_of_another_tenant_is_not_there(desk: AdminWorld, signed_in) -> None:
    change = await change_of(await signed_in("ada"))
    desk.user("eve", Role.EDITOR, assistants=("shop",))
    browser = await signed_in("eve")
    await browser.open(f"{PAGE}?change={change}")
    assert browser.status == 404


async def test_what_keeps_a_draft_from_being_served_is_told_and_the_question_stays(desk: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    change = await change_of(browser)
    desk.candidates.error = InvalidContent(
        "prompts/security/phishing-report.yaml: it is too long.\npolicy helpdesk: no."
    )
    await ask(browser, change=change)
    assert "The draft could not be served, so it cannot be asked." in browser.text
    assert "prompts/security/phishing-report.yaml: it is too long." in browser.text
    assert dict(browser.page.form(PAGE)["fields"])["question"] == QUESTION
    desk.candidates.error = None
    await ask(browser, change=change)
    assert NEW in browser.text


async def test_a_draft_that_takes_long_says_how_far_it_is(desk: AdminWorld, signed_in, monkeypatch) -> None:
    monkeypatch.setattr(playground, "READY_S", 0.05)
    browser = await signed_in("ada")
    change = await change_of(browser)
    desk.candidates.gate.clear()
    await ask(browser, change=change)
    assert "The draft is being made ready." in browser.text
    assert "checking the documents" in browser.text
    desk.candidates.gate.set()
    monkeypatch.setattr(playground, "READY_S", 30.0)
    await ask(browser, change=change)
    assert NEW in browser.text
    assert desk.candidates.made == 1


async def test_the_state_of_a_draft_is_made_once_and_anew_for_other_content(desk: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    change = await change_of(browser)
    for _ in range(3):
        await ask(browser, change=change)
    assert desk.candidates.made == 1
    await browser.open(f"/admin/prompts/security.phishing-report/edit?change={change}")
    await browser.send("/admin/prompts/security.phishing-report/edit", answer="Call 4100.")
    await ask(browser, change=change)
    assert "Call 4100." in browser.text
    assert desk.candidates.made == 2


async def test_without_a_model_the_step_is_named_and_its_remedy_to_whoever_may_go_there(
    desk: AdminWorld, signed_in
) -> None:
    desk.world.parts["model"] = PartReport(PartState.DEGRADED, "no language model is configured")
    desk.user("olga", Role.ADMIN)
    for name, is_told in (("vic", False), ("olga", True)):
        browser = await signed_in(name)
        await browser.open(PAGE)
        assert "The step that words answers cannot run." in browser.text
        assert "no language model is configured" in browser.text
        assert ("name one under [model] in the settings" in browser.text) is is_told


@pytest.mark.usefixtures("desk")
async def test_questions_to_begin_with_are_approved_phrasings_of_the_assistant(signed_in) -> None:
    browser = await signed_in("vic")
    await browser.open(f"{PAGE}?assistant=helpdesk")
    assert QUESTION in browser.text
    assert "{site}" not in browser.text
    await browser.open(f"{PAGE}?assistant=helpdesk&language=pt")
    assert "No approved phrasing in that language." in browser.text
