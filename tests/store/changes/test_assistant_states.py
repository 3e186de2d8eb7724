"""Every state of an assistant that was live is listed, whoever published it."""

from store.changes.documents import hash_of
from store.changes.history import History
from store.changes.types import Edit, EditKind, Item
from store.database import migrate, migrate_down, open_database
from store.people import Role
from tests.migrated import migrate_new
from tests.store.changes.change_world import ADA, ChangeWorld, person
from tests.store.store_content import assistant

DESK = Item(EditKind.ASSISTANT, "desk")
ADMIN = person("ruth", Role.ADMIN, Role.APPROVER)


def listed(world: ChangeWorld) -> list[tuple[int, str, bool]]:
    history = History(world.database)
    page = history.page(DESK, limit=50)
    return [(one.number, str(history.get(DESK, one.number)["greeting"]), one.is_live) for one in page]


def greet(world: ChangeWorld, greeting: str) -> None:
    live = world.live(DESK)
    world.published(ADA, Edit(EditKind.ASSISTANT, "desk", live | {"greeting": greeting}, hash_of(live)))


def test_states_of_folders_and_of_changes_are_listed_together(world: ChangeWorld) -> None:
    world.publish_first(assistants=(assistant(greeting="By folder"),))
    greet(world, "By change")
    world.published(ADA, world.edit("it.mail"))
    world.publish_first(assistants=(assistant(greeting="By folder again"),))
    expected = [(5, "By folder again", True), (3, "By change", False), (2, "By folder", False), (1, "Hello", False)]
    assert listed(world) == expected
    page = History(world.database).page(DESK, limit=2, before=5)
    assert [(one.number, one.author) for one in page] == [(3, ADA.id), (2, "tests")]


def test_what_is_known_of_before_is_listed_after_the_migration(url: str) -> None:
    migrate_new(url)
    database = open_database(url)
    world = ChangeWorld(database)
    world.publish_first()
    greet(world, "First change")
    greet(world, "Second change")
    world.publish_first(assistants=(assistant(greeting="By folder"),))
    greet(world, "Third change")
    before = listed(world)
    database.close()
    migrate_down(url, "0010")
    migrate(url)
    database = open_database(url)
    assert listed(ChangeWorld(database)) == before
    assert [number for number, _, _ in before] == [5, 4, 3, 2, 1]
    database.close()


def test_an_assistant_that_is_gone_keeps_its_states(world: ChangeWorld) -> None:
    live = world.live(DESK)
    world.published(ADA, Edit(EditKind.ASSISTANT, "desk", None, hash_of(live)), by=ADMIN)
    assert listed(world) == [(1, "Hello", False)]
