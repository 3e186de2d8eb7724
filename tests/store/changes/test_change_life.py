"""A change goes from draft to people on one way, and nothing of it is lost on it."""

import datetime as dt

import pytest

from store.changes import publishing
from store.changes.documents import hash_of, plain_document
from store.changes.types import ChangeState, Edit, EditKind, Item
from store.errors import Conflict, InvalidContent, NotFound, Refused, StoreUnavailable
from store.people import Role
from store.repositories.revisions import Revisions
from tests.store.changes.change_world import ADA, BOB, CORA, EDDA, ROOT, person
from tests.store.store_content import assistant, prompt

VPN = Item(EditKind.PROMPT, "it.vpn")


def test_an_approved_change_is_one_revision_with_everything_in_it(world):
    desk = Item(EditKind.ASSISTANT, "desk")
    live = world.live(desk)
    suite = {
        "name": "small",
        "title": "Small",
        "cases": [{"id": "a", "kind": "honest", "message": "x", "expect": "refuse"}],
    }
    done = world.published(
        ADA,
        world.edit(title="Changed"),
        world.edit("it.mail"),
        Edit(EditKind.ASSISTANT, "desk", live | {"greeting": "Good day"}, hash_of(live)),
        Edit(EditKind.SUITE, "small", suite),
        Edit(EditKind.POLICY, "more", {"name": "more", "input": []}),
    )
    catalog = world.catalog()
    assert (done.state, done.published_revision, catalog.revision) == (ChangeState.LIVE, 2, 2)
    assert catalog.prompts["it.vpn"].content.title == "Changed"
    assert catalog.prompts["it.mail"].number == 1
    assert catalog.assistants["desk"].greeting == "Good day"
    assert catalog.suites == {"small": suite}
    assert set(catalog.policies) == {"plain", "more"}
    assert world.actions()[-4:] == ["change.edited", "change.submitted", "change.approved", "change.published"]


def test_a_removal_takes_a_document_away_and_its_revert_brings_it_back(world):
    world.published(ADA, world.edit("it.mail"))
    gone = world.published(
        ADA, Edit(EditKind.PROMPT, "it.mail", None, hash_of(world.live(Item(EditKind.PROMPT, "it.mail"))))
    )
    assert set(world.catalog().prompts) == {"it.vpn"}
    back = world.rebasing.revert(EDDA, gone.id)
    assert back.reverts == gone.id
    back = world.reviews.submit(EDDA, back.id, rev=back.rev)
    world.passed(back)
    back = world.reviews.approve(BOB, back.id, rev=back.rev)
    back = world.publishing.publish(BOB, back.id, rev=back.rev)
    assert set(world.catalog().prompts) == {"it.vpn", "it.mail"}
    assert world.changes.get(ADA, gone.id).change.state is ChangeState.SUPERSEDED


def test_an_edit_after_approval_takes_the_approval_away(world):
    change = world.approved()
    edited = world.changes.add_edit(
        ADA, change.id, Edit(*VPN, change.edits[0].document | {"title": "Other"}, change.edits[0].base), rev=change.rev
    )
    assert (edited.state, edited.approved_by, edited.approved_hash) == (ChangeState.DRAFT, None, None)
    with pytest.raises(Conflict):
        world.publishing.publish(BOB, edited.id, rev=edited.rev)


def test_evidence_of_another_content_or_another_live_revision_does_not_count(world):
    change = world.submitted()
    with pytest.raises(Conflict, match="has not run"):
        world.reviews.approve(BOB, change.id, rev=change.rev)
    world.passed(change)
    other = world.published(EDDA, world.edit("it.mail"))
    assert other.state is ChangeState.LIVE
    with pytest.raises(Conflict, match="revision 1, and revision 2 is live"):
        world.reviews.approve(BOB, change.id, rev=change.rev)
    edited = world.changes.describe(ADA, change.id, title="x", note="y", rev=change.rev)
    edited = world.changes.add_edit(ADA, change.id, world.edit(title="Yet another"), rev=edited.rev)
    edited = world.reviews.submit(ADA, change.id, rev=edited.rev)
    with pytest.raises(Conflict, match="has not run"):
        world.reviews.approve(BOB, change.id, rev=edited.rev)


def test_a_gate_that_found_something_blocks_approval_and_publishing(world):
    change = world.submitted()
    world.passed(change, "suite small: case a was right and is not any more")
    with pytest.raises(Conflict, match="failed"):
        world.reviews.approve(BOB, change.id, rev=change.rev)
    change = world.approved(EDDA)
    world.passed(change, "it broke afterwards")
    with pytest.raises(Conflict, match="failed"):
        world.publishing.publish(BOB, change.id, rev=change.rev)
    assert world.catalog().revision == 1


def test_a_change_whose_live_document_moved_is_stopped_until_it_is_rebased(world):
    change = world.submitted(ADA, world.edit(title="Mine", owner="Network"))
    world.published(EDDA, world.edit(title="Theirs", phrasings=["tell me about it.vpn", "vpn please"]))
    with pytest.raises(Conflict, match="moved") as caught:
        world.reviews.approve(BOB, change.id, rev=change.rev)
    (told,) = caught.value.found["items"]
    assert [told[side]["title"] for side in ("base", "live", "draft")] == ["About it.vpn", "Theirs", "Mine"]
    with pytest.raises(Conflict, match="Choose") as caught:
        world.rebasing.rebase(ADA, change.id, rev=change.rev)
    (told,) = caught.value.found["items"]
    assert [one["field"] for one in told["conflicts"]] == ["title"]
    rebased = world.rebasing.rebase(ADA, change.id, rev=change.rev, chosen={VPN: told["merged"]})
    (edit,) = rebased.edits
    assert (edit.document["title"], edit.document["owner"]) == ("Mine", "Network")
    assert edit.document["phrasings"] == ["tell me about it.vpn", "vpn please"]
    assert rebased.state is ChangeState.DRAFT
    assert world.changes.moved(rebased) == ()


def test_a_draft_of_what_moved_meanwhile_is_told_with_both_texts(world):
    stale = world.edit(title="Mine")
    world.published(EDDA, world.edit(title="Theirs"))
    made = world.changes.create(ADA, "late")
    with pytest.raises(Conflict) as caught:
        world.changes.add_edit(ADA, made.id, stale, rev=made.rev)
    (told,) = caught.value.found["items"]
    assert (told["live"]["title"], told["draft"]["title"]) == ("Theirs", "Mine")


def test_a_write_from_an_old_state_is_refused_with_what_is_there_and_what_was_sent(world):
    change = world.drafted()
    world.changes.add_edit(EDDA, change.id, world.edit(title="Second"), rev=change.rev)
    with pytest.raises(Conflict) as caught:
        world.changes.add_edit(ADA, change.id, world.edit(title="Third"), rev=change.rev)
    (told,) = caught.value.found["items"]
    assert (told["stored"]["title"], told["draft"]["title"]) == ("Second", "Third")
    assert world.changes.get(ADA, change.id).change.edits[0].document["title"] == "Second"


def test_a_due_change_is_published_once_and_for_its_approver(world):
    change = world.approved()
    at = world.moment + dt.timedelta(hours=1)
    change = world.publishing.schedule(BOB, change.id, at, rev=change.rev)
    assert world.publishing.due() == ()
    world.moment = at
    (due,) = world.publishing.due()
    done = world.publishing.publish_due(due)
    assert (done.state, done.published_by) == (ChangeState.LIVE, BOB.person)
    with pytest.raises(Conflict):
        world.publishing.publish_due(due)
    assert world.catalog().revision == 2
    assert world.actions().count("change.published") == 1


@pytest.mark.parametrize("why", ["moved", "former", "gate"])
def test_a_due_change_that_may_not_go_live_any_more_stays_approved_and_says_why(world, why):
    change = world.approved()
    at = world.moment + dt.timedelta(hours=1)
    change = world.publishing.schedule(CORA, change.id, at, rev=change.rev)
    if why == "moved":
        world.published(EDDA, world.edit(title="Theirs"))
    elif why == "former":
        world.former.add(BOB.person)
    else:
        world.passed(change, "worse")
    before = world.catalog().revision
    world.moment = at
    (due,) = world.publishing.due()
    told = world.publishing.publish_due(due)
    assert told.state is ChangeState.APPROVED
    assert told.publish_at is None
    assert told.schedule_problem
    assert world.catalog().revision == before
    assert world.publishing.due() == ()


def test_a_due_change_keeps_its_time_while_the_database_is_away(world, monkeypatch):
    change = world.approved()
    at = world.moment + dt.timedelta(hours=1)
    world.publishing.schedule(BOB, change.id, at, rev=change.rev)
    world.moment = at
    (due,) = world.publishing.due()

    def away(_):
        raise StoreUnavailable("the database is locked")

    with monkeypatch.context() as outage:
        outage.setattr(publishing, "load_catalog", away)
        with pytest.raises(StoreUnavailable):
            world.publishing.publish_due(due)
    (again,) = world.publishing.due()
    assert again.publish_at == at
    assert world.publishing.publish_due(again).state is ChangeState.LIVE


def test_an_emergency_is_flagged_on_change_and_revision_and_audited(world):
    change = world.drafted()
    with pytest.raises(Refused, match="Say why"):
        world.publishing.publish_in_emergency(ROOT, change.id, " ", rev=change.rev)
    done = world.publishing.publish_in_emergency(ROOT, change.id, "the old text is wrong", rev=change.rev)
    assert done.is_emergency
    assert world.desk.live_revision() == 2
    said = Revisions(world.database).get(2).said
    assert (said.change, said.is_emergency) == (change.id, True)
    last = list(world.audit.entries())[-1]
    assert (last.action, last.details["is_emergency"]) == ("change.published", True)


def test_an_emergency_does_not_publish_what_cannot_be_served(world):
    change = world.drafted()
    world.unservable.append("policy plain: it does not compile")
    with pytest.raises(InvalidContent, match="does not compile"):
        world.publishing.publish_in_emergency(ROOT, change.id, "now", rev=change.rev)
    assert world.catalog().revision == 1


def test_what_is_wrong_with_a_draft_is_said_when_it_is_submitted_and_not_before(world):
    broken = Edit(EditKind.PROMPT, "it.mail", {"key": "it.mail", "title": "Mail"})
    unsaid = world.drafted(ADA, note="")
    with pytest.raises(InvalidContent, match="note: say why"):
        world.reviews.submit(ADA, unsaid.id, rev=unsaid.rev)
    change = world.drafted(ADA, broken)
    with pytest.raises(InvalidContent, match=r"prompt it\.mail: "):
        world.reviews.submit(ADA, change.id, rev=change.rev)
    twice = world.drafted(ADA, world.edit("it.mail", phrasings=["tell me about it.vpn"]))
    with pytest.raises(InvalidContent, match=r"is a phrasing of prompt it\.vpn already"):
        world.reviews.submit(ADA, twice.id, rev=twice.rev)


def test_another_tenants_changes_are_not_there(world):
    mine = assistant("hr-desk", areas=("hr",))
    world.publish_first(prompt("it.vpn"), prompt("hr.leave"), assistants=(assistant(), mine))
    change = world.drafted()
    theirs = person("tess", Role.EDITOR, assistants=("hr-desk",))
    with pytest.raises(NotFound):
        world.changes.get(theirs, change.id)
    with pytest.raises(NotFound):
        world.changes.comment(theirs, change.id, "hello")
    assert world.changes.page(theirs).changes == ()
    own = world.changes.create(theirs, "own")
    with pytest.raises(NotFound):
        world.changes.add_edit(theirs, own.id, world.edit(title="stolen"), rev=own.rev)
    own = world.changes.add_edit(theirs, own.id, world.edit("hr.leave", title="Leave"), rev=own.rev)
    assert [one.id for one in world.changes.page(theirs).changes] == [own.id]


def test_pages_of_changes_follow_one_another(world):
    made = [world.changes.create(ADA, f"number {n}").id for n in range(5)]
    first = world.changes.page(ADA, limit=2)
    second = world.changes.page(ADA, limit=2, after=first.next)
    third = world.changes.page(ADA, limit=2, after=second.next)
    assert [one.id for page in (first, second, third) for one in page.changes] == made[::-1]
    assert third.next is None


def test_a_role_must_hold_wherever_the_change_reaches(world):
    world.publish_first(prompt("it.vpn"), prompt("hr.leave"), assistants=(assistant(areas=("it", "hr")),))
    change = world.submitted(ADA, world.edit(title="x"), world.edit("hr.leave", title="y"))
    world.passed(change)
    for areas in (("it",), ("hr",)):
        with pytest.raises(Refused):
            world.reviews.approve(person("half", Role.APPROVER, areas=areas), change.id, rev=change.rev)
    assert world.reviews.approve(person("both", Role.APPROVER, areas=("it", "hr")), change.id, rev=change.rev)


def test_a_weaker_policy_and_quoted_text_are_approved_by_an_admin(world):
    live = world.live(Item(EditKind.POLICY, "plain"))
    change = world.submitted(ADA, Edit(EditKind.POLICY, "plain", live | {"limit": 0.4}, hash_of(live)))
    world.passed(change)
    with pytest.raises(Refused, match="admin"):
        world.reviews.approve(BOB, change.id, rev=change.rev)
    assert world.reviews.approve(person("both", Role.APPROVER, Role.ADMIN), change.id, rev=change.rev)
    slots = [{"type": "quoted_text", "name": "ticket", "ask": "Which?"}]
    reply = {"mode": "generate", "prompt": "Sum up {ticket}", "facts": "It works.", "fallback": "It works."}
    change = world.submitted(ADA, world.edit(slots=slots, reply=reply))
    world.passed(change)
    with pytest.raises(Refused, match="admin"):
        world.reviews.approve(BOB, change.id, rev=change.rev)


def test_documents_have_the_hash_that_is_live_for_them(world):
    assert hash_of(plain_document(prompt())) == world.catalog().prompts["it.vpn"].sha256


@pytest.mark.parametrize(
    ("field", "needs_admin"),
    [
        ({"policy": "other"}, True),
        ({"areas": ["it", "hr"]}, True),
        ({"match": {"false_match_rate": 0.05}}, True),
        ({"match": {"false_match_rate": 0.005}}, False),
        ({"match": {"false_match_rate": "much"}}, True),
        ({"keeps_text": "redacted"}, True),
        ({"keeps_text": "off"}, False),
        ({"retention_days": 366}, True),
        ({"retention_days": 30}, False),
        ({"title": "Desk of everybody"}, False),
    ],
)
def test_what_loosens_an_assistant_needs_an_admin(world, field, needs_admin):
    world.publish_first(prompt("it.vpn"))
    item = Item(EditKind.ASSISTANT, "desk")
    live = world.live(item)
    edit = Edit(EditKind.ASSISTANT, "desk", live | field, hash_of(live))
    touched = world.desk.touched(world.drafted(ADA, edit).edits, world.desk.live.ground())
    assert touched.needs_admin is needs_admin


def test_a_tenant_gives_its_assistant_no_areas_of_others_and_sees_no_change_that_does(world):
    world.publish_first(prompt("it.vpn"))
    item = Item(EditKind.ASSISTANT, "desk")
    live = world.live(item)
    wider = Edit(EditKind.ASSISTANT, "desk", live | {"areas": [*live["areas"], "secret"]}, hash_of(live))
    bound = person("tess", Role.EDITOR, Role.APPROVER, Role.ADMIN, assistants=("desk",))
    with pytest.raises(InvalidContent, match="areas: secret is not of your own assistants"):
        world.drafted(bound, wider)
    made = world.drafted(ROOT, wider)
    with pytest.raises(NotFound):
        world.changes.get(bound, made.id)
    assert made.id not in {one.id for one in world.changes.page(bound).changes}
    assert world.drafted(bound, Edit(EditKind.ASSISTANT, "desk", live | {"title": "Other"}, hash_of(live))).edits


def test_a_time_at_the_end_of_the_calendar_is_refused(world):
    world.publish_first(prompt("it.vpn"))
    made = world.approved()
    west = dt.timezone(dt.timedelta(hours=-14))
    with pytest.raises(InvalidContent, match="publish_at"):
        world.publishing.schedule(BOB, made.id, dt.datetime(9999, 12, 31, 23, tzinfo=west), rev=made.rev)


@pytest.mark.parametrize(("area", "needs_admin"), [("it", True), ("lab", False)])
def test_a_further_assistant_over_what_another_one_serves_is_approved_by_an_admin(world, area, needs_admin):
    world.publish_first(prompt("it.vpn"), prompt("lab.key"))
    document = plain_document(assistant("second", areas=(area,)))
    change = world.submitted(ADA, Edit(EditKind.ASSISTANT, "second", document, hash_of(None)))
    world.passed(change)
    if needs_admin:
        with pytest.raises(Refused, match="admin"):
            world.reviews.approve(BOB, change.id, rev=change.rev)
    admin = person("both", Role.APPROVER, Role.ADMIN)
    assert world.reviews.approve(admin if needs_admin else BOB, change.id, rev=change.rev)
