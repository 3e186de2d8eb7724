"""A live change is taken back at once by one approver: never to anything that was not live before."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from store.audit import AuditFilter
from store.catalog import load_catalog
from store.changes.types import Change, Edit, EditKind, Item
from store.database import open_database
from store.people import Actor, Role
from store.types import KeyScope
from tests.administration import AdminWorld, person
from tests.gateway.http.admin.change_steps import ADA, BOB, CHANGES, EDDA, ROOT, VIC, Editing, publish_first, published
from tests.migrated import migrate_new
from tests.world import World

pytestmark = pytest.mark.anyio
BOSS = person("boss", Role.APPROVER, Role.ADMIN)


@pytest.fixture
def filled(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    admin = AdminWorld(world, database, tmp_path, keeps_changes=True)
    publish_first(admin)
    yield admin
    database.close()


def title(admin: AdminWorld) -> str:
    return load_catalog(admin.database).prompts["it.vpn"].content.title


def revision(admin: AdminWorld) -> int:
    return load_catalog(admin.database).revision


async def test_an_approver_takes_back_what_is_live_as_a_revision_of_its_own(filled: AdminWorld) -> None:
    before = title(filled)
    change = await published(filled, "A mistake")
    assert title(filled) == "A mistake"
    at = revision(filled)
    told = await Editing(filled, BOB).took(change, "take-back")
    made = told["change"]
    assert title(filled) == before
    assert revision(filled) == at + 1
    assert (made["state"], made["reverts"], made["approved_by"]) == ("live", change, None)
    old = await Editing(filled, VIC).read(f"{CHANGES}/{change}")
    assert old["change"]["state"] == "superseded"
    row = next(iter(filled.administration.audit.page(AuditFilter(action="change.published"), limit=1)))
    assert (row.actor, row.details["reverts"]) == (BOB.id, change)


async def test_taking_back_is_taken_back_the_same_way(filled: AdminWorld) -> None:
    change = await published(filled, "No mistake")
    bob = Editing(filled, BOB)
    made = (await bob.took(change, "take-back"))["change"]["id"]
    await bob.took(made, "take-back")
    assert title(filled) == "No mistake"


@pytest.mark.parametrize("actor", [EDDA, ROOT, VIC, person("hal", Role.APPROVER, areas=("hr",))])
async def test_nobody_without_the_role_there_takes_back(filled: AdminWorld, actor) -> None:
    change = await published(filled, "A mistake")
    told = await Editing(filled, actor).step(change, "take-back")
    assert told.status_code == 403, told.text
    assert title(filled) == "A mistake"


async def test_what_moved_since_is_not_taken_back_and_nothing_is_left_behind(filled: AdminWorld) -> None:
    change = await published(filled, "A mistake")
    await published(filled, "Mended")
    told = await Editing(filled, BOB).step(change, "take-back")
    assert told.status_code == 409, told.text
    assert title(filled) == "Mended"
    listed = await Editing(filled, VIC).read(CHANGES)
    assert not [one for one in listed["changes"] if one["reverts"]]


async def test_whoever_writes_the_inverse_before_it_is_live_brings_nothing_to_people(filled: AdminWorld) -> None:
    change = await published(filled, "A mistake")
    changing = filled.administration.changing
    taking, drafts, contents = changing.taking_back, changing.drafts, changing.contents
    real = taking._rebase

    class Hasty:
        """Edits the inverse as soon as it is there."""

        def revert(self, actor: Actor, change_id: UUID) -> Change:
            made = real.revert(actor, change_id)
            item = Item(EditKind.PROMPT, "it.vpn")
            live = contents.get(EDDA, item)
            edit = Edit(item.kind, item.name, {**live.document, "title": "Nobody approved this"}, live.digest)
            drafts.add_edit(EDDA, made.id, edit, rev=made.rev)
            return made

    taking._rebase = Hasty()
    at = revision(filled)
    told = await Editing(filled, BOB).step(change, "take-back")
    assert told.status_code == 409, told.text
    assert (title(filled), revision(filled)) == ("A mistake", at)


async def test_what_is_not_live_is_not_taken_back(filled: AdminWorld) -> None:
    change = await Editing(filled, ADA).submitted()
    told = await Editing(filled, BOB).step(change, "take-back")
    assert told.status_code == 409
    assert "in review" in told.json()["detail"]


async def test_no_key_takes_back(filled: AdminWorld) -> None:
    change = await published(filled, "A mistake")
    token = filled.key(*KeyScope, owner=filled.user("olga", *Role).id)
    headers = {"if-match": await Editing(filled, BOB).tag(change), "authorization": f"Bearer {token}"}
    async with filled.client() as client:
        told = await client.post(f"{CHANGES}/{change}/take-back", headers=headers)
    assert told.status_code == 403
    assert title(filled) == "A mistake"


async def test_words_are_kept_again_with_an_admin_alone(filled: AdminWorld) -> None:
    eve, bob, boss = (Editing(filled, one) for one in (person("eve", Role.EDITOR), BOB, BOSS))

    def kept() -> str:
        return load_catalog(filled.database).assistants["desk"].keeps_text

    async def change_to(keeps: str) -> str:
        live = await eve.read("/v1/admin/assistants/desk")
        change = await eve.create()
        told = await eve.put(change, "assistant", "desk", live["document"] | {"keeps_text": keeps}, live["hash"])
        assert told.status_code == 200, told.text
        await eve.took(change, "submit")
        await eve.took(change, "gate-runs")
        await boss.took(change, "approve", {})
        await boss.took(change, "publish")
        return change

    await change_to("redacted")
    change = await change_to("off")
    told = await bob.step(change, "take-back")
    assert (told.status_code, told.json()["code"]) == (403, "admin_needed"), told.text
    assert kept() == "off"
    left = [one for one in (await bob.read(CHANGES))["changes"] if one["reverts"]]
    assert [one["state"] for one in left] == ["withdrawn"]
    await boss.took(change, "take-back")
    assert kept() == "redacted"
