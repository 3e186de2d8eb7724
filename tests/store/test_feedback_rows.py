"""Feedback and imports in both databases: one piece for each decision, pages, rates, and what a purge takes."""

import dataclasses
import datetime as dt

import pytest
from store_content import AT, assistant, prompt
from test_database import DECISION

from store.catalog import publish_bundle
from store.content import KeepsText
from store.database import Database
from store.errors import NotFound
from store.feedback import Feedback, FeedbackReason, FeedbackTexts, Verdict, Verdicts
from store.formats.bundle import Bundle
from store.repositories.decisions import Decisions
from store.repositories.feedback import FeedbackFilter, FeedbackStore
from store.repositories.imports import Imports, ImportState, StoredImport

TEXTS = FeedbackTexts(kept=KeepsText.REDACTED, comment="It sticks, ß", better="Push it.")


def given(number: int, **changes: object) -> Feedback:
    values: dict[str, object] = {
        "decision": f"id-{number}",
        "given_at": AT,
        "changed_at": AT + dt.timedelta(seconds=number),
        "principal": "key",
        "assistant": "desk",
        "prompt_key": "it.vpn",
        "prompt_version": 1,
        "verdict": Verdict.UP,
        "reasons": (FeedbackReason.CLEAR,),
    }
    return Feedback(**(values | changes))


def put(database: Database, *pieces: Feedback) -> FeedbackStore:
    store, decisions = FeedbackStore(database), Decisions(database)
    for one in pieces:
        with database.writing() as session:
            if store.get(one.decision, session) is None:
                decision = dataclasses.replace(DECISION, id=one.decision, assistant=one.assistant, person="jo")
                decisions.add(decision, session)
            store.put(one, session=session)
    return store


def test_feedback_comes_back_and_is_replaced(database: Database) -> None:
    store = put(database, given(1, texts=TEXTS))
    assert store.get("id-1") == given(1, texts=TEXTS)
    put(database, given(1, verdict=Verdict.DOWN, reasons=()))
    assert store.get("id-1") == given(1, verdict=Verdict.DOWN, reasons=())
    assert store.get("id-2") is None


def test_pages_follow_one_another_with_what_they_are_about(database: Database) -> None:
    store = put(database, *(given(number, texts=TEXTS if number == 3 else None) for number in range(5)))
    first = store.page(FeedbackFilter(), limit=2)
    last = first[-1].feedback
    rest = store.page(FeedbackFilter(), limit=9, before=(last.changed_at, last.decision))
    assert [one.feedback.decision for one in (*first, *rest)] == ["id-4", "id-3", "id-2", "id-1", "id-0"]
    assert first[1].feedback.texts == TEXTS
    assert first[0].decision is not None
    assert first[0].decision.id == "id-4"
    assert [one.feedback.decision for one in store.all(FeedbackFilter(until=AT + dt.timedelta(seconds=2)))] == [
        "id-1",
        "id-0",
    ]


def test_rates_are_counted_by_version_within_a_tenant(database: Database) -> None:
    store = put(
        database,
        given(1),
        given(2, verdict=Verdict.DOWN),
        given(3, prompt_version=2),
        given(4, prompt_key=None, prompt_version=None),
        given(5, assistant="other"),
    )
    found = store.rates(FeedbackFilter(among=frozenset({"desk"})))
    assert [(one.prompt_version, one.up, one.down) for one in found] == [(1, 1, 1), (2, 1, 0)]
    assert len(store.rates(FeedbackFilter())) == 3


def test_what_was_said_is_forgotten_within_a_tenant_and_goes_with_its_decision(database: Database) -> None:
    store = put(database, given(1, texts=TEXTS), given(2, assistant="other", texts=TEXTS), given(3, texts=TEXTS))
    with database.writing() as session:
        assert store.forget("jo", among=frozenset({"other"}), session=session) == 1
        assert store.forget("ann", session=session) == 0
    assert [store.get(f"id-{number}").texts is None for number in (1, 2, 3)] == [False, True, False]
    with database.writing() as session:
        Decisions(database).delete(["id-1", "id-3"], session=session)
    assert store.get("id-1") == given(1)


def test_verdicts_on_live_versions_are_counted_and_no_others(database: Database) -> None:
    publish_bundle(
        database,
        Bundle((prompt(), prompt("it.old")), (assistant(),), {"plain": {"name": "plain", "input": []}}),
        author="a",
    )
    store = put(
        database,
        given(1),
        given(2, verdict=Verdict.DOWN),
        given(3, prompt_version=2),
        given(4, prompt_key="it.old", assistant="shop"),
        given(5, prompt_key="it.gone"),
        given(6, prompt_key=None, prompt_version=None),
    )
    assert store.live_verdicts() == {"it.vpn": Verdicts(1, 1), "it.old": Verdicts(1, 0)}
    assert store.live_verdicts(["it.vpn", "it.none"]) == {"it.vpn": Verdicts(1, 1)}
    assert store.live_verdicts(among=frozenset({"shop"})) == {"it.old": Verdicts(1, 0)}
    assert store.live_verdicts([]) == {}


def test_the_newest_imports_come_first_of_one_person_or_of_all(database: Database) -> None:
    imports = Imports(database)
    for number, who in enumerate(("user:ada", "user:bo", "user:ada")):
        stored = StoredImport(
            id=str(number),
            created_at=AT + dt.timedelta(seconds=number),
            ended_at=None,
            actor=who,
            person=who,
            state=ImportState.DONE,
            order={},
            report=None,
            problem="",
            change=None,
        )
        with database.writing() as session:
            imports.add(stored, session=session)
    assert [one.id for one in imports.page(limit=2)] == ["2", "1"]
    assert [one.id for one in imports.page(limit=9, person="user:ada")] == ["2", "0"]
    with database.writing() as session:
        assert imports.held("1", session=session) == imports.get("1")
        with pytest.raises(NotFound):
            imports.held("9", session=session)


def test_imports_come_back_and_move(database: Database) -> None:
    imports = Imports(database)
    stored = StoredImport(
        id="a",
        created_at=AT,
        ended_at=None,
        actor="user:ada",
        person="user:ada",
        state=ImportState.RECEIVING,
        order={"format": "dolly"},
        report=None,
        problem="",
        change=None,
    )
    with database.writing() as session:
        imports.add(stored, session=session)
    assert imports.open_ones() == (stored,)
    with database.writing() as session:
        imports.move("a", ImportState.DONE, session=session, report={"rows": 1}, ended_at=AT)
    assert imports.get("a") == dataclasses.replace(stored, state=ImportState.DONE, report={"rows": 1}, ended_at=AT)
    assert imports.open_ones() == ()
    with pytest.raises(NotFound):
        imports.get("b")
