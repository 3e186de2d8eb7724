"""Which changes wait for somebody, and which is the newest of a prompt: found in few statements, as one by one."""

import pytest

from store.changes.finding import ChangeFinder
from store.changes.rules import Action
from store.changes.types import ChangeState, EditKind
from store.people import Actor, Role
from store.sorting import Order
from tests.store.changes.change_world import ADA, BOB, CORA, EDDA, ROOT, ChangeWorld, person
from tests.store.store_content import assistant, prompt

LATEST = Order("updated", is_down=True)
HRIS = person("hris", Role.APPROVER, areas=("hr",))
OTHERS = person("otto", Role.APPROVER, assistants=("shop",))


@pytest.fixture
def busy(world: ChangeWorld) -> ChangeWorld:
    """Changes in every state that is open, by two people, of two areas."""
    desk = assistant("helpdesk", areas=("hr", "it"))
    world.publish_first(prompt(), prompt("hr.leave"), prompt("it.wifi"), assistants=(desk,))
    world.drafted(ADA, world.edit("it.vpn", title="A draft"))
    world.submitted(ADA, world.edit("it.vpn", title="To decide"))
    world.submitted(EDDA, world.edit("hr.leave", title="To decide as well"))
    world.approved(EDDA, world.edit("it.wifi", title="To publish"))
    sent = world.submitted(ADA, world.edit("it.wifi", title="To mend"))
    world.reviews.request_changes(BOB, sent.id, rev=sent.rev, reason="Shorter.")
    world.submitted(CORA, world.edit("hr.leave", title="By an approver"))
    return world


def one_by_one(world: ChangeWorld, actor: Actor) -> set[str]:
    """Asks of every change what the actor could do with it."""
    found = set()
    for head in world.changes.page(actor, limit=50).changes:
        if head.state is ChangeState.CHANGES_REQUESTED and actor.person in head.authors:
            found.add(str(head.id))
        if world.changes.possible(actor, world.changes.get(actor, head.id)) & {Action.APPROVE, Action.PUBLISH}:
            found.add(str(head.id))
    return found


@pytest.mark.parametrize("actor", [ADA, EDDA, BOB, CORA, ROOT, HRIS, OTHERS], ids=lambda one: one.name)
def test_what_waits_is_what_asking_one_by_one_finds(busy: ChangeWorld, actor: Actor) -> None:
    finder = ChangeFinder(busy.desk)
    for _ in range(2):  # the second time what contents reach is remembered
        found = finder.waiting(actor, LATEST, limit=50)
        assert {str(one.head.id) for one in found if one.waits} == one_by_one(busy, actor)


def test_an_edit_makes_what_was_remembered_of_a_change_worth_nothing(busy: ChangeWorld) -> None:
    finder = ChangeFinder(busy.desk)
    (found,) = [
        one.head for one in finder.waiting(HRIS, LATEST, limit=50) if one.waits and EDDA.person in one.head.authors
    ]
    more = busy.changes.add_edit(EDDA, found.id, busy.edit("it.vpn", title="Reaches further"), rev=found.rev)
    busy.reviews.submit(EDDA, more.id, rev=more.rev)
    assert found.id not in {one.head.id for one in finder.waiting(HRIS, LATEST, limit=50) if one.waits}
    assert found.id in {one.head.id for one in finder.waiting(BOB, LATEST, limit=50) if one.waits}


def test_the_newest_open_change_of_each_prompt_is_found(busy: ChangeWorld) -> None:
    finder = ChangeFinder(busy.desk)
    asked = finder.newest_of(ADA, EditKind.PROMPT, {"it.vpn", "it.wifi", "it.nothing"})
    assert {name: one.state for name, one in asked.items()} == {
        "it.vpn": ChangeState.IN_REVIEW,
        "it.wifi": ChangeState.CHANGES_REQUESTED,
    }
    everything = finder.newest_of(ADA, EditKind.PROMPT)
    assert everything.keys() == {"hr.leave", "it.vpn", "it.wifi"}
    assert finder.newest_of(OTHERS, EditKind.PROMPT) == {}
    assert finder.newest_of(ADA, EditKind.SUITE) == {}


def test_a_tenant_finds_its_own_older_change_behind_one_that_it_may_not_know(busy: ChangeWorld) -> None:
    desk, shop = assistant("helpdesk", areas=("hr", "it")), assistant("shop", areas=("it",))
    busy.publish_first(assistants=(desk, shop))
    busy.submitted(EDDA, busy.edit("it.vpn", title="Both"), busy.edit("hr.leave", title="Both"))
    finder = ChangeFinder(busy.desk)
    both, own = (finder.newest_of(actor, EditKind.PROMPT, {"it.vpn"})["it.vpn"] for actor in (ADA, OTHERS))
    assert (len(both.items), len(own.items)) == (2, 1)
    assert finder.titles(OTHERS, {both.id, own.id}).keys() == {own.id}
