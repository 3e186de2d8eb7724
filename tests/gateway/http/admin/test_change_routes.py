"""A change goes from draft to people over REST, keeps every text on its way, and shows itself to whom it may."""

import datetime as dt

import pytest

from store.catalog import load_catalog
from store.people import Role
from tests.administration import AdminWorld, person
from tests.gateway.http.admin.change_steps import (
    ADA,
    BOB,
    CHANGES,
    CORA,
    EDDA,
    ROOT,
    SUITE,
    VIC,
    Editing,
    publish_first,
    published,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def filled(admin: AdminWorld) -> AdminWorld:
    publish_first(admin)
    return admin


async def test_a_change_goes_from_draft_to_live_with_two_people(filled: AdminWorld) -> None:
    ada, bob = Editing(filled, ADA), Editing(filled, BOB)
    live = await ada.read("/v1/admin/prompts/it.vpn")
    change = await ada.create("Say it better", "Nobody understood it.")
    told = await ada.put(change, "prompt", "it.vpn", live["document"] | {"title": "Better words"}, live["hash"])
    drafted = told.json()
    assert told.headers["etag"] == '"2"'
    assert [(one["field"], one["before"], one["after"]) for one in drafted["edits"][0]["differences"]] == [
        ("title", "About it.vpn", "Better words")
    ]
    assert {one["part"] for one in drafted["edits"][0]["differences"][0]["words"]} >= {"added", "removed"}
    assert "submit" in drafted["possible"]
    assert "approve" not in drafted["possible"]
    assert (await ada.took(change, "submit"))["change"]["state"] == "in_review"
    assert (await bob.step(change, "approve", {})).status_code == 409, "the gate has not run"
    run = await ada.step(change, "gate-runs")
    assert run.status_code == 202
    assert (await ada.read(run.headers["location"]))["state"] == "passed"
    seen = await bob.read(f"{CHANGES}/{change}")
    assert (seen["gate"]["state"], "approve" in seen["possible"]) == ("passed", True)
    approved = await bob.took(change, "approve", {"comment": "Good."})
    assert (approved["change"]["state"], approved["change"]["approved_by"]) == ("approved", "user:bob")
    done = await bob.took(change, "publish")
    assert (done["change"]["state"], done["change"]["published_revision"]) == ("live", 2)
    assert [one["kind"] for one in done["events"]] == ["created", "edited", "submitted", "approved", "published"]
    assert load_catalog(filled.database).prompts["it.vpn"].content.title == "Better words"
    revision = await bob.read("/v1/admin/revisions/2")
    assert (revision["change"], revision["approved_by"], revision["published_by"], revision["is_emergency"]) == (
        change,
        "user:bob",
        "user:bob",
        False,
    )


async def test_a_write_without_the_state_that_was_read_is_refused(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.titled("New")
    one = f"{CHANGES}/{change}"
    for method, path, sent in (
        ("PATCH", one, {"title": "x"}),
        ("PUT", f"{one}/edits/prompt/it.vpn", {"document": {}}),
        ("DELETE", f"{one}/edits/prompt/it.vpn", None),
        ("POST", f"{one}/submit", None),
        ("POST", f"{one}/gate-runs", None),
        ("POST", f"{one}/rebase", {}),
    ):
        assert (await ada.send(method, path, sent)).status_code == 428, path
        assert (await ada.send(method, path, sent, tag='"x"')).status_code == 412, path


async def test_of_two_writers_the_later_gets_both_texts(filled: AdminWorld) -> None:
    ada, edda = Editing(filled, ADA), Editing(filled, EDDA)
    change = await ada.titled("Mine")
    tag = await ada.tag(change)
    document = (await ada.read(f"{CHANGES}/{change}/edits/prompt/it.vpn"))["document"]
    base = (await ada.read("/v1/admin/prompts/it.vpn"))["hash"]
    path = f"{CHANGES}/{change}/edits/prompt/it.vpn"
    first = await edda.send("PUT", path, {"document": document | {"title": "Edda's"}, "base": base}, tag=tag)
    late = await ada.send("PUT", path, {"document": document | {"title": "Ada's"}, "base": base}, tag=tag)
    assert (first.status_code, late.status_code) == (200, 409)
    item = late.json()["found"]["items"][0]
    assert (item["stored"]["title"], item["draft"]["title"]) == ("Edda's", "Ada's")
    assert late.json()["found"]["rev"] == 3
    assert first.json()["change"]["authors"] == ["user:ada", "user:edda"]


async def test_title_and_note_change_one_at_a_time(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.create("Old", "why")
    told = await ada.send("PATCH", f"{CHANGES}/{change}", {"title": "New"}, tag=await ada.tag(change))
    assert (told.json()["change"]["title"], told.json()["change"]["note"]) == ("New", "why")
    wrong = await ada.send("PATCH", f"{CHANGES}/{change}", {"title": " "}, tag=await ada.tag(change))
    assert wrong.status_code == 422


async def test_an_edit_is_taken_out_again(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.titled("New")
    path = f"{CHANGES}/{change}/edits/prompt/it.vpn"
    gone = await ada.send("DELETE", path, tag=await ada.tag(change))
    assert (gone.status_code, gone.json()["edits"]) == (200, [])
    assert (await ada.send("DELETE", path, tag=await ada.tag(change))).status_code == 404
    assert (await ada.send("GET", f"{CHANGES}/{change}/edits/novel/x")).status_code == 404


async def test_edits_are_listed_page_by_page_with_what_is_wrong_with_them(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.create()
    for name in ("one", "two", "three"):
        await ada.put(change, "policy", name, {"name": name, "input": [{"rail": "lenght"}], "output": []})
    first = await ada.read(f"{CHANGES}/{change}/edits", limit=2)
    rest = await ada.read(f"{CHANGES}/{change}/edits", limit=2, after=first["next"])
    assert [one["name"] for one in (*first["edits"], *rest["edits"])] == ["one", "three", "two"]
    assert rest["next"] is None
    assert "input[0]" in first["edits"][0]["problems"][0]
    assert "lenght" in first["edits"][0]["problems"][0]
    broken = await ada.put(change, "prompt", "it.new", {"key": "it.new", "titel": "x"})
    assert broken.status_code == 200, "a draft may be incomplete"
    told = await ada.step(change, "submit")
    assert (told.status_code, told.json()["code"]) == (422, "validation_error")
    assert "prompt it.new" in told.json()["detail"]


async def test_changes_are_found_by_state_author_and_item(filled: AdminWorld) -> None:
    ada, edda = Editing(filled, ADA), Editing(filled, EDDA)
    mine = await ada.titled("New")
    theirs = await edda.submitted("Other", "hr.leave")
    vic = Editing(filled, VIC)

    async def ids(**query: object) -> list[str]:
        return [one["id"] for one in (await vic.read(CHANGES, **query))["changes"]]

    assert await ids() == [theirs, mine]
    assert await ids(state="draft") == [mine]
    assert await ids(state="draft,in_review") == [theirs, mine]
    assert await ids(author="user:edda") == [theirs]
    assert await ids(item="prompt it.vpn") == [mine]
    first = await vic.read(CHANGES, limit=1)
    assert [one["id"] for one in (await vic.read(CHANGES, limit=1, after=first["next"]))["changes"]] == [mine]
    for wrong in ({"state": "asleep"}, {"item": "it.vpn"}, {"after": "x"}, {"limit": 0}, {"colour": "red"}):
        assert (await vic.send("GET", CHANGES, **wrong)).status_code == 400, wrong


async def test_a_comment_moves_nothing_and_a_rejection_needs_a_reason(filled: AdminWorld) -> None:
    ada, bob = Editing(filled, ADA), Editing(filled, BOB)
    change = await ada.submitted()
    said = await bob.send("POST", f"{CHANGES}/{change}/comments", {"text": "Why?", "place": "prompt it.vpn title"})
    assert (said.status_code, said.json()["change"]["rev"]) == (201, int((await bob.tag(change)).strip('"')))
    assert said.json()["events"][-1]["place"] == "prompt it.vpn title"
    for verb in ("reject", "request-changes"):
        told = await bob.step(change, verb, {"reason": " "})
        assert (told.status_code, told.json()["code"]) == (422, "reason_needed")
    assert (await bob.took(change, "request-changes", {"reason": "Shorter."}))["change"]["state"] == "changes_requested"
    assert (await bob.took(change, "reject", {"reason": "No."}))["change"]["state"] == "withdrawn"


async def test_an_author_withdraws_and_an_edit_revives(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.submitted()
    assert (await Editing(filled, EDDA).step(change, "withdraw", {})).status_code == 403
    assert (await ada.took(change, "withdraw", {}))["change"]["state"] == "withdrawn"
    told = await ada.send("PATCH", f"{CHANGES}/{change}", {"note": "again"}, tag=await ada.tag(change))
    assert told.json()["change"]["state"] == "draft"


async def test_what_moved_is_told_with_all_texts_and_rebased(filled: AdminWorld) -> None:
    ada, edda = Editing(filled, ADA), Editing(filled, EDDA)
    change = await edda.titled("Edda's")
    await published(filled, "Ada's")
    seen = await edda.read(f"{CHANGES}/{change}")
    assert [(one["field"], one["live"], one["draft"]) for one in seen["moved"][0]["conflicts"]] == [
        ("title", "Ada's", "Edda's")
    ]
    assert seen["edits"][0]["differences"][0]["before"] == "Ada's"
    stuck = await edda.step(change, "submit")
    assert (stuck.status_code, stuck.json()["found"]["items"][0]["live"]["title"]) == (409, "Ada's")
    unsolved = await edda.step(change, "rebase", {})
    assert unsolved.json()["found"]["items"][0]["draft"]["title"] == "Edda's"
    chosen = seen["moved"][0]["merged"] | {"title": "Both"}
    done = await edda.took(
        change, "rebase", {"resolutions": [{"kind": "prompt", "name": "it.vpn", "document": chosen}]}
    )
    assert (done["moved"], done["edits"][0]["document"]["title"]) == ([], "Both")
    assert (await ada.step(change, "rebase", {})).status_code == 409, "nothing has moved"


async def test_a_live_change_is_taken_back_by_another_on_the_same_way(filled: AdminWorld) -> None:
    change = await published(filled)
    edda, bob = Editing(filled, EDDA), Editing(filled, BOB)
    made = await edda.send("POST", f"{CHANGES}/{change}/revert")
    assert (made.status_code, made.json()["change"]["reverts"]) == (201, change)
    back = made.json()["change"]["id"]
    assert made.headers["location"] == f"{CHANGES}/{back}"
    assert load_catalog(filled.database).prompts["it.vpn"].content.title == "New title"
    await edda.took(back, "submit")
    await edda.took(back, "gate-runs")
    await bob.took(back, "approve", {})
    await bob.took(back, "publish")
    assert load_catalog(filled.database).prompts["it.vpn"].content.title == "About it.vpn"
    assert (await bob.read(f"{CHANGES}/{change}"))["change"]["state"] == "superseded"


async def test_an_approved_change_waits_for_its_time(filled: AdminWorld) -> None:
    change = await Editing(filled, ADA).submitted()
    bob = Editing(filled, BOB)
    await bob.took(change, "approve", {})
    past = (filled.clock.at - dt.timedelta(hours=1)).isoformat()
    assert (await bob.step(change, "schedule", {"publish_at": past})).status_code == 422
    assert (await bob.step(change, "schedule", {"publish_at": "2027-01-01T10:00:00"})).status_code == 422
    at = (filled.clock.at + dt.timedelta(hours=1)).isoformat()
    assert (await bob.took(change, "schedule", {"publish_at": at}))["change"]["scheduled_by"] == "user:bob"
    assert filled.changing.publishing.due() == ()
    assert (await bob.took(change, "unschedule"))["change"]["publish_at"] is None
    await bob.took(change, "schedule", {"publish_at": at})
    filled.clock.pass_by(hours=2)
    (due,) = filled.changing.publishing.due()
    filled.changing.publishing.publish_due(due)
    assert (await bob.read(f"{CHANGES}/{change}"))["change"]["published_by"] == "user:bob"


async def test_an_emergency_takes_an_admin_with_a_reason_and_stays_flagged(filled: AdminWorld) -> None:
    change = await Editing(filled, ADA).titled("At once")
    root = Editing(filled, ROOT)
    assert (await Editing(filled, BOB).step(change, "emergency-publish", {"reason": "x"})).status_code == 403
    assert (await root.step(change, "emergency-publish", {})).status_code == 422
    done = await root.took(change, "emergency-publish", {"reason": "The line is wrong."})
    assert (done["change"]["is_emergency"], done["change"]["approved_by"]) == (True, None)
    listed = (await root.read("/v1/admin/revisions"))["revisions"]
    assert [(one["number"], one["is_emergency"], one["author"]) for one in listed] == [
        (2, True, "user:ada"),
        (1, False, "tests"),
    ]
    assert listed[0]["items"] == [{"kind": "prompt", "name": "it.vpn"}]


async def test_runs_of_the_gate_are_listed_and_belong_to_their_change(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change, other = await ada.submitted(), await ada.titled("Other", "hr.leave")
    filled.changing.gate.problems = ("suite small: a: expected refuse, got it.vpn",)
    run = (await ada.took(change, "gate-runs"))["id"]
    failed = await ada.read(f"{CHANGES}/{change}/gate-runs/{run}")
    assert (failed["state"], failed["result"]["problems"]) == ("failed", list(filled.changing.gate.problems))
    listed = await ada.read(f"{CHANGES}/{change}/gate-runs", limit=1)
    rest = await ada.read(f"{CHANGES}/{change}/gate-runs", limit=1, after=listed["next"])
    assert [one["state"] for one in (*listed["runs"], *rest["runs"])] == ["failed", "passed"]
    assert (await ada.send("GET", f"{CHANGES}/{other}/gate-runs/{run}")).status_code == 404
    assert (await Editing(filled, BOB).step(change, "approve", {})).status_code == 409
    stale = await ada.send("POST", f"{CHANGES}/{change}/gate-runs", tag='"1"')
    assert stale.status_code == 409


async def test_a_tenant_knows_of_its_own_changes_and_revisions_alone(filled: AdminWorld) -> None:
    theirs = await published(filled, "IT's", "it.vpn")
    mine = await published(filled, "HR's", "hr.leave")
    draft = await Editing(filled, ADA).titled("More", "it.vpn")
    hr = Editing(filled, person("hannah", *Role, assistants=("people",)))
    assert [one["id"] for one in (await hr.read(CHANGES))["changes"]] == [mine]
    assert [one["change"] for one in (await hr.read("/v1/admin/revisions"))["revisions"]] == [mine]
    for path in (f"{CHANGES}/{theirs}", f"{CHANGES}/{draft}/edits", "/v1/admin/revisions/1", "/v1/admin/revisions/2"):
        await hr.read(path, 404)
    told = await hr.send("PUT", f"{CHANGES}/{draft}/edits/prompt/it.vpn", {"document": None}, tag='"1"')
    assert told.status_code == 404
    own = await hr.create()
    assert (await hr.put(own, "prompt", "it.vpn", None)).status_code == 404


async def test_steps_that_a_role_or_an_area_does_not_allow_are_refused(filled: AdminWorld) -> None:
    change = await Editing(filled, ADA).submitted("Leave", "hr.leave")
    it_alone = Editing(filled, person("ida", Role.APPROVER, areas=("it",)))
    assert (await it_alone.step(change, "approve", {})).json()["code"] == "insufficient_role"
    assert (await Editing(filled, CORA).took(change, "approve", {}))["change"]["approved_by"] == "user:cora"


async def test_a_weaker_policy_needs_an_approver_who_is_an_admin_too(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    filled.weaker.add("plain")
    live = await ada.read("/v1/admin/policies/plain")
    change = await ada.create()
    await ada.put(change, "policy", "plain", live["document"] | {"limit": 1}, live["hash"])
    await ada.took(change, "submit")
    await ada.took(change, "gate-runs")
    told = await Editing(filled, BOB).step(change, "approve", {})
    assert (told.status_code, told.json()["code"]) == (403, "admin_needed")
    both = Editing(filled, person("ivy", Role.APPROVER, Role.ADMIN))
    assert (await both.took(change, "approve", {}))["change"]["state"] == "approved"


async def test_a_suite_and_an_assistant_are_changed_beside_a_prompt(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.create()
    for kind, path, name, more in (
        ("suite", "suites", "small", {"title": "Smaller"}),
        ("assistant", "assistants", "desk", {"greeting": "Good day"}),
    ):
        live = await ada.read(f"/v1/admin/{path}/{name}")
        assert (await ada.put(change, kind, name, live["document"] | more, live["hash"])).status_code == 200
    await ada.took(change, "submit")
    await ada.took(change, "gate-runs")
    bob = Editing(filled, BOB)
    await bob.took(change, "approve", {})
    await bob.took(change, "publish")
    catalog = load_catalog(filled.database)
    assert (catalog.suites["small"], catalog.assistants["desk"].greeting) == (SUITE | {"title": "Smaller"}, "Good day")
