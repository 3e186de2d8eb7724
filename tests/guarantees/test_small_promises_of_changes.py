"""What people are told when a step is not possible, and what an approver may do with a revert of their own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import open_database
from store.people import Role
from tests.administration import AdminWorld, person
from tests.gateway.http.admin.change_steps import ADA, BOB, CHANGES, ROOT, Editing, publish_first, published
from tests.migrated import migrate_new
from tests.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def filled(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    admin = AdminWorld(world, database, tmp_path, keeps_changes=True)
    publish_first(admin)
    yield admin
    database.close()


async def test_an_approver_submits_a_revert_of_their_own_and_no_other_change(filled: AdminWorld) -> None:
    change, bob = await published(filled), Editing(filled, BOB)
    back = (await bob.send("POST", f"{CHANGES}/{change}/revert")).json()["change"]["id"]
    assert (await bob.took(back, "submit"))["change"]["state"] == "in_review"
    other = await Editing(filled, ADA).titled("Another title")
    assert (await bob.step(other, "submit")).status_code == 403
    await bob.took(back, "gate-runs")
    assert (await bob.step(back, "approve", {})).json()["code"] == "own_change"


async def test_a_step_that_is_not_possible_is_answered_with_what_is(filled: AdminWorld) -> None:
    change = await Editing(filled, ADA).titled("Another title")
    told = await Editing(filled, BOB).step(change, "publish")
    assert told.status_code == 409
    assert "this change is draft, so it cannot be published. Submit it first." in told.json()["detail"]


async def test_the_trail_has_the_reason_of_an_emergency(filled: AdminWorld) -> None:
    change = await Editing(filled, ADA).titled("Another title")
    await Editing(filled, ROOT).took(change, "emergency-publish", {"reason": "The link is dead."})
    (row,) = [one for one in filled.audit.entries() if one.action == "change.published"]
    assert row.details["reason"] == "The link is dead."


async def test_a_tenant_is_not_told_how_long_the_trail_is(filled: AdminWorld) -> None:
    bound = person("tina", Role.AUDITOR, assistants=("desk",))
    told = await Editing(filled, bound).read("/v1/admin/audit/verification")
    assert (told["is_whole"], told["rows"], told["proved_by"]) == (True, None, None)
    whole = await Editing(filled, person("ann", Role.AUDITOR)).read("/v1/admin/audit/verification")
    assert isinstance(whole["rows"], int)


async def test_a_number_out_of_range_and_a_state_that_there_is_none_of_are_told_as_such(filled: AdminWorld) -> None:
    async with filled.client(ADA) as client:
        sent = {"content-type": "application/json"}
        told = await client.post(CHANGES, content=b'{"title": 1e400}', headers=sent)
        states = await client.get(CHANGES, params={"state": "foo"})
    assert (told.status_code, "out of range" in told.text) == (400, True)
    assert "One of those sent is none of them" in states.text
    assert json.loads(states.text)["status"] == 400
