"""Changes on pages: from a draft to people and back, with the steps that the service allows and no other."""

import re

import pytest

from gateway.changing.resolving import resolve
from store.changes.desk import Moved
from store.changes.merging import merge
from store.changes.types import EditKind, Item
from store.people import Grant, Role
from tests.administration import PASSWORD, AdminWorld
from tests.gateway.http.pages.page_content import (
    PROMPT,
    draft,
    fill,
    hidden,
    live,
    publish,
    reviewed,
    run_gate,
    step,
)
from tests.gateway.http.pages.test_page_states import through
from tests.plain_browser import PlainBrowser

pytestmark = pytest.mark.anyio


def steps_of(browser: PlainBrowser) -> set[str]:
    return set(re.findall(r"/steps/([a-z_]+)", browser.reply.text))


async def test_a_change_goes_from_draft_to_live_with_two_people(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="Better words")
    await ada.open(change)
    assert steps_of(ada) == {"submit", "withdraw"}
    await reviewed(ada, change)
    await ada.open(change)
    assert "somebody else approves and publishes it" in ada.text
    assert "approve" not in steps_of(ada)
    await bob.open("/admin/changes?tab=waiting")
    assert change in bob.reply.text
    await bob.open(change)
    assert "Passed" in bob.text
    assert {"approve", "request_changes", "reject"} <= steps_of(bob)
    await step(bob, change, "approve", reason="Good.")
    assert "Approved. It is not live yet." in bob.text
    assert "Good." in bob.text
    await step(bob, change, "publish")
    assert live(admin).title == "Better words"
    assert steps_of(bob) == {"take_back", "revert"}
    await bob.open("/admin/changes?tab=live")
    assert change in bob.reply.text


async def test_the_queue_has_what_is_open_mine_and_waiting(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, edda, bob = await signed_in("ada"), await signed_in("edda"), await signed_in("bob")
    first = await draft(ada, title="Ada's")
    second = await draft(edda, "/admin/prompts/hr.leave", title="Edda's")
    await reviewed(edda, second)
    for browser, tab, there in (
        (ada, "open", {first, second}),
        (ada, "mine", {first}),
        (ada, "waiting", set()),
        (edda, "mine", {second}),
        (bob, "waiting", set()),
        (bob, "live", set()),
    ):
        await browser.open(f"/admin/changes?tab={tab}")
        wanted = {second} if (browser, tab) == (bob, "waiting") else there
        assert {one for one in (first, second) if one in browser.reply.text} == wanted, tab
    assert "Nothing was published by a change yet." in bob.text
    await step(bob, second, "request_changes", reason="Too long.")
    await edda.open("/admin/changes?tab=waiting")
    assert second in edda.reply.text, "what was sent back waits for its authors"
    await edda.open("/admin/changes?tab=odd")
    assert edda.status == 400


async def test_a_long_queue_is_walked_through_page_by_page(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = admin.access.users.named("ada").actor
    made = [str(admin.changing.drafts.create(ada, f"Change {number}").id) for number in range(120)]
    browser = await signed_in("ada")
    found = await through(browser, "/admin/changes?tab=mine", r'row-link" href="/admin/changes/([0-9a-f-]{36})')
    assert found == made[::-1]


async def test_what_is_wrong_is_told_where_it_is_submitted(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await draft(ada, phrasings="tell me about hr.leave")
    await step(ada, change, "submit")
    assert ada.status == 422
    assert "Say why" in ada.text
    await ada.send(f"{change}/steps/submit", note="Because it is so.")
    assert ada.status in (200, 422)
    await ada.open(change)
    assert "Because it is so." in ada.text, "the note is kept whatever became of it"


async def test_a_step_without_its_reason_is_not_taken(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob, root = await signed_in("ada"), await signed_in("bob"), await signed_in("root")
    change = await draft(ada, title="Better words")
    await reviewed(ada, change)
    for browser, name in ((bob, "request_changes"), (bob, "reject"), (root, "emergency")):
        await step(browser, change, name)
        assert browser.status == 422, name
        assert "Say why." in browser.text
    await step(bob, change, "request_changes", reason="Say it shorter.")
    assert "Say it shorter." in bob.text
    assert "Changes requested" in bob.text


async def test_an_emergency_is_published_with_a_reason_and_marked_for_good(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, root = await signed_in("ada"), await signed_in("root")
    change = await draft(ada, title="Stop this")
    await root.open(f"{change}/steps/emergency")
    assert "Nobody has approved this." in root.text
    await root.send(f"{change}/steps/emergency", reason="It tells a wrong number.")
    assert live(admin).title == "Stop this"
    await root.open(change)
    assert "Emergency" in root.text
    assert "It tells a wrong number." in root.text


async def test_a_change_is_published_at_a_time_and_the_time_is_taken_away(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="Tomorrow")
    await reviewed(ada, change)
    await step(bob, change, "approve")
    await step(bob, change, "publish", when="later", publish_at="")
    assert bob.status == 400
    assert "Choose a day and a time." in bob.text
    await step(bob, change, "publish", when="later", publish_at="2020-01-01T08:00")
    assert bob.status == 422
    await step(bob, change, "publish", when="later", publish_at="2027-01-31T08:00")
    assert "It goes live at" in bob.text
    assert "31 Jan 2027, 08:00 UTC" in bob.text
    assert live(admin).title == "About it.vpn"
    await step(bob, change, "unschedule")
    assert "The time is taken away." in bob.text


async def test_a_live_change_is_taken_back_by_another_one(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="A mistake")
    await reviewed(ada, change)
    await step(bob, change, "approve")
    await step(bob, change, "publish")
    await step(ada, change, "revert")
    assert "This change takes the other one back." in ada.text
    assert ada.path != change
    assert "Revert: " in ada.text
    assert "Draft" in ada.text


async def test_an_approver_takes_a_live_change_back_at_once(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    before = live(admin).title
    change = await draft(ada, title="A mistake")
    await reviewed(ada, change)
    await step(bob, change, "approve")
    await step(bob, change, "publish")
    await ada.open(change)
    assert "take_back" not in steps_of(ada)
    await bob.open(change)
    await step(bob, change, "take_back")
    assert "Taken back." in bob.text
    assert live(admin).title == before
    await bob.open(change)
    assert "Superseded" in bob.text


async def test_what_both_sides_wrote_is_chosen_field_by_field(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await draft(ada, title="Mine", facts="My facts.", owner="Me")
    reply = {"mode": "generate", "prompt": "Explain it.", "facts": "Their facts.", "fallback": "It works."}
    publish(admin, title="Theirs", reply=reply)
    await ada.open(change)
    assert "What is live has moved." in ada.text
    assert "written by both sides: 2" in ada.text
    await ada.open(f"{change}/rebase")
    await ada.send(f"{change}/rebase", side_0_0="draft")
    assert ada.status == 422
    assert "Choose a text for each field" in ada.text
    await ada.send(f"{change}/rebase", side_0_0="live", side_0_1="draft")
    assert "The change stands on what is live now." in ada.text
    actor = admin.access.users.named("ada").actor
    document = admin.changing.drafts.page(actor).changes[0]
    edit = admin.changing.views.get(actor, document.id).edits[0].edit.document
    assert (edit["title"], edit["reply"]["facts"], edit["owner"]) == ("Theirs", "My facts.", "Me")


def test_a_side_is_taken_whole_where_a_document_is_gone() -> None:
    base, draft_side = {"title": "a"}, {"title": "b"}
    merged = merge(base, None, draft_side)
    moved = Moved(Item(EditKind.PROMPT, "it.x"), base, None, draft_side, merged.document, merged.conflicts)
    assert resolve(moved, [""]) is None
    assert resolve(moved, []) == draft_side


def test_fields_inside_others_are_taken_and_taken_out() -> None:
    base = {"reply": {"mode": "m", "facts": "a", "hint": "b"}}
    live_side = {"reply": {"mode": "m", "facts": "c"}}
    draft_side = {"reply": {"mode": "m", "facts": "d", "hint": "e"}}
    merged = merge(base, live_side, draft_side)
    moved = Moved(Item(EditKind.PROMPT, "it.x"), base, live_side, draft_side, merged.document, merged.conflicts)
    assert {one.field for one in merged.conflicts} == {"reply.facts", "reply.hint"}
    assert resolve(moved, ["reply.facts", "reply.hint"]) == live_side
    assert resolve(moved, ["reply.facts"]) == {"reply": {"mode": "m", "facts": "c", "hint": "e"}}
    assert merged.document["reply"]["facts"] == "d", "what was merged is not written into"


async def test_the_gate_tells_what_it_found(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await draft(ada, title="Better words")
    await ada.open(f"{change}/gate")
    assert "The gate has not run for this content yet." in ada.text
    admin.changing.gate.problems = ("suite small: case a: it is answered, and should be refused.",)
    await run_gate(ada, change)
    assert "Failed" in ada.text
    assert "should be refused" in ada.text
    assert 'http-equiv="refresh"' not in ada.reply.text
    bob = await signed_in("bob")
    await step(ada, change, "submit", note="Why not.")
    await step(bob, change, "approve")
    assert bob.status == 409


async def test_of_two_who_take_a_step_the_later_is_told(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="Better words")
    await reviewed(ada, change)
    await bob.open(f"{change}/steps/request_changes")
    await ada.open(f"{PROMPT}/edit?change={change.rpartition('/')[2]}")
    await ada.send(f"{PROMPT}/edit", title="Even better")
    await bob.send(f"{change}/steps/request_changes", reason="A long reason.")
    assert bob.status == 409
    assert hidden(bob, f"{change}/steps/request_changes")["reason"] == "A long reason."


async def test_people_talk_about_a_change_and_take_documents_out(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob, vic = await signed_in("ada"), await signed_in("bob"), await signed_in("vic")
    change = await draft(ada, title="Better words")
    await draft(ada, "/admin/prompts/hr.leave", title="Leave")
    await bob.open(change)
    await bob.send(f"{change}/comment", comment="")
    assert bob.status == 422
    await bob.send(f"{change}/comment", comment="Why so long?", place="prompt hr.leave")
    assert "Why so long?" in bob.text
    await ada.open(change)
    await ada.send(f"{change}/describe", title="Clearer words", note="People asked.")
    assert "Clearer words" in ada.text
    await ada.send(f"{change}/describe", title="", note="People asked.")
    assert ada.status == 422
    before = ada.reply.text.count(f"{change}/take-out")
    await ada.open(change)
    await ada.send(f"{change}/take-out")
    assert "The document is taken out" in ada.text
    assert ada.reply.text.count(f"{change}/take-out") == before - 1
    await vic.open(change)
    assert steps_of(vic) == set()
    assert f"{change}/comment" not in vic.reply.text


async def test_a_step_that_is_none_or_not_for_one_is_not_offered(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await draft(ada, title="Better words")
    await ada.open(f"{change}/steps/explode")
    assert ada.status == 404
    await ada.open(f"{change}/steps/publish")
    assert ada.path == change
    await ada.open(f"{change}/steps/submit")
    csrf = hidden(ada, f"{change}/steps/submit")["csrf"]
    await ada.post(f"{change}/steps/emergency", [("csrf", csrf), ("rev", "2"), ("reason", "mine")])
    assert ada.status == 403
    assert "Somebody else has to do this." in ada.text
    assert live(admin).title == "About it.vpn"


async def test_a_change_of_another_tenant_is_not_there(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    admin.user("tom", Role.EDITOR, Role.APPROVER, assistants=("people",))
    ada, tom = await signed_in("ada"), await signed_in("tom")
    change = await draft(ada, title="Better words")
    for path in (change, f"{change}/gate", f"{change}/rebase", f"{change}/steps/approve"):
        await tom.open(path)
        assert tom.status == 404, path
    await tom.open("/admin/changes")
    assert change not in tom.reply.text


async def test_a_change_of_many_documents_is_shown_page_by_page(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await draft(ada, title="Better words")
    where = change.rpartition("/")[2]
    for number in range(30):
        await ada.open(f"/admin/prompts/new?change={where}")
        await ada.send("/admin/prompts/new", key=f"it.new{number:02}")
    found = await through(ada, change, r'id="item-\d+">Prompt <bdi><code>([a-z0-9.]+)')
    assert found == [*(f"it.new{number:02}" for number in range(30)), "it.vpn"]


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_every_step_page_speaks_the_language(admin: AdminWorld, signed_in, language: str) -> None:
    fill(admin)
    ada, bob = await signed_in("ada", language=language), await signed_in("bob", language=language)
    change = await draft(ada, title="كلمات أفضل")
    for browser, name in ((ada, "submit"), (ada, "withdraw")):
        await browser.open(f"{change}/steps/{name}")
        assert browser.page.count("h1") == 1
    await step(ada, change, "submit", note="because")
    await run_gate(ada, change)
    for name in ("approve", "request_changes", "reject"):
        await bob.open(f"{change}/steps/{name}")
        assert bob.status == 200
        assert bob.path.endswith(name)


async def test_a_comment_stands_at_the_difference_that_it_is_about(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="Better words", owner="Zoe")
    await bob.open(change)
    remarks = [one for one in bob.page.forms if one["action"] == f"{change}/comment" and "at" in dict(one["fields"])]
    places = {dict(one["fields"])["place"] for one in remarks}
    assert places == {"prompt it.vpn title", "prompt it.vpn owner"}
    wanted = next(dict(one["fields"]) for one in remarks if dict(one["fields"])["place"].endswith("owner"))
    await bob.post(f"{change}/comment", list((wanted | {"comment": "Is Zoe back?"}).items()))
    assert bob.reply.request.url.fragment == wanted["at"] or "Your comment is added." in bob.text
    await ada.open(change)
    differences, story = ada.text.split("Story", 1)
    assert "Is Zoe back?" in differences
    assert "Is Zoe back?" in story
    assert f'href="#{wanted["at"]}"' in ada.reply.text
    await bob.post(f"{change}/comment", list((wanted | {"comment": ""}).items()))
    assert bob.status == 422
    assert "prompt it.vpn owner" in str(bob.page.forms)
    await bob.post(f"{change}/comment", list((wanted | {"comment": "x", "at": "//evil.test"}).items()))
    assert bob.path == change


async def test_a_change_says_what_it_still_needs_and_who_could_give_it(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="Better words")

    def met(browser: PlainBrowser) -> list[bool]:
        items = [str(one.get("class")) for tag, one in browser.page.tags if tag == "li"]
        return [one == "is-done" for one in items if one in ("", "is-done")]

    await ada.open(change)
    assert met(ada) == [False, True, True, False, False, False, False]
    assert "Could approve it: bob" in ada.text
    await reviewed(ada, change)
    await ada.open(change)
    assert met(ada) == [True, True, True, True, True, False, False]
    await step(bob, change, "approve")
    assert met(bob) == [True, True, True, True, True, True, False]
    assert "Could approve it" not in bob.text
    await step(bob, change, "publish")
    assert "What is still needed" not in bob.text


async def test_nobody_who_could_approve_is_told_before_anybody_waits(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    bob = admin.access.users.named("bob")
    admin.access.users.disable(admin.access.users.named("root").actor, bob.id, rev=bob.rev)
    ada = await signed_in("ada")
    await ada.open(await draft(ada, title="Better words"))
    assert "Nobody but its authors could approve it" in ada.text


async def test_who_counts_as_an_author_because_of_whose_account_they_made_is_told_with_the_day(
    admin: AdminWorld, signed_in
) -> None:
    fill(admin)
    users = admin.access.users
    bob = users.named("bob")
    users.disable(users.named("root").actor, bob.id, rev=bob.rev)
    boss = admin.user("boss", Role.ADMIN, Role.EDITOR)
    made = users.create(boss.actor, "Carl", grants=[Grant(Role.APPROVER)])
    admin.access.profiles.set_up(made.token, PASSWORD)
    browser = await signed_in("boss")
    await browser.open(await draft(browser, title="Better words"))
    assert "although somebody has the role" in browser.text
    assert "Carl" in browser.text
    assert "13 Dec 2026" in browser.text
    assert "An administrator can give somebody the role" not in browser.text


async def test_a_rule_that_is_in_the_way_is_told_in_the_language_of_the_page(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada", language="ar")
    change = await draft(ada, title="Better words")
    await step(ada, change, "submit", note="")
    assert ada.status == 422
    assert "قل السبب في جملة لمن يراجعه." in ada.text
    assert "say why" not in ada.text
    fields = hidden(ada, f"{change}/steps/submit") | {"note": "Why.", "rev": "1"}
    await ada.post(f"{change}/steps/submit", list(fields.items()))
    assert ada.status == 409
    assert "كتب أحدهم في هذا التغيير في الأثناء." in ada.text
