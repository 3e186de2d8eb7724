import dataclasses
import datetime as dt

import pytest
import sqlalchemy
from queue_parts import AT, BOUNDS, NOW, Queue, editor, noted

from store.database import Database
from store.errors import InvalidContent, NotFound
from store.review.purging import forget_decisions
from store.review.types import QuestionState, Reason, Tally, Wanted

DAY = AT.date()


def test_the_same_words_count_up_and_are_one_question(database: Database) -> None:
    queue = Queue(database)
    queue.intake.take(
        [
            noted("d1", "Where is the gym?"),
            noted("d2", "where is  the GYM", at=AT + dt.timedelta(minutes=1), reason=Reason.CLARIFY, score=0.4),
            noted("d3", "Where is the pool?", at=AT + dt.timedelta(minutes=2)),
        ]
    )
    pool, gym = queue.all()
    assert (pool.text, pool.count) == ("Where is the pool?", 1)
    assert (gym.text, gym.count, gym.reasons) == ("Where is the gym?", 2, {"no_match": 1, "clarify": 1})
    assert (gym.first_seen, gym.last_seen) == (AT, AT + dt.timedelta(minutes=1))
    assert (gym.last_decision, gym.score) == ("d2", 0.4)
    figures = queue.intake.figures([], since=DAY)
    assert figures == {"new": 2, "again": 1, "over_bound": 0, "unreadable": 0, "lost": 0}


def test_a_decision_that_is_told_twice_counts_once_for_each_reason(database: Database) -> None:
    queue = Queue(database)
    told = [noted("d1", "Where is the gym?"), noted("d1", "Where is the gym?", reason=Reason.THUMBS_DOWN)]
    queue.intake.take(told)
    queue.intake.take(told)
    (gym,) = queue.all()
    assert gym.count == 2


def test_a_batch_takes_hardly_more_statements_than_one_message(database: Database) -> None:
    queue, said = Queue(database), []
    queue.take("a question of before")

    def remember(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    sqlalchemy.event.listen(database._engine, "before_cursor_execute", remember)
    queue.intake.take([noted("one", "Where is the gym?")])
    alone, said[:] = len(said), []
    queue.intake.take([noted(f"many {number}", f"Where is room {number % 60}?") for number in range(100)])
    assert 0 < len(said) <= alone + 2
    figures = queue.intake.figures([], since=DAY)
    assert (figures["new"], figures["again"]) == (62, 40)


def test_what_cannot_be_redacted_is_only_counted(database: Database) -> None:
    queue = Queue(database)
    queue.intake.take([noted("d1", None), noted("d2", " ?! ")], lost={(DAY, "desk"): 3})
    assert queue.all() == []
    figures = queue.intake.figures(["desk"], since=DAY)
    assert (figures["unreadable"], figures["lost"]) == (2, 3)
    assert queue.intake.figures(["other"], since=DAY) == dict.fromkeys(Tally, 0)
    assert queue.intake.figures(["desk"], since=DAY + dt.timedelta(days=1)) == dict.fromkeys(Tally, 0)


def test_a_day_brings_only_so_many_new_questions_and_old_ones_still_count_up(database: Database) -> None:
    queue = Queue(database, dataclasses.replace(BOUNDS, new_per_day=2))
    queue.take("one", "two", "three")
    queue.intake.take([noted("again", "one"), noted("elsewhere", "three", assistant="other")])
    queue.intake.take([noted("tomorrow", "three", at=AT + dt.timedelta(days=1))])
    assert sorted((one.text, one.count) for one in queue.all()) == [("one", 2), ("three", 1), ("three", 1), ("two", 1)]
    assert queue.intake.figures(["desk"], since=DAY)["over_bound"] == 1


def test_a_full_queue_takes_no_new_question(database: Database) -> None:
    queue = Queue(database, dataclasses.replace(BOUNDS, questions=1))
    queue.take("one", "two", "one")
    assert [one.text for one in queue.all()] == ["one"]


def test_what_was_not_seen_for_long_goes_with_its_cluster(database: Database) -> None:
    queue = Queue(database)
    queue.take("Where is the gym?")
    queue.intake.take([noted("late", "Where is the pool?", at=AT + dt.timedelta(days=20))])
    queue.clusters.place_some(NOW)
    assert queue.intake.forget_old(AT + dt.timedelta(days=29)) == 0
    assert queue.intake.forget_old(AT + dt.timedelta(days=31)) == 1
    (left,) = queue.all()
    assert left.text == "Where is the pool?"
    assert queue.intake.forget_old(AT + dt.timedelta(days=60)) == 1
    page = queue.reading.clusters(editor(), Wanted(state=None), least=1, now=NOW)
    assert page.items == ()


def test_nobody_sees_the_questions_of_another_tenant(database: Database) -> None:
    queue = Queue(database)
    queue.take("Where is the gym?")
    queue.take("Where is the pool?", assistant="other")
    (theirs,) = queue.all(editor("bob", "other"))
    assert theirs.assistant == "other"
    assert queue.reading.question(editor("bob", "other"), theirs.id, now=NOW) == theirs
    with pytest.raises(NotFound):
        queue.reading.question(editor("eve", "desk"), theirs.id, now=NOW)
    assert queue.all(editor("eve", "desk"), Wanted(assistant="other")) == []


def test_lists_filter_by_reason_text_and_state(database: Database) -> None:
    queue = Queue(database)
    queue.intake.take(
        [
            noted("d1", "Where is the GYM_1?"),
            noted("d2", "Where is the pool?", reason=Reason.BLOCKED),
            noted("d3", "Where is the gymX1?"),
        ]
    )
    assert [one.text for one in queue.all(wanted=Wanted(reason=Reason.BLOCKED))] == ["Where is the pool?"]
    assert [one.text for one in queue.all(wanted=Wanted(text="gym_1"))] == ["Where is the GYM_1?"]
    assert queue.all(wanted=Wanted(state=QuestionState.DISCARDED)) == []
    with pytest.raises(InvalidContent):
        queue.reading.questions(editor(), Wanted(), now=NOW, after="x")


def forget(database: Database, *decisions: str) -> int:
    with database.writing() as session:
        return forget_decisions(database, decisions, session)


def test_a_purge_takes_back_what_somebody_asked_and_leaves_what_others_asked_too(database: Database) -> None:
    queue = Queue(database)
    queue.intake.take(
        [noted("mine-1", "Where is the gym?"), noted("theirs", "Where is the gym?"), noted("mine-2", "I am Jo Miller")]
    )
    queue.clusters.place_some(NOW)
    assert forget(database, "mine-1", "mine-2", "unknown") == 1
    (left,) = queue.all()
    assert (left.text, left.count, left.reasons) == ("Where is the gym?", 1, {"no_match": 1})
    assert len(queue.reading.clusters(editor(), Wanted(state=None), least=1, now=NOW).items) == 1
    assert forget(database, "theirs") == 1
    assert queue.all() == []


def test_a_purge_leaves_no_words_of_which_nobody_else_is_known(database: Database) -> None:
    queue = Queue(database)
    days = [AT + dt.timedelta(days=number) for number in (0, 29)]
    queue.intake.take([noted("long-ago", "I am Jo Miller"), noted("mine", "I am Jo Miller", at=days[1])])
    queue.intake.take([noted("before", "Where is the gym?"), noted("after", "Where is the gym?", at=days[1])])
    assert forget(database, "after") == 0
    assert queue.intake.forget_old(AT + dt.timedelta(days=31)) == 0
    (left,) = queue.all()
    assert (left.text, left.count) == ("I am Jo Miller", 2), "of the gym no decision is known that a purge could name"
    assert forget(database, "mine") == 1
    assert queue.all() == []
