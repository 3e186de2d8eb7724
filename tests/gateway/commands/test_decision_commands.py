"""`canongate decisions` and `canongate purge` on a real data folder."""

import dataclasses
import datetime as dt
import json

from gateway.bootstrap import privacy_of
from gateway.opening import open_store
from gateway.settings import load_settings
from store.content import KeepsText
from store.repositories.decision_writer import DecisionWriter
from store.types import Recorded, Words
from tests.gateway.command_line import CommandLine
from tests.gateway.recorded import decision


def add(number: int, *, user: str | None = None, age_days: int = 0) -> None:
    settings = load_settings()
    with open_store(settings) as store:
        at = dt.datetime.now(dt.UTC) - dt.timedelta(days=age_days)
        person = privacy_of(settings).pseudonym(user) if user else None
        writer = DecisionWriter(store.database)
        made = dataclasses.replace(decision(number), person=person, at=at)
        writer.add_all([Recorded(made, Words(KeepsText.FULL, "my words", "an answer"))])
        writer.close()


def test_decisions_are_exported_without_hidden_text(run: CommandLine) -> None:
    add(1)
    add(2, age_days=3)
    lines = [json.loads(line) for line in run("decisions", "export").out.splitlines()]
    assert [(line["id"], line["kept"], line["words"], line["slots"]) for line in lines] == [
        ("id-1", "full", None, ["site"]),
        ("id-2", "full", None, ["site"]),
    ]
    today = f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=1):%Y-%m-%d}"
    assert len(run("decisions", "export", "--since", today).out.splitlines()) == 1
    assert run("decisions", "export", "--assistant", "other").out == ""
    assert run("audit", "show", "--action", "decisions.exported", "--json").out.count("operator") == 6


def test_old_decisions_are_deleted(run: CommandLine) -> None:
    add(1)
    add(2, age_days=366)
    assert run("decisions", "expire").out == "Deleted 1 decisions.\n"
    assert len(run("decisions", "export").out.splitlines()) == 1


def test_a_person_is_purged(run: CommandLine) -> None:
    add(1, user="jo")
    add(2, user="max")
    assert json.loads(run("purge", "jo", "--json").out)["counts"] == {
        "feedback_texts": 0,
        "questions": 0,
        "widget_sessions": 0,
        "widget_turns": 0,
        "texts": 1,
        "decisions": 1,
    }
    kept = {line["id"]: line["kept"] for line in map(json.loads, run("decisions", "export").out.splitlines())}
    assert kept == {"id-1": "off", "id-2": "full"}
    assert "Backups" in run("purge", "jo").out
    assert run("audit", "verify").status == 0
