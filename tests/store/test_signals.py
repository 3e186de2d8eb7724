"""Signals between gateways: a publish wakes the others, and exactly one leads."""

import datetime as dt
import threading
import time

import pytest
from sqlalchemy import text

from store.database import open_database
from store.repositories.revisions import Published, Revisions
from store.signals import CHANNEL, Lead, RevisionSignal
from tests.migrated import migrate_new

NOW = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
WAIT_S = 20.0
LONG_S = 5.0
SHORT_S = 0.2


@pytest.fixture
def databases(postgres_server):
    url = postgres_server()
    migrate_new(url)
    found = [open_database(url), open_database(url)]
    yield found
    for one in found:
        one.close()


@pytest.fixture
def signal(databases):
    made = RevisionSignal(databases[1])
    yield made
    made.close()


def publish(database, number, *, fails=False):
    with database.writing() as session:
        Revisions(database).add(number, Published("tests"), at=NOW, session=session)
        if fails:
            raise RuntimeError


def heard_within(signal, seconds, act):
    """Waits in a thread, acts once it does, and returns what was heard and after how many seconds."""
    found = []
    thread = threading.Thread(target=lambda: found.append((signal.wait(seconds), time.monotonic())))
    thread.start()
    time.sleep(SHORT_S)
    began = time.monotonic()
    act()
    thread.join(WAIT_S)
    heard, at = found[0]
    return heard, at - began


def end_connections(database):
    """Has the server end everybody's connections but the one that asks."""
    with database.writing() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@pytest.mark.postgres
def test_a_publish_by_one_gateway_wakes_another_before_its_time(databases, signal):
    one = databases[0]
    assert not signal.wait(SHORT_S), "nothing was published"
    heard, after_s = heard_within(signal, LONG_S, lambda: publish(one, 1))
    assert heard
    assert after_s < LONG_S - 1


@pytest.mark.postgres
def test_a_publish_that_is_taken_back_wakes_nobody(databases, signal):
    one = databases[0]
    assert not signal.wait(SHORT_S)
    with pytest.raises(RuntimeError):
        publish(one, 1, fails=True)
    assert not signal.wait(SHORT_S)


@pytest.mark.postgres
def test_what_was_published_between_two_waits_is_heard_by_the_second(databases, signal):
    one = databases[0]
    assert not signal.wait(SHORT_S)
    publish(one, 1)
    assert signal.wait(LONG_S)


@pytest.mark.postgres
def test_a_signal_whose_connection_was_ended_waits_out_its_time_and_hears_again(databases, signal):
    one = databases[0]
    assert not signal.wait(SHORT_S)
    end_connections(one)
    began = time.monotonic()
    assert not signal.wait(SHORT_S)
    assert time.monotonic() - began >= SHORT_S, "a database that is gone is not asked without a pause"
    assert not signal.wait(SHORT_S)
    publish(one, 1)
    assert signal.wait(LONG_S)


@pytest.mark.postgres
def test_signals_of_others_on_the_server_are_not_ours(databases, signal):
    one = databases[0]
    assert not signal.wait(SHORT_S)
    with one.writing() as session:
        session.execute(text("SELECT pg_notify(:channel, '1')"), {"channel": f"not_{CHANNEL}"})
    assert not signal.wait(SHORT_S)


@pytest.mark.postgres
def test_one_of_two_leads_until_it_lets_go(databases):
    first, second = map(Lead, databases)
    assert first.look()
    assert first.look()
    assert not second.look()
    first.release()
    assert second.look()
    assert not first.look()
    second.release()


@pytest.mark.postgres
def test_the_lead_goes_with_its_connection(databases):
    first, second = map(Lead, databases)
    assert first.look()
    end_connections(databases[1])
    assert second.look()
    assert not first.look(), "it learns that its connection is gone"
    assert not first.look(), "and does not take what another has"
    second.release()
    assert first.look()
    first.release()


@pytest.mark.postgres
def test_nobody_leads_while_the_database_is_gone(databases):
    lead = Lead(databases[0])
    assert lead.look()
    databases[0].close()
    end_connections(databases[1])
    assert not lead.look()


def test_on_sqlite_the_one_gateway_leads(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate_new(url)
    database = open_database(url)
    lead = Lead(database)
    assert lead.look()
    lead.release()
    assert lead.look()
    publish(database, 1)
    database.close()
