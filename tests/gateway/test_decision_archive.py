"""Old decisions go, as long as each assistant says, and the audit trail counts them."""

import dataclasses
import datetime as dt
from pathlib import Path

import msgspec
import pytest

from gateway import decision_archive as module
from gateway.decision_archive import DecisionArchive
from store.audit import AuditTrail
from store.content import Assistant
from store.database import open_database
from store.people import Role
from store.repositories.assistants import Assistants
from store.repositories.decisions import Decisions
from store.review.intake import Intake
from store.review.reading import Reading
from store.review.types import Bounds, Noted, Reason, Wanted
from tests.administration import person
from tests.building import ASSISTANT
from tests.gateway.recorded import decision
from tests.migrated import migrate_new

NOW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)


@pytest.fixture
def database(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    migrate_new(url)
    opened = open_database(url)
    yield opened
    opened.close()


def test_each_assistant_keeps_decisions_as_long_as_it_says(database, monkeypatch) -> None:
    monkeypatch.setattr(module, "EXPIRED_AT_ONCE", 2)
    with database.writing() as session:
        for name, days in (("desk", 10), ("long", 400)):
            one = msgspec.convert({**ASSISTANT, "name": name, "retention_days": days}, Assistant)
            Assistants(database).save(one, revision=1, session=session)
    decisions = Decisions(database)
    for number, (name, age) in enumerate(
        [("desk", 11), ("desk", 12), ("desk", 13), ("desk", 9), ("long", 399), ("gone", 366), ("gone", 364)]
    ):
        at = NOW - dt.timedelta(days=age)
        decisions.add(dataclasses.replace(decision(number), assistant=name, at=at))
    trail = AuditTrail(database, b"k" * 32)
    archive = DecisionArchive(database, trail)
    assert [archive.expire(NOW) for _ in range(3)] == [3, 1, 0]
    assert [(one.assistant, (NOW - one.at).days) for one in decisions.page(limit=10)] == [
        ("desk", 9),
        ("gone", 364),
        ("long", 399),
    ]
    assert [(entry.action, entry.target, entry.details["count"]) for entry in trail.entries()] == [
        ("decisions.expired", "assistant desk", 2),
        ("decisions.expired", "assistants that are not live", 1),
        ("decisions.expired", "assistant desk", 1),
    ]


def test_a_question_goes_from_the_queue_with_its_last_decision(database) -> None:
    with database.writing() as session:
        one = msgspec.convert({**ASSISTANT, "name": "desk", "retention_days": 10}, Assistant)
        Assistants(database).save(one, revision=1, session=session)
    decisions, bounds = Decisions(database), Bounds(new_per_day=10, questions=10, days=90)
    for number, (text, age) in enumerate([("I am Jo Miller", 11), ("Where is the gym?", 11), ("Where is the gym?", 9)]):
        made = dataclasses.replace(decision(number), assistant="desk", at=NOW - dt.timedelta(days=age))
        decisions.add(made)
        asked = Noted(decision=made.id, at=made.at, assistant="desk", reason=Reason.NO_MATCH, text=text)
        Intake(database, bounds).take([asked])
    assert DecisionArchive(database, AuditTrail(database, b"k" * 32)).expire(NOW) == 2
    (left,) = Reading(database).questions(person("vic", Role.VIEWER), Wanted(), now=NOW).items
    assert (left.text, left.count) == ("Where is the gym?", 1)
