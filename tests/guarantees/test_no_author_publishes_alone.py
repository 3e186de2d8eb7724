"""Whoever edited a change neither approves nor publishes it, by no path: with no key, import, revert or time."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.catalog import load_catalog
from store.database import open_database
from store.people import Role
from store.types import KeyScope
from tests.administration import AdminWorld, person
from tests.gateway.http.admin.change_steps import BOB, CHANGES, EDDA, Editing, publish_first, published
from tests.migrated import migrate_new
from tests.world import World

pytestmark = pytest.mark.anyio
ALL = person("ada", *Role)
"""One person with every role."""
STEPS = {
    "approve": {},
    "publish": None,
    "schedule": {"publish_at": "2027-01-31T08:00:00Z"},
    "emergency-publish": {"reason": "I say so."},
}


@pytest.fixture
def filled(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    admin = AdminWorld(world, database, tmp_path, keeps_changes=True)
    publish_first(admin)
    yield admin
    database.close()


def revision(admin: AdminWorld) -> int:
    return load_catalog(admin.database).revision


async def refused(alone: Editing, change: str, code: str = "own_change") -> None:
    """Tries every step that would bring the change to people."""
    before = revision(alone.admin)
    for verb, sent in STEPS.items():
        told = await alone.step(change, verb, sent)
        assert (told.status_code, told.json()["code"]) == (403, code), (verb, told.text)
    assert revision(alone.admin) == before


async def test_an_author_with_every_role_takes_no_last_step(filled: AdminWorld) -> None:
    ada = Editing(filled, ALL)
    change = await ada.titled("Mine")
    await refused(ada, change)
    await ada.took(change, "submit")
    await ada.took(change, "gate-runs")
    await refused(ada, change)
    await Editing(filled, BOB).took(change, "approve", {})
    await refused(ada, change)


async def test_an_edit_after_approval_makes_the_approver_an_author_and_takes_the_approval(filled: AdminWorld) -> None:
    ada, cora = Editing(filled, ALL), Editing(filled, person("cora", Role.APPROVER, Role.EDITOR))
    change = await ada.submitted()
    await cora.took(change, "approve", {})
    seen = (await cora.read(f"{CHANGES}/{change}/edits/prompt/it.vpn")) | {}
    told = await cora.put(change, "prompt", "it.vpn", seen["document"] | {"title": "Cora's"}, seen["base"])
    assert (told.json()["change"]["state"], told.json()["change"]["approved_by"]) == ("draft", None)
    await cora.took(change, "submit")
    await cora.took(change, "gate-runs")
    for one in (cora, ada):
        told = await one.step(change, "approve", {})
        assert (told.status_code, told.json()["code"]) == (403, "own_change")
    assert (await Editing(filled, BOB).step(change, "publish")).status_code == 409, "nobody approved these words"


async def test_no_key_takes_a_last_step_whoever_owns_it(filled: AdminWorld) -> None:
    change = await Editing(filled, EDDA).submitted()
    owner = filled.user("olga", *Role)
    token = filled.key(*KeyScope, owner=owner.id)
    tag = await Editing(filled, EDDA).tag(change)
    for verb, sent in STEPS.items():
        async with filled.client() as client:
            headers = {"authorization": f"Bearer {token}", "if-match": tag}
            told = await client.post(f"{CHANGES}/{change}/{verb}", json=sent, headers=headers)
        assert (told.status_code, told.json()["code"]) == (403, "insufficient_role")
    assert revision(filled) == 1


async def test_what_a_key_drafts_is_its_owners(filled: AdminWorld) -> None:
    owner = filled.user("olga", *Role)
    token = filled.key(KeyScope.EDIT, KeyScope.READ, owner=owner.id)
    async with filled.client() as client:
        headers = {"authorization": f"Bearer {token}"}
        live = await client.get("/v1/admin/prompts/it.vpn", headers=headers)
        told = await client.put(
            "/v1/admin/prompts/it.vpn",
            json={"document": live.json()["document"] | {"title": "By key"}},
            headers=headers | {"if-match": live.headers["etag"]},
        )
    assert told.status_code == 200, told.text
    olga = Editing(filled, owner.actor)
    change = told.json()["change"]["id"]
    await olga.send("PATCH", f"{CHANGES}/{change}", {"note": "why"}, tag=await olga.tag(change))
    await olga.took(change, "submit")
    await olga.took(change, "gate-runs")
    await refused(olga, change)


async def test_an_import_is_a_draft_of_whoever_sent_it(filled: AdminWorld) -> None:
    ada = Editing(filled, ALL)
    row = {"instruction": "How do I open a door?", "context": "", "response": "Push it.", "category": "a"}
    async with filled.client(ALL) as client:
        told = await client.post(
            "/v1/admin/imports",
            params={"format": "dolly", "area": "it", "owner": "Caretaker"},
            content=json.dumps(row).encode() + b"\n",
            headers={"content-type": "application/octet-stream"},
        )
    assert await filled.importing.run_next()
    done = await ada.read(told.headers["location"])
    assert (done["state"], done["problem"]) == ("done", "")
    change = done["change"]
    await ada.send("PATCH", f"{CHANGES}/{change}", {"note": "why"}, tag=await ada.tag(change))
    assert (await ada.took(change, "submit"))["change"]["authors"] == ["user:ada"]
    await ada.took(change, "gate-runs")
    await refused(ada, change)
    assert revision(filled) == 1


async def test_a_revert_is_a_draft_of_whoever_asked_for_it(filled: AdminWorld) -> None:
    change = await published(filled)
    ada = Editing(filled, ALL)
    back = (await ada.send("POST", f"{CHANGES}/{change}/revert")).json()["change"]["id"]
    await ada.took(back, "submit")
    await ada.took(back, "gate-runs")
    await refused(ada, back)
    assert revision(filled) == 2


async def test_a_time_that_was_set_before_an_edit_is_gone_after_it(filled: AdminWorld) -> None:
    ada, bob = Editing(filled, ALL), Editing(filled, BOB)
    change = await ada.submitted()
    await bob.took(change, "approve", {})
    at = (filled.clock.at + dt.timedelta(hours=1)).isoformat()
    await bob.took(change, "schedule", {"publish_at": at})
    seen = await ada.read(f"{CHANGES}/{change}/edits/prompt/it.vpn")
    await ada.put(change, "prompt", "it.vpn", seen["document"] | {"title": "Slipped in"}, seen["base"])
    filled.clock.pass_by(hours=2)
    assert filled.changing.publishing.due() == ()
    assert revision(filled) == 1
