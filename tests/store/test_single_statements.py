"""Statements that are a transaction by themselves: questions of the widget are written by them."""

import dataclasses
import datetime as dt
import threading

import pytest
from sqlalchemy import text

from store.database import Database, open_database
from store.errors import Conflict, StoreUnavailable
from store.repositories.widget_turns import WidgetTurn, WidgetTurns
from tests.migrated import migrate_new

AT = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)
TURN = WidgetTurn(
    holder="ada", key="one", conversation="c", person="p", fingerprint=b"f", message=b"sealed 1", at=AT, ended=None
)
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def again(turn: WidgetTurn = TURN, **changes: object) -> WidgetTurn:
    return dataclasses.replace(turn, **changes)


def test_a_key_is_used_once_and_the_same_try_twice_does_no_harm(database: Database) -> None:
    turns = WidgetTurns(database)
    turns.add(TURN)
    turns.add(TURN)
    with pytest.raises(Conflict):
        turns.add(again(message=b"sealed 2"))
    assert turns.find(("ada", "one")) == TURN
    assert turns.find(("bob", "one")) is None


def test_a_question_that_may_come_again_gives_way_to_the_next_with_its_key(database: Database) -> None:
    turns = WidgetTurns(database)
    turns.add(TURN)
    turns.add(again(key="two", message=b"sealed 2"))
    turns.end(("ada", "one"), b"over", may_come_again=True)
    turns.add(again(message=b"sealed 3"))
    assert turns.find(("ada", "one")) == again(message=b"sealed 3")
    assert [one.key for one in turns.said("ada", "c", most=10)] == ["two", "one"], "it is now the last that was asked"


def test_what_was_said_is_told_in_order_and_to_its_holder(database: Database) -> None:
    turns = WidgetTurns(database)
    for number in range(5):
        turns.add(again(key=f"k{number}", message=f"sealed {number}".encode()))
    turns.add(again(holder="bob", message=b"sealed b"))
    turns.stop(("ada", "k1"))
    assert [one.key for one in turns.said("ada", "c", most=3)] == ["k2", "k3", "k4"]
    assert (turns.knows("ada", "c"), turns.knows("ada", "d"), turns.knows("eve", "c")) == (True, False, False)
    assert turns.wanted([("ada", "k1"), ("ada", "k2"), ("ada", "gone")]) == {("ada", "k2")}
    turns.take_back(("ada", "k2"))
    turns.expire(before=AT)
    turns.forget("bob", "c")
    assert [one.key for one in turns.said("ada", "c", most=9)] == ["k0", "k1", "k3", "k4"]
    assert not turns.knows("bob", "c")
    turns.expire(before=AT + dt.timedelta(seconds=1))
    assert not turns.knows("ada", "c")


def test_a_conversation_goes_as_a_whole_after_its_last_question(database: Database) -> None:
    turns, minute = WidgetTurns(database), dt.timedelta(minutes=1)
    turns.add(TURN)
    turns.add(again(key="two", at=AT + 20 * minute))
    turns.add(again(key="three", conversation="d"))
    turns.add(again(holder="bob"))
    turns.expire(before=AT + 5 * minute)
    assert [one.key for one in turns.said("ada", "c", most=9)] == ["one", "two"]
    assert (turns.knows("ada", "d"), turns.knows("bob", "c")) == (False, False)
    turns.expire(before=AT + 21 * minute)
    assert not turns.knows("ada", "c")


def test_questions_of_many_threads_are_all_there(database: Database) -> None:
    turns = WidgetTurns(database)

    def ask(who: int) -> None:
        for number in range(10):
            turns.add(again(holder=f"h{who}", key=f"k{number}", message=f"{who} {number}".encode()))

    threads = [threading.Thread(target=ask, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(turns.said(f"h{who}", "c", most=20)) for who in range(6)] == [10] * 6


@pytest.mark.postgres
def test_a_kept_connection_that_the_server_ended_is_not_noticed(postgres_server) -> None:
    url = postgres_server()
    migrate_new(url)
    database, other = open_database(url), open_database(url)
    turns = WidgetTurns(database)
    turns.add(TURN)
    with other.writing() as session:
        assert session.execute(text(f"SELECT count(pg_terminate_backend(pid)) {OTHERS}")).scalar_one()
    turns.end(("ada", "one"), b"over", may_come_again=False)
    assert turns.find(("ada", "one")) == again(ended=b"over")
    database.close()
    with other.reading() as session:
        assert session.execute(text(f"SELECT count(*) {OTHERS}")).scalar_one() == 0, "nothing stays open"
    other.close()


@pytest.mark.postgres
def test_only_these_do_not_wait_for_the_disk(postgres_server) -> None:
    database = open_database(postgres_server())
    ((here,),) = database.run_alone(text("SHOW synchronous_commit"))
    with database.writing(waits_for_disk=False) as session:
        elsewhere = session.execute(text("SHOW synchronous_commit")).scalar_one()
    assert (here, elsewhere) == ("off", "on")
    with pytest.raises(StoreUnavailable):
        database.run_alone(text("SELECT no_such_column FROM nowhere"))
    assert database.run_alone(text("SELECT 1")) == [(1,)]
    database.close()
