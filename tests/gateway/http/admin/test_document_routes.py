"""Prompts, assistants, policies and test sets are read as they are live, and edited in a change alone."""

import pytest

from store.catalog import load_catalog
from store.people import Role
from tests.administration import AdminWorld, person
from tests.gateway.http.admin.change_steps import ADA, CHANGES, EDDA, VIC, Editing, publish_first, published
from tests.store.store_content import prompt

pytestmark = pytest.mark.anyio
PROMPTS = "/v1/admin/prompts"
KINDS = {"prompts": "it.vpn", "assistants": "desk", "policies": "plain", "suites": "small"}


@pytest.fixture
def filled(admin: AdminWorld) -> AdminWorld:
    publish_first(admin)
    return admin


async def test_prompts_are_listed_by_key_and_narrowed(admin: AdminWorld) -> None:
    publish_first(
        admin,
        prompt("it.vpn", phrasings=["How do I get 100% of the network?"]),
        prompt("it.mail", title="Über mail"),
        prompt("hr.leave"),
    )
    vic = Editing(admin, VIC)

    async def keys(**query: object) -> list[str]:
        return [one["name"] for one in (await vic.read(PROMPTS, **query))["items"]]

    assert await keys() == ["hr.leave", "it.mail", "it.vpn"]
    assert await keys(area="it") == ["it.mail", "it.vpn"]
    assert await keys(assistant="people") == ["hr.leave"]
    assert await keys(assistant="nobody") == []
    assert await keys(search="100%") == ["it.vpn"]
    assert await keys(search="1_0%") == []
    assert await keys(search="MAIL") == ["it.mail"]
    first = await vic.read(PROMPTS, limit=2)
    assert await keys(limit=2, after=first["next"]) == ["it.vpn"]
    assert first["items"][0]["assistants"] == ["people"]
    assert {one["version"] for one in first["items"]} == {1}


@pytest.mark.parametrize(("path", "name"), KINDS.items())
async def test_a_live_document_has_its_hash_as_etag_and_tells_the_changes_that_touch_it(
    filled: AdminWorld, path: str, name: str
) -> None:
    ada = Editing(filled, ADA)
    told = await ada.send("GET", f"/v1/admin/{path}/{name}")
    shown = told.json()
    assert told.headers["etag"] == f'"{shown["hash"]}"'
    assert (shown["version"], shown["change"], shown["open_changes"]) == (1, None, [])
    listed = (await ada.read(f"/v1/admin/{path}"))["items"]
    assert [one["hash"] for one in listed if one["name"] == name] == [shown["hash"]]
    sent = {"document": shown["document"] | {"title": "Other"}}
    drafted = await ada.send("PUT", f"/v1/admin/{path}/{name}", sent, tag=told.headers["etag"])
    assert drafted.status_code == 200, drafted.text
    change = drafted.json()["change"]["id"]
    again = await ada.read(f"/v1/admin/{path}/{name}")
    assert (again["hash"], [one["id"] for one in again["open_changes"]]) == (shown["hash"], [change])
    draft = await ada.read(f"/v1/admin/{path}/{name}", change=change)
    assert (draft["document"]["title"], draft["change"], draft["hash"] != shown["hash"]) == ("Other", change, True)
    assert load_catalog(filled.database).revision == 1


async def test_edits_gather_in_ones_open_change_and_the_draft_is_what_is_edited_on(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    live = await ada.send("GET", f"{PROMPTS}/it.vpn")
    first = await ada.send(
        "PUT", f"{PROMPTS}/it.vpn", {"document": live.json()["document"] | {"title": "A"}}, tag=live.headers["etag"]
    )
    change = first.json()["change"]["id"]
    assert first.json()["change"]["title"] == "Edit prompt: A"
    new = await ada.send("POST", PROMPTS, {"document": {"key": "it.new", "title": "New"}})
    assert (new.status_code, new.json()["change"]["id"]) == (201, change)
    assert new.json()["change"]["title"] == "Edit 2 prompts: New, A"
    assert new.headers["location"] == f"{CHANGES}/{change}"
    stale = await ada.send(
        "PUT", f"{PROMPTS}/it.vpn", {"document": live.json()["document"] | {"title": "B"}}, tag=live.headers["etag"]
    )
    item = stale.json()["found"]["items"][0]
    assert stale.status_code == 409, "the draft of the change was not read"
    assert (item["stored"]["title"], item["draft"]["title"], item["live"]["title"]) == ("A", "B", "About it.vpn")
    draft = await ada.send("GET", f"{PROMPTS}/it.vpn", change=change)
    over = await ada.send(
        "PUT",
        f"{PROMPTS}/it.vpn",
        {"document": draft.json()["document"] | {"title": "B"}},
        tag=draft.headers["etag"],
        change=change,
    )
    assert (over.status_code, over.json()["edit_count"]) == (200, 2)
    edda = await Editing(filled, EDDA).send(
        "DELETE", f"{PROMPTS}/hr.leave", tag=(await ada.send("GET", f"{PROMPTS}/hr.leave")).headers["etag"]
    )
    assert edda.json()["change"]["id"] != change


async def test_a_new_document_is_not_written_over_another(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    for document in ({"key": "it.vpn"}, {"key": "it.new"}):
        told = await ada.send("POST", PROMPTS, {"document": document})
    again = await ada.send("POST", PROMPTS, {"document": {"key": "it.new", "title": "x"}})
    first = await ada.send("POST", PROMPTS, {"document": {"key": "it.vpn"}})
    assert (told.status_code, again.status_code, first.status_code) == (201, 409, 409)
    assert again.json()["found"]["items"][0]["stored"] == {"key": "it.new"}
    for wrong in ({}, {"key": 3}, {"key": "No Key"}):
        assert (await ada.send("POST", PROMPTS, {"document": wrong})).status_code == 422


async def test_a_removal_is_drafted_and_what_is_new_in_the_change_is_taken_out(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    live = await ada.send("GET", f"{PROMPTS}/it.vpn")
    gone = await ada.send("DELETE", f"{PROMPTS}/it.vpn", tag=live.headers["etag"])
    change = gone.json()["change"]["id"]
    assert (gone.status_code, gone.json()["edits"][0]["document"]) == (200, None)
    await ada.read(f"{PROMPTS}/it.vpn", 404, change=change)
    assert (await ada.send("DELETE", f"{PROMPTS}/it.vpn", tag=live.headers["etag"])).status_code == 404
    await ada.send("POST", PROMPTS, {"document": {"key": "it.new"}})
    new = await ada.send("GET", f"{PROMPTS}/it.new", change=change)
    out = await ada.send("DELETE", f"{PROMPTS}/it.new", tag=new.headers["etag"])
    assert [one["name"] for one in out.json()["edits"]] == ["it.vpn"]
    back = await ada.send("POST", PROMPTS, {"document": live.json()["document"]})
    assert (back.status_code, back.json()["edits"][0]["differences"]) == (201, [])


async def test_an_edit_beside_an_approval_does_not_take_it_away(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    change = await ada.submitted()
    live = await ada.send("GET", f"{PROMPTS}/hr.leave")
    told = await ada.send("DELETE", f"{PROMPTS}/hr.leave", tag=live.headers["etag"], change=change)
    assert (told.status_code, told.json()["found"]["state"]) == (409, "in_review")
    other = await ada.send("DELETE", f"{PROMPTS}/hr.leave", tag=live.headers["etag"])
    assert other.json()["change"]["id"] != change


async def test_a_draft_that_takes_another_back_gathers_no_edits(filled: AdminWorld) -> None:
    change = await published(filled)
    edda = Editing(filled, EDDA)
    back = (await edda.send("POST", f"{CHANGES}/{change}/revert")).json()["change"]["id"]
    told = await edda.send("POST", PROMPTS, {"document": {"key": "it.new"}})
    assert told.json()["change"]["id"] != back


async def test_writes_need_the_hash_that_was_read(filled: AdminWorld) -> None:
    ada = Editing(filled, ADA)
    sent = {"document": {"key": "it.vpn"}}
    assert (await ada.send("PUT", f"{PROMPTS}/it.vpn", sent)).status_code == 428
    assert (await ada.send("PUT", f"{PROMPTS}/it.vpn", sent, tag='"3"')).status_code == 412
    assert (await ada.send("PUT", f"{PROMPTS}/it.none", sent, tag=f'"{"0" * 64}"')).status_code == 404
    assert (await ada.send("PUT", f"{PROMPTS}/it.vpn", sent, tag=f'"{"0" * 64}"')).status_code == 409
    assert (await ada.send("PUT", f"{PROMPTS}/it.vpn", sent, tag=f'"{"0" * 64}"', change="x")).status_code == 400


@pytest.mark.parametrize(("path", "name"), KINDS.items())
async def test_every_state_that_was_live_can_be_read(filled: AdminWorld, path: str, name: str) -> None:
    ada = Editing(filled, ADA)
    bob = Editing(filled, person("bob", Role.APPROVER))
    before = await ada.read(f"/v1/admin/{path}/{name}")
    for title in ("Second", "Third"):
        live = await ada.send("GET", f"/v1/admin/{path}/{name}")
        sent = {"document": live.json()["document"] | {"title": title}}
        made = await ada.send("PUT", f"/v1/admin/{path}/{name}", sent, tag=live.headers["etag"])
        change = made.json()["change"]["id"]
        await ada.send("PATCH", f"{CHANGES}/{change}", {"note": "why"}, tag=await ada.tag(change))
        await ada.took(change, "submit")
        await ada.took(change, "gate-runs")
        await bob.took(change, "approve", {})
        await bob.took(change, "publish")
    whole = f"/v1/admin/{path}/{name}/versions"
    first = await ada.read(whole, limit=2)
    rest = await ada.read(whole, limit=2, after=first["next"]) if first["next"] else {"versions": []}
    found = [*first["versions"], *rest["versions"]]
    assert [one["number"] for one in found] == [3, 2, 1]
    assert [one["is_live"] for one in found] == [True, False, False]
    assert (await ada.read(f"{whole}/2"))["document"]["title"] == "Second"
    assert (await ada.read(f"{whole}/1"))["document"] == before["document"]
    for wrong in ("4", "0", "x", "9" * 12):
        await ada.read(f"{whole}/{wrong}", 404)


async def test_a_tenant_reads_and_edits_its_own_documents_alone(filled: AdminWorld) -> None:
    hr = Editing(filled, person("hannah", *Role, assistants=("people",)))
    for path, names in {
        "prompts": ["hr.leave"],
        "assistants": ["people"],
        "policies": ["strict"],
        "suites": [],
    }.items():
        assert [one["name"] for one in (await hr.read(f"/v1/admin/{path}"))["items"]] == names
    for path, name in KINDS.items():
        await hr.read(f"/v1/admin/{path}/{name}", 404)
        await hr.read(f"/v1/admin/{path}/{name}/versions", 404)
        await hr.read(f"/v1/admin/{path}/{name}/versions/1", 404)
        told = await hr.send("DELETE", f"/v1/admin/{path}/{name}", tag=f'"{"0" * 64}"')
        assert told.status_code == 404
    assert (await hr.send("POST", PROMPTS, {"document": {"key": "it.new"}})).status_code == 404
    assert (await hr.send("POST", PROMPTS, {"document": {"key": "it.vpn"}})).status_code == 404
    assert (await hr.send("POST", PROMPTS, {"document": {"key": "hr.new"}})).status_code == 201
