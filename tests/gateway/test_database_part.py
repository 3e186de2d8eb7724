"""What readiness says of the database: a schema of a neighbouring version serves on, any other takes requests away."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway import probes
from gateway.opening import open_store
from gateway.probes import database_report
from gateway.readiness import PartReport, PartState
from gateway.settings import DataSettings, Settings
from store.database import Database, open_database
from store.errors import StoreUnavailable
from tests.migrated import migrate_new
from tests.next_schema import next_schema


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'data' / 'canongate.db'}"
    migrate_new(made)
    return made


@pytest.fixture
def database(url: str):
    opened = open_database(url)
    yield opened
    opened.close()


def test_of_the_schema_that_belongs_to_it_nothing_is_said(database: Database) -> None:
    assert database_report(database) == PartReport(PartState.READY)


def test_a_schema_one_step_newer_serves_with_a_warning(database: Database, url: str, tmp_path: Path) -> None:
    number = next_schema(url)
    report = database_report(database)
    assert report.state is PartState.DEGRADED
    assert report.reason.startswith(f"the database has schema {number}, a step newer than ")
    with open_store(Settings(data=DataSettings(directory=str(tmp_path / "data")))) as store:
        assert not store.is_published


def test_a_schema_two_steps_newer_does_not_serve_nor_start(database: Database, url: str, tmp_path: Path) -> None:
    number = next_schema(url, steps=2)
    report = database_report(database)
    assert report.state is PartState.NOT_READY
    assert f"newer canongate (schema {number}" in report.reason
    with (
        pytest.raises(StoreUnavailable, match="newer canongate"),
        open_store(Settings(data=DataSettings(directory=str(tmp_path / "data")))),
    ):
        raise AssertionError("it was opened")


def test_a_schema_that_was_taken_back_under_a_gateway_does_not_serve(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    report = database_report(database)
    assert (report.state, report.reason.partition(",")[0]) == (
        PartState.NOT_READY,
        "the database has schema 0003",
    )


def test_who_asks_without_a_credential_is_not_told_where_the_database_is(
    database: Database, monkeypatch, caplog
) -> None:
    def away(_):
        raise StoreUnavailable("the database failed: connection to server at 10.0.0.7, port 5432 failed")

    monkeypatch.setattr(probes, "live_revision", away)
    caplog.set_level(logging.INFO, "gateway.probes")
    for _ in range(3):
        assert database_report(database) == PartReport(PartState.NOT_READY, "the database failed; the log says how")
    monkeypatch.undo()
    caplog.set_level(logging.INFO, "gateway.probes")
    assert database_report(database) == PartReport(PartState.READY)
    assert [one.getMessage() for one in caplog.records] == ["database_failed", "database_answers_again"]
    assert "10.0.0.7, port 5432" in caplog.records[0].error
