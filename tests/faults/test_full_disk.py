"""A full disk: what is loaded goes on answering, what is written is refused in words, nothing told is lost."""

import anyio
import pytest

from gateway.beginning import BEGUN, Beginning, example_folder
from gateway.rail_services import rail_services
from gateway.readiness import PartState
from gateway.settings import RailSettings
from models.fakes import FakeEmbedder
from rails.fakes import InProcessSandbox
from store.audit import AuditFilter, AuditTrail
from store.catalog import live_revision, load_catalog
from store.database import open_database
from store.errors import StoreUnavailable
from store.people import Role
from store.types import Outcome
from tests.administration import AUDIT_KEY, AdminWorld, person
from tests.faults.disks import SmallDisk, small_disk
from tests.faults.small_gateway import Town
from tests.gateway.http.admin.test_beginning_routes import ADDRESS, SENT
from tests.migrated import migrate_new
from tests.world import World

__all__ = ["small_disk"]
EXACT = "How do I reset my password?"
ADMIN = person("ada", Role.ADMIN)


@pytest.fixture
def town(small_disk: SmallDisk):
    made = Town(small_disk.folder, rails=RailSettings(rail_s=5.0, stage_s=10.0))
    yield made
    made.close()


def test_a_publish_onto_a_full_disk_is_refused_and_what_was_live_stays_live(town: Town, small_disk: SmallDisk) -> None:
    town.office.publish("Explain how to reset a forgotten password, before.")
    small_disk.fill()
    before = town.published()
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="full"):
            town.office.publish("Explain how to reset a forgotten password, too much." + "x" * 3000)
    assert town.published() == before
    town.gateway.look()
    assert town.gateway.live.current.catalog.revision == before[0]
    assert town.gateway.readiness.report().is_ready
    small_disk.free()
    town.office.publish("Explain how to reset a forgotten password, after.")
    assert town.published() == (before[0] + 1, "Explain how to reset a forgotten password, after.")
    town.start()
    assert town.gateway.ask(EXACT).decision.store_revision == before[0] + 1


def test_answers_go_on_while_the_disk_is_full_and_their_decisions_come_when_there_is_room(
    town: Town, small_disk: SmallDisk
) -> None:
    small_disk.fill()
    told = [town.gateway.ask(EXACT).decision for _ in range(60)]
    assert {one.outcome for one in told} == {Outcome.ANSWERED}
    assert town.gateway.log.waiting > 0, "the disk was not full"
    small_disk.free()
    assert town.settled()
    assert {one.id for one in told} <= set(town.kept())


def test_a_start_on_a_full_disk_serves_what_is_published(town: Town, small_disk: SmallDisk) -> None:
    small_disk.fill()
    for path in (small_disk.folder / "index").iterdir():
        path.unlink()
    small_disk.fill()
    town.start()
    assert town.gateway.ask(EXACT).decision.outcome is Outcome.ANSWERED


def test_a_first_publish_onto_a_full_disk_ends_in_an_error_and_can_be_made_once_there_is_room(
    small_disk: SmallDisk,
) -> None:
    url = f"sqlite:///{small_disk.folder / 'begin.db'}"
    migrate_new(url)
    database = open_database(url)
    trail = AuditTrail(database, AUDIT_KEY)
    begun = Beginning(
        database, trail, rail_services(FakeEmbedder), example=example_folder(), sandbox=InProcessSandbox()
    )
    try:
        small_disk.fill()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="full"):
                begun.with_example(ADMIN)
        assert begun.is_open_to(ADMIN)
        assert live_revision(database) == 0
        assert load_catalog(database).prompts == {}
        small_disk.free()
        assert trail.page(AuditFilter(action=BEGUN), limit=2) == ()
        assert begun.with_example(ADMIN).revision == 1
        assert len(trail.page(AuditFilter(action=BEGUN), limit=2)) == 1
        assert not begun.is_open()
    finally:
        database.close()


def test_a_person_who_begins_on_a_full_disk_is_told_to_come_again(small_disk: SmallDisk, world: World) -> None:
    url = f"sqlite:///{small_disk.folder / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    admin = AdminWorld(world, database, small_disk.folder)

    async def begin():
        async with admin.client(ADMIN) as client:
            return await client.post(ADDRESS, json={"bundle": SENT}), (await client.get(ADDRESS)).json()

    try:
        small_disk.fill()
        told, state = anyio.run(begin)
        assert (told.status_code, told.json()["code"]) == (503, "store_unavailable")
        assert state["is_open"] is True
        assert str(small_disk.folder) not in told.text
        small_disk.free()
        told, state = anyio.run(begin)
        assert (told.status_code, state["is_open"]) == (201, False)
    finally:
        database.close()


def test_readiness_says_that_the_database_answers_as_long_as_it_can_be_read(town: Town, small_disk: SmallDisk) -> None:
    small_disk.fill()
    assert town.gateway.readiness.report().parts["database"].state is PartState.READY
