import datetime as dt

import msgspec
import pytest
from queue_parts import NOW, VPN, Queue, editor, noted

from store.database import Database
from store.errors import Conflict, InvalidContent, NotFound
from store.formats.suite import Suite
from store.plain import canonical_hash, to_plain
from store.review.actions import AddCounterexample, AddPhrasing, Discard, Merge, NewPrompt, OutOfScope, Snooze
from store.review.drafts import Edit, EditKind
from store.review.types import QuestionState, Reason, Target, Wanted

ADA = editor()
FIRST = VPN.phrasings[0]
NEW = NewPrompt("it.gym", "The gym", "it", "Desk", "en", dt.date(2027, 6, 30))


def test_questions_become_phrasings_in_one_edit_and_an_undo_takes_it_out(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how", "vpn where")
    targets = [queue.target("vpn how"), queue.target("vpn where")]
    done = queue.acting.act(ADA, AddPhrasing("it.vpn"), targets, now=NOW)
    assert done.added == ("vpn how", "vpn where")
    assert queue.document(done.change)["phrasings"] == [FIRST, "vpn how", "vpn where"]
    assert queue.drafts.changes[done.change][EditKind.PROMPT, "it.vpn"].base == canonical_hash(VPN)
    assert {one.state for one in queue.all()} == {QuestionState.DRAFTED}
    undone = queue.acting.undo(ADA, done.id, now=NOW)
    assert undone.undone_at == NOW
    assert undone.edit_stays_in is None
    assert queue.drafts.changes[done.change] == {}
    assert {one.state for one in queue.all()} == {QuestionState.OPEN}
    assert [entry.action for entry in queue.audit.entries()] == ["question_action.done", "question_action.undone"]
    with pytest.raises(Conflict):
        queue.acting.undo(ADA, done.id, now=NOW)


def test_an_undo_leaves_what_others_added_to_the_same_prompt(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how", "vpn where", "vpn never")
    first = queue.acting.act(ADA, AddPhrasing("it.vpn"), [queue.target("vpn how")], now=NOW)
    queue.acting.act(ADA, AddPhrasing("it.vpn", "Where is the VPN?"), [queue.target("vpn where")], now=NOW)
    queue.acting.act(ADA, AddCounterexample("it.vpn"), [queue.target("vpn never")], now=NOW)
    queue.acting.undo(ADA, first.id, now=NOW)
    document = queue.document(first.change)
    assert document["phrasings"] == [FIRST, "Where is the VPN?"]
    assert document["counterexamples"] == ["vpn never"]


def test_an_edit_that_was_submitted_stays_and_the_undo_says_where(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    done = queue.acting.act(ADA, AddPhrasing("it.vpn"), [queue.target("vpn how")], now=NOW)
    queue.drafts.submitted.add(done.change)
    undone = queue.acting.undo(ADA, done.id, now=NOW)
    assert undone.edit_stays_in == done.change
    assert queue.document(done.change)["phrasings"] == [FIRST, "vpn how"]
    assert queue.all()[0].state is QuestionState.OPEN


def test_a_new_prompt_is_begun_from_questions_and_kept_when_somebody_went_on_with_it(database: Database) -> None:
    queue = Queue(database)
    queue.take("gym hours", "is there a gym")
    done = queue.acting.act(ADA, NEW, [queue.target("gym hours"), queue.target("is there a gym")], now=NOW)
    document = queue.document(done.change, "it.gym")
    assert document["phrasings"] == ["gym hours", "is there a gym"]
    assert document["reply"] == {"mode": "verbatim", "answer": ""}
    written = {**document, "reply": {"mode": "verbatim", "answer": "In the cellar."}}
    with database.writing() as session:
        edit = Edit(EditKind.PROMPT, "it.gym", written)
        queue.drafts.add_edit(ADA, done.change, edit, session=session)
    assert queue.acting.undo(ADA, done.id, now=NOW).edit_stays_in == done.change
    assert queue.document(done.change, "it.gym") == written
    with pytest.raises(Conflict, match="already"):
        queue.acting.act(ADA, NEW, [queue.target("gym hours")], now=NOW)


def test_an_untouched_new_prompt_goes_with_the_undo(database: Database) -> None:
    queue = Queue(database)
    queue.take("gym hours")
    done = queue.acting.act(ADA, NEW, [queue.target("gym hours")], now=NOW)
    assert queue.acting.undo(ADA, done.id, now=NOW).edit_stays_in is None
    assert queue.drafts.changes[done.change] == {}


def test_what_is_out_of_scope_becomes_a_case_that_must_be_refused(database: Database) -> None:
    queue = Queue(database)
    queue.take("sing a song")
    done = queue.acting.act(ADA, OutOfScope(), [queue.target("sing a song")], now=NOW)
    document = queue.document(done.change, "desk-out-of-scope", EditKind.SUITE)
    assert [(case["message"], case["expect"]) for case in document["cases"]] == [("sing a song", "refuse")]
    queue.acting.undo(ADA, done.id, now=NOW)
    assert queue.drafts.changes[done.change] == {}


def test_a_test_set_takes_no_questions_of_another_assistant(database: Database) -> None:
    queue = Queue(database)
    queue.take("sing a song", "juggle")
    queue.take("tell a joke", assistant="shop")
    done = queue.acting.act(ADA, OutOfScope("silly"), [queue.target("sing a song")], now=NOW)
    of_desk, of_shop = queue.target("juggle"), queue.target("tell a joke")
    for refused in ([of_shop], [of_desk, of_shop]):
        with pytest.raises(InvalidContent, match="assistant"):
            queue.acting.act(ADA, OutOfScope("silly"), refused, now=NOW)
    document = queue.document(done.change, "silly", EditKind.SUITE)
    assert [case["message"] for case in document["cases"]] == ["sing a song"]


def test_assistants_whose_long_names_begin_alike_have_test_sets_of_their_own(database: Database) -> None:
    queue = Queue(database)
    names = [f"the-assistant-of-the-department-{number}" for number in (1, 2)]
    for name in names:
        queue.take(name[-1], assistant=name)
        queue.acting.act(ADA, OutOfScope(), [queue.target(name[-1])], now=NOW)
    (edits,) = queue.drafts.changes.values()
    suites = [msgspec.convert(edit.document, Suite) for edit in edits.values()]
    assert sorted((one.assistant, len(one.cases)) for one in suites) == [(name, 1) for name in names]


def test_a_snoozed_question_is_open_again_at_its_time(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    until = NOW + dt.timedelta(days=30)
    done = queue.acting.act(ADA, Snooze(until), [queue.target("vpn how")], now=NOW)
    assert queue.all(wanted=Wanted()) == []
    (again,) = queue.all(wanted=Wanted(), now=until)
    assert again.state is QuestionState.OPEN
    queue.acting.undo(ADA, done.id, now=NOW)
    assert len(queue.all(wanted=Wanted())) == 1
    with pytest.raises(InvalidContent):
        queue.acting.act(ADA, Snooze(NOW), [queue.target("vpn how")], now=NOW)


def test_one_question_that_changed_keeps_the_others_as_they_were(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how", "vpn where")
    stale = queue.target("vpn how")
    queue.acting.act(ADA, Discard(), [stale], now=NOW)
    with pytest.raises(Conflict, match="Read them again"):
        queue.acting.act(ADA, AddPhrasing("it.vpn"), [queue.target("vpn where"), stale], now=NOW)
    with pytest.raises(Conflict, match="already"):
        queue.acting.act(ADA, AddPhrasing("it.vpn"), [queue.target("vpn where"), queue.target("vpn how")], now=NOW)
    assert queue.drafts.changes == {}
    assert {one.text: one.state.value for one in queue.all()} == {"vpn how": "discarded", "vpn where": "open"}
    assert len(list(queue.audit.entries())) == 1


def test_a_count_that_goes_up_does_not_make_an_action_stale(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    target = queue.target("vpn how")
    queue.intake.take([noted("again", "vpn how", reason=Reason.THUMBS_DOWN)])
    queue.acting.act(ADA, Discard(), [target], now=NOW)
    assert [(one.count, one.state.value) for one in queue.all()] == [(2, "discarded")]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (AddPhrasing("it.unknown"), NotFound),
        (AddPhrasing("it.vpn", change="unknown"), NotFound),
        (AddCounterexample("it.vpn", FIRST), InvalidContent),
        (AddPhrasing("it.vpn", "When is {site} open?"), InvalidContent),
        (AddPhrasing("it.vpn", "x" * 201), InvalidContent),
    ],
)
def test_what_cannot_be_drafted_changes_nothing(database: Database, action: AddPhrasing, error: type) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    with pytest.raises(error):
        queue.acting.act(ADA, action, [queue.target("vpn how")], now=NOW)
    assert queue.all()[0].state is QuestionState.OPEN
    assert all(not edits for edits in queue.drafts.changes.values())
    assert list(queue.audit.entries()) == []


def test_another_tenants_question_or_action_is_not_there(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    eve = editor("eve", "other")
    target = queue.target("vpn how")
    with pytest.raises(NotFound):
        queue.acting.act(eve, Discard(), [target], now=NOW)
    done = queue.acting.act(ADA, Discard(), [target], now=NOW)
    with pytest.raises(NotFound):
        queue.acting.undo(eve, done.id, now=NOW)
    assert queue.acting.actions(eve).items == ()
    assert [one.id for one in queue.acting.actions(ADA).items] == [done.id]


def test_a_later_action_must_be_undone_before_an_earlier_one(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    first = queue.acting.act(ADA, Snooze(NOW + dt.timedelta(days=2)), [queue.target("vpn how")], now=NOW)
    second = queue.acting.act(ADA, Discard(), [queue.target("vpn how")], now=NOW)
    with pytest.raises(Conflict, match="since"):
        queue.acting.undo(ADA, first.id, now=NOW)
    queue.acting.undo(ADA, second.id, now=NOW)
    assert queue.all()[0].state is QuestionState.SNOOZED
    queue.acting.undo(ADA, first.id, now=NOW)
    assert queue.all()[0].state is QuestionState.OPEN


def test_actions_are_listed_page_by_page(database: Database) -> None:
    queue = Queue(database)
    queue.take("one", "two", "three")
    made = [queue.acting.act(ADA, Discard(), [queue.target(text)], now=NOW).id for text in ("one", "two", "three")]
    first = queue.acting.actions(ADA, limit=2)
    second = queue.acting.actions(ADA, after=first.next, limit=2)
    assert [one.id for one in (*first.items, *second.items)] == made[::-1]
    assert second.next is None


def test_clusters_are_merged_and_taken_apart_as_they_were(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn broken today", "vpn broken now today", "lunch menu friday", "bike parking place")
    queue.clusters.place_some(NOW)
    before = {one.text: one.cluster for one in queue.all()}
    assert before["vpn broken today"] == before["vpn broken now today"]
    into, source, other = (before[text] for text in ("vpn broken today", "lunch menu friday", "bike parking place"))
    done = queue.acting.act(ADA, Merge(Target(into, 1)), [Target(source, 1), Target(other, 1)], now=NOW)
    assert {one.cluster for one in queue.all()} == {into}
    found = queue.reading.cluster(ADA, into, Wanted(), now=NOW)
    assert (found.size, found.messages, found.rev, found.trend[-1]) == (4, 4, 2, 4)
    with pytest.raises(Conflict):
        queue.acting.act(ADA, Merge(Target(into, 1)), [Target(source, 2)], now=NOW)
    queue.acting.undo(ADA, done.id, now=NOW)
    assert {one.text: one.cluster for one in queue.all()} == before
    with pytest.raises(InvalidContent):
        queue.acting.act(ADA, Merge(Target(into, 3)), [Target(into, 3)], now=NOW)


def test_the_prompt_that_is_live_is_not_touched(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn how")
    queue.acting.act(ADA, AddPhrasing("it.vpn"), [queue.target("vpn how")], now=NOW)
    with database.reading() as session:
        assert queue.drafts.live(ADA, EditKind.PROMPT, "it.vpn", session=session).document == to_plain(VPN)
