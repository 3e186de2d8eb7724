"""What the queue and imports draft goes into changes: one contract, for the real ones and for the fake of tests."""

from uuid import UUID

import pytest

from store.changes.queue_drafts import ChangeDrafts
from store.changes.types import Edit as ChangeEdit
from store.changes.types import EditKind as ChangeKind
from store.changes.types import Item
from store.errors import Conflict, InvalidContent, NotFound, Refused
from store.people import Role
from store.review.drafts import Drafts, Edit, EditKind
from tests.drafts import KeptDrafts
from tests.store.changes.change_world import ADA, EDDA, ChangeWorld, person

PURPOSE = "Questions of the queue"
LIVE = Item(ChangeKind.PROMPT, "it.vpn")


class Real:
    """Changes in a database."""

    def __init__(self, world: ChangeWorld) -> None:
        self.world = world
        self.drafts: Drafts = ChangeDrafts(world.desk, world.changes)
        self.base = world.edit().base

    def submit(self, change: str) -> None:
        world = self.world
        held = world.changes.get(ADA, next(one.id for one in world.changes.page(ADA).changes)).change
        held = world.changes.describe(ADA, held.id, rev=held.rev, note="why")
        world.reviews.submit(ADA, held.id, rev=held.rev)


class Fake:
    """Changes in memory."""

    def __init__(self, world: ChangeWorld) -> None:
        edit = world.edit()
        self.world = world
        self.base = edit.base
        self.kept = KeptDrafts({(EditKind.PROMPT, "it.vpn"): Edit(EditKind.PROMPT, "it.vpn", edit.document, edit.base)})
        self.drafts: Drafts = self.kept

    def submit(self, change: str) -> None:
        self.kept.submitted.add(change)


@pytest.fixture(params=[Real, Fake], ids=["real", "fake"])
def kept(request, world: ChangeWorld):
    return request.param(world)


def edit(kept, title: str) -> Edit:
    live = dict(kept.world.live(LIVE))
    return Edit(EditKind.PROMPT, "it.vpn", live | {"title": title}, kept.base)


def test_an_edit_is_in_the_change_and_not_live(kept):
    with kept.world.database.writing() as session:
        change = kept.drafts.open_change(ADA, None, purpose=PURPOSE, session=session)
        kept.drafts.add_edit(ADA, change, edit(kept, "New"), session=session)
        assert kept.drafts.is_draft(change, session=session)
        found = kept.drafts.in_change(change, EditKind.PROMPT, "it.vpn", session=session)
        assert (found.document["title"], found.base) == ("New", kept.base)
        live = kept.drafts.live(ADA, EditKind.PROMPT, "it.vpn", session=session)
        assert (live.document["title"], live.base) == ("About it.vpn", kept.base)
        assert kept.drafts.in_change(change, EditKind.SUITE, "none", session=session) is None
        assert kept.drafts.live(ADA, EditKind.PROMPT, "it.none", session=session) is None


def test_edits_gather_in_one_open_change_of_each_person(kept):
    with kept.world.database.writing() as session:
        change = kept.drafts.open_change(ADA, None, purpose=PURPOSE, session=session)
        kept.drafts.add_edit(ADA, change, edit(kept, "New"), session=session)
        assert kept.drafts.open_change(ADA, None, purpose=PURPOSE, session=session) == change
        assert kept.drafts.open_change(EDDA, None, purpose=PURPOSE, session=session) != change
        assert kept.drafts.open_change(EDDA, change, purpose=PURPOSE, session=session) == change


def test_drafts_gather_by_what_they_are_made_for(kept):
    with kept.world.database.writing() as session:

        def opened(purpose: str, change: str | None = None) -> str:
            return kept.drafts.open_change(ADA, change, purpose=purpose, session=session)

        first, other = opened(PURPOSE), opened("Import of a.csv")
        assert other != first
        assert (opened(PURPOSE), opened("Import of a.csv")) == (first, other)
        assert opened("Import of b.csv") not in (first, other)
        assert opened(PURPOSE, other) == other, "what is named is taken, whatever it was made for"


def test_a_draft_that_somebody_began_or_only_joined_takes_nothing_unasked(world):
    drafts = ChangeDrafts(world.desk, world.changes)
    unrelated = world.drafted(ADA)
    with world.database.writing() as session:
        mine = drafts.open_change(ADA, None, purpose=PURPOSE, session=session)
        drafts.add_edit(EDDA, mine, Edit(EditKind.PROMPT, "it.new", {}), session=session)
        theirs = drafts.open_change(EDDA, None, purpose=PURPOSE, session=session)
    assert len({str(unrelated.id), mine, theirs}) == 3
    assert world.changes.get(ADA, unrelated.id).change.rev == unrelated.rev
    made = world.changes.get(ADA, UUID(mine)).change
    assert (made.title, made.purpose, EDDA.person in made.authors) == (PURPOSE, PURPOSE, True)
    renamed = world.changes.describe(ADA, made.id, rev=made.rev, title="Mine")
    with world.database.writing() as session:
        assert drafts.open_change(ADA, None, purpose=PURPOSE, session=session) == str(renamed.id)


def test_an_edit_takes_the_place_of_one_of_the_same_thing_and_is_taken_out(kept):
    with kept.world.database.writing() as session:
        change = kept.drafts.open_change(ADA, None, purpose=PURPOSE, session=session)
        suite = Edit(EditKind.SUITE, "small", {"name": "small"})
        kept.drafts.add_edits(ADA, change, (edit(kept, "First"), suite), session=session)
        kept.drafts.add_edit(ADA, change, edit(kept, "Second"), session=session)
        found = kept.drafts.in_change(change, EditKind.PROMPT, "it.vpn", session=session)
        assert found.document["title"] == "Second"
        kept.drafts.take_out(ADA, change, EditKind.PROMPT, "it.vpn", session=session)
        kept.drafts.take_out(ADA, change, EditKind.PROMPT, "it.vpn", session=session)
        assert kept.drafts.in_change(change, EditKind.PROMPT, "it.vpn", session=session) is None
        assert kept.drafts.in_change(change, EditKind.SUITE, "small", session=session).document == {"name": "small"}


def test_a_change_that_was_submitted_takes_no_more(kept):
    with kept.world.database.writing() as session:
        change = kept.drafts.open_change(ADA, None, purpose=PURPOSE, session=session)
        kept.drafts.add_edit(ADA, change, edit(kept, "New"), session=session)
    kept.submit(change)
    with kept.world.database.writing() as session:
        assert not kept.drafts.is_draft(change, session=session)
        for call in (
            lambda: kept.drafts.open_change(ADA, change, purpose=PURPOSE, session=session),
            lambda: kept.drafts.add_edit(ADA, change, edit(kept, "Late"), session=session),
            lambda: kept.drafts.take_out(ADA, change, EditKind.PROMPT, "it.vpn", session=session),
        ):
            with pytest.raises(Conflict):
                call()
        assert kept.drafts.open_change(ADA, None, purpose=PURPOSE, session=session) != change


@pytest.mark.parametrize("change", ["change-77", "0190a0b0-0000-7000-8000-00000000dead", "é"])
def test_a_change_that_is_not_there_is_not_found(kept, change):
    with kept.world.database.writing() as session:
        assert not kept.drafts.is_draft(change, session=session)
        assert kept.drafts.in_change(change, EditKind.PROMPT, "it.vpn", session=session) is None
        with pytest.raises(NotFound):
            kept.drafts.open_change(ADA, change, purpose=PURPOSE, session=session)


def test_an_error_of_the_caller_takes_the_edit_back_with_everything_else(world):
    drafts = ChangeDrafts(world.desk, world.changes)
    before = len(world.actions())

    def fail() -> None:
        with world.database.writing() as session:
            change = drafts.open_change(ADA, None, purpose=PURPOSE, session=session)
            drafts.add_edit(ADA, change, Edit(EditKind.PROMPT, "it.new", {}), session=session)
            raise InvalidContent("the caller's own")

    with pytest.raises(InvalidContent):
        fail()
    assert world.changes.page(ADA).changes == ()
    assert len(world.actions()) == before


def test_rules_of_changes_hold_for_what_is_drafted(world):
    drafts = ChangeDrafts(world.desk, world.changes)
    bound = person("bea", Role.EDITOR, assistants=("shop",))
    abroad = person("ari", Role.EDITOR, areas=("hr",))
    with world.database.writing() as session:
        with pytest.raises(Refused):
            drafts.open_change(person("vic", Role.VIEWER), None, purpose=PURPOSE, session=session)
        change = drafts.open_change(abroad, None, purpose=PURPOSE, session=session)
        with pytest.raises(Refused):
            drafts.add_edit(abroad, change, Edit(EditKind.PROMPT, "it.new", {}), session=session)
    with world.database.writing() as session:
        assert drafts.live(bound, EditKind.PROMPT, "it.vpn", session=session) is None, "nobody drafts over it unseen"
        change = drafts.open_change(bound, None, purpose=PURPOSE, session=session)
        with pytest.raises(NotFound):
            drafts.add_edit(bound, change, Edit(EditKind.PROMPT, "it.new", {}), session=session)
    drafted = world.drafted(EDDA, ChangeEdit(ChangeKind.PROMPT, "it.other", {}))
    with world.database.writing() as session, pytest.raises(NotFound):
        drafts.open_change(bound, str(drafted.id), purpose=PURPOSE, session=session)
