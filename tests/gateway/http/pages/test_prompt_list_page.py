"""The list of prompts: how each is doing, what the filters find, and what is done with several at once."""

import csv
import dataclasses
import datetime as dt
import io
import json

import pytest

from gateway.changing.prompt_lists import LEAST_VERDICTS
from store.catalog import publish_bundle
from store.feedback import Feedback, Verdict
from store.formats.bundle import Bundle
from store.people import Role
from store.repositories.decisions import Decisions
from store.repositories.feedback import FeedbackStore
from store.types import Decision, Outcome
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import fill, live
from tests.plain_browser import PlainBrowser
from tests.store.store_content import assistant, prompt

pytestmark = pytest.mark.anyio
LIST, SELECTED, EXPORT = "/admin/prompts", "/admin/prompts/selected", "/admin/prompts/export"
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture(autouse=True)
def admin(admin: AdminWorld) -> AdminWorld:
    fill(admin)
    prompts = [prompt(f"it.p{number}", title=f"Thing {number}", owner="Bo" if number else "Mia") for number in range(3)]
    desk = assistant("helpdesk", areas=("it",), policy="plain")
    made = Bundle(tuple(prompts), (desk,), {"plain": {"name": "plain", "input": []}})
    publish_bundle(admin.database, made, author="tests")
    return admin


def keep(admin: AdminWorld, number: int, key: str, outcome: Outcome = Outcome.ANSWERED, days: float = 1) -> None:
    """Keeps a decision that answered with the prompt."""
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"id": f"d{number}", "at": admin.clock.at - dt.timedelta(days=days), "assistant": "helpdesk"}
    fields |= {"principal": "caller", "outcome": outcome, "source": "verbatim", "message_chars": 5, "slots": {}}
    fields |= {"has_quoted_text": False, "rails": (), "timings_ms": {}, "store_revision": 1, "policy": "plain"}
    fields |= {"policy_revision": 1, "prompt_tokens": 0, "completion_tokens": 0, "failed": False, "prompt_key": key}
    Decisions(admin.database).add(Decision(**fields))


def judge(admin: AdminWorld, key: str, up: int, down: int, *, version: int = 1, assistant: str = "helpdesk") -> None:
    """Keeps verdicts on a version of the prompt."""
    store, at = FeedbackStore(admin.database), admin.clock.at
    with admin.database.writing() as session:
        for number in range(up + down):
            given = Feedback(
                decision=f"{key}-{version}-{assistant}-{number}",
                given_at=at,
                changed_at=at,
                principal="caller",
                assistant=assistant,
                prompt_key=key,
                prompt_version=version,
                verdict=Verdict.UP if number < up else Verdict.DOWN,
            )
            store.put(given, session=session)


def keys(browser: PlainBrowser) -> set[str]:
    """Gives the prompts that the page lists."""
    return {str(values["value"]) for tag, values in browser.page.tags if tag == "input" and values.get("name") == "key"}


async def test_a_row_says_how_often_a_prompt_answered_and_how_often_it_helped(admin: AdminWorld, signed_in) -> None:
    keep(admin, 1, "it.p0")
    keep(admin, 2, "it.p0", days=3)
    keep(admin, 3, "it.p0", Outcome.CLARIFY)
    keep(admin, 4, "it.p1", days=40)
    judge(admin, "it.p0", 3, 1)
    browser = await signed_in("vic")
    await browser.open(f"{LIST}?search=Thing")
    assert browser.page.count("path") == 1
    path = next(values for tag, values in browser.page.tags if tag == "path")
    assert str(path["d"]).count("M") == 2
    assert "75 %" in browser.text
    assert "of 4 verdicts" in browser.text


async def test_verdicts_count_for_the_live_version_and_within_the_tenant(admin: AdminWorld, signed_in) -> None:
    judge(admin, "it.p0", 0, 9, version=7)
    judge(admin, "it.p1", 0, 9, assistant="shop")
    admin.user("tess", Role.EDITOR, assistants=("helpdesk",))
    browser = await signed_in("tess")
    await browser.open(f"{LIST}?search=Thing")
    assert keys(browser) >= {"it.p0", "it.p1"}
    assert "0 %" not in browser.text
    await browser.open(f"{LIST}?state=unhelpful")
    assert keys(browser) == set()


async def test_the_filters_find_what_needs_somebody(admin: AdminWorld, signed_in) -> None:
    keep(admin, 1, "it.p0")
    keep(admin, 2, "it.p1")
    judge(admin, "it.p1", 2, LEAST_VERDICTS)
    judge(admin, "it.p2", 0, LEAST_VERDICTS - 1)
    browser = await signed_in("vic")
    for query, found in (
        ("owner=Mia", {"it.p0"}),
        ("state=unhelpful", {"it.p1"}),
        ("state=unhelpful&owner=Mia", set()),
        ("state=unused&search=Thing", {"it.p2"}),
    ):
        await browser.open(f"{LIST}?{query}")
        assert keys(browser) == found, query
    await browser.open(f"{LIST}?state=odd")
    assert browser.status == 400


async def test_one_field_of_several_prompts_is_drafted_as_one_change(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    await browser.open(f"{SELECTED}?key=it.p0&key=it.p1&key=it.nothing")
    assert "not yours to see: 1" in browser.text
    await browser.send(SELECTED)
    assert (browser.status, "Type at least one field." in browser.text) == (422, True)
    await browser.send(SELECTED, owner="Zoe", key=("it.p0", "it.p1"))
    assert browser.path.startswith("/admin/changes/"), browser.text
    assert "Edit 2 prompts: Thing 0, Thing 1" in browser.text
    assert live(admin, "it.p0").owner == "Mia"
    change = browser.path.rpartition("/")[2]
    await browser.open(f"{SELECTED}?key=it.p1&key=it.p2")
    await browser.send(SELECTED, review_by="2031-02-03", change=change, key=("it.p1", "it.p2"))
    assert browser.path == f"/admin/changes/{change}"
    actor = admin.access.users.named("ada").actor
    held = next(one for one in admin.changing.drafts.page(actor).changes if str(one.id) == change)
    documents = {one.name: one.document for one in admin.changing.drafts.get(actor, held.id).change.edits}
    assert {key: one["owner"] for key, one in documents.items()} == {"it.p0": "Zoe", "it.p1": "Zoe", "it.p2": "Bo"}
    assert {key for key, one in documents.items() if one["review_by"] == "2031-02-03"} == {"it.p1", "it.p2"}


async def test_what_cannot_be_drafted_for_all_is_drafted_for_none(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    await browser.open(f"{SELECTED}?key=it.p0")
    await browser.send(SELECTED, owner="Mia", key=("it.p0",))
    assert (browser.status, "say this already" in browser.text) == (422, True)
    await browser.send(SELECTED, owner="Zoe", key=("it.p0", "it.nothing"))
    assert browser.status == 404
    await browser.open(f"{SELECTED}?key=it.p0")
    await browser.send(SELECTED, owner="Zoe", key=())
    assert "Tick prompts in the list first." in browser.text
    assert 'class="note note-warn" role="status"' in browser.reply.text
    assert admin.count("changes") == 0


async def test_nothing_ticked_leads_back_to_the_list(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("vic")
    await browser.open(SELECTED)
    assert browser.path == LIST
    assert "Tick prompts in the list first." in browser.text
    assert 'class="note note-warn" role="status"' in browser.reply.text
    await browser.open(f"{SELECTED}?key=it.p0")
    assert not [one for one in browser.page.forms if one["method"] == "post" and one["action"] == SELECTED]
    assert admin.count("changes") == 0


async def test_a_list_is_taken_along_as_it_is_filtered(signed_in) -> None:
    browser = await signed_in("vic")

    async def taken(query: str) -> str:
        reply = await browser.client.get(f"{EXPORT}?{query}", headers=SAME)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-disposition"].startswith("attachment")
        return reply.text

    rows = list(csv.DictReader(io.StringIO(await taken("format=csv-prompts&owner=Bo"))))
    assert [row["key"] for row in rows if row["key"].startswith("it.p")] == ["it.p1", "it.p2"]
    made = json.loads(await taken("format=bundle-json&search=Thing"))
    assert [one["key"] for one in made["prompts"]] == ["it.p0", "it.p1", "it.p2"]
    assert "policies" not in made
    assert [one["key"] for one in json.loads(await taken("format=bundle-json&key=it.p1"))["prompts"]] == ["it.p1"]
    assert await taken("format=bundle-json&owner=Nobody&search=nothing")
    assert (await browser.client.get(f"{EXPORT}?format=exe", headers=SAME)).status_code == 400


async def test_an_export_holds_nothing_of_another_tenant(admin: AdminWorld, signed_in) -> None:
    desk = assistant("shop", areas=("shop",))
    publish_bundle(admin.database, Bundle((prompt("shop.secret"),), (desk,), {}), author="tests")
    admin.user("tess", Role.VIEWER, assistants=("helpdesk",))
    browser = await signed_in("tess")
    for query in ("", "&key=shop.secret", "&search=secret"):
        reply = await browser.client.get(f"{EXPORT}?format=csv-prompts{query}", headers=SAME)
        assert "shop.secret" not in reply.text
    await browser.open(f"{SELECTED}?key=shop.secret")
    assert "not yours to see: 1" in browser.text


async def test_the_palette_gets_prompts_named_so_before_those_that_are_only_asked_so(
    admin: AdminWorld, signed_in
) -> None:
    asked = prompt("it.a-invoice", title="Send in an invoice", phrasings=("where does my payslip go", "send a payslip"))
    named = prompt("it.z-payslip", title="Find your Payslip")
    publish_bundle(admin.database, Bundle((asked, named)), author="tests")
    ada: PlainBrowser = await signed_in("ada")
    found = json.loads((await ada.client.get(f"{LIST}/found?q=payslip", headers=SAME)).text)
    assert [one["title"] for one in found] == ["Find your Payslip", "Send in an invoice"]
