"""Lists in every order: each row once, page after page, on both databases."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from store_content import AT, assistant, prompt
from test_database import DECISION

from store.audit import SORTS as TRAIL
from store.audit import AuditFilter, AuditTrail
from store.catalog import publish_bundle
from store.changes.lists import SORTS as PROMPTS
from store.database import Database
from store.errors import InvalidContent
from store.folding import folded
from store.formats.bundle import Bundle
from store.people import OPERATOR
from store.repositories.decision_filters import Askers, DecisionFilter
from store.repositories.decisions import SORTS, Decisions
from store.repositories.keys import SORTS as KEYS
from store.repositories.keys import Keys
from store.sorting import Mark, Order, Sort
from store.tables import PromptRow
from store.types import ApiKey, KeyScope


def walked(
    page: Callable[[Order], Sequence[Any]], sort: Sort[Any], key: Callable[[Any], str], order: Order
) -> list[Any]:
    """Gives all rows of a list, by pages that each begin where the one before ended."""
    found: list[Any] = []
    while rows := page(order):
        found += rows
        order = dataclasses.replace(order, after=Mark(sort.of(rows[-1]), key(rows[-1])))
    return found


def keep(database: Database) -> Decisions:
    decisions = Decisions(database)
    for n in range(7):
        score, taken = (None if n == 3 else n % 3 / 10), {"total": float(n // 2)}
        at = AT + dt.timedelta(seconds=n // 3)
        principal = f"widget:shop:{n}" if n % 2 else f"key{n}"
        row = dataclasses.replace(DECISION, id=f"id-{n}", at=at, score=score, timings_ms=taken, principal=principal)
        decisions.add(row)
    return decisions


@pytest.mark.parametrize("column", SORTS)
@pytest.mark.parametrize("is_down", [False, True])
def test_decisions_come_once_each_in_every_order(database: Database, column: str, *, is_down: bool) -> None:
    decisions, sort = keep(database), SORTS[column]
    found = walked(
        lambda order: decisions.sorted_page(DecisionFilter(), order, limit=2),
        sort,
        lambda row: row.decision.id,
        Order(column, is_down=is_down),
    )
    places = [(sort.of(row), row.decision.id) for row in found]
    assert len(places) == 7
    assert places == sorted(places, reverse=is_down)


def test_decisions_are_found_by_who_asked_by_id_and_by_how_long_they_took(database: Database) -> None:
    decisions = keep(database)

    def found(**wanted: Any) -> set[str]:
        page = decisions.sorted_page(DecisionFilter(**wanted), Order("at"), limit=10)
        return {row.decision.id for row in page}

    assert found(askers=Askers(frozenset({"key2"}))) == {"id-2"}
    assert found(askers=Askers(frozenset(), ("widget:shop:",))) == {"id-1", "id-3", "id-5"}
    assert found(askers=Askers(frozenset())) == set()
    assert found(id="id-4") == {"id-4"}
    assert found(least_ms=3.0) == {"id-6"}


@pytest.mark.parametrize("column", TRAIL)
def test_the_trail_comes_once_in_every_order(database: Database, column: str) -> None:
    trail, sort = AuditTrail(database, b"k" * 32), TRAIL[column]
    with database.writing() as session:
        for n in range(7):
            trail.append(OPERATOR, f"thing.{n % 2}", f"thing {n}", session=session)

    def page(order: Order) -> Sequence[Any]:
        return trail.sorted_page(AuditFilter(action="thing."), order, limit=2)

    found = walked(page, sort, lambda row: str(row.number), Order(column, is_down=True))
    places = [(sort.of(row), row.number) for row in found]
    assert len(places) == 7
    assert places == sorted(places, reverse=True)
    with pytest.raises(InvalidContent):
        page(Order(column, after=Mark(sort.of(found[0]), "none")))


@pytest.mark.parametrize("column", KEYS)
def test_keys_come_once_in_every_order_with_what_they_asked_in_a_day(database: Database, column: str) -> None:
    keys, decisions, sort = Keys(database), Decisions(database), KEYS[column]
    for n in range(5):
        ends = AT + dt.timedelta(days=n) if n % 2 else None
        made = ApiKey(
            id=f"k{n}",
            name=f"name {n}",
            secret_hash=b"s",
            scopes=(KeyScope.CHAT,),
            assistants=(),
            created_at=AT,
            expires_at=ends,
            revoked_at=None,
        )
        keys.add(made)
        for call in range(n):
            at = AT - dt.timedelta(hours=20 if call else 30)
            decisions.add(dataclasses.replace(DECISION, id=f"{n}-{call}", at=at, principal=made.id))
    found = walked(
        lambda order: keys.sorted_page(order, limit=2, now=AT, has_ended=True),
        sort,
        lambda row: row.key.id,
        Order(column),
    )
    places = [(sort.of(row), row.key.id) for row in found]
    assert places == sorted(places)
    assert {row.key.id: row.calls for row in found} == {"k0": 0, "k1": 0, "k2": 1, "k3": 2, "k4": 3}


def test_what_lists_need_of_a_prompt_is_in_its_own_row(database: Database) -> None:
    made = prompt("it.vpn", title="VPN İn a Train", phrasings=["How do I use the VPN?", "Is there a VPN?"])
    policy = {"name": "plain", "input": []}
    publish_bundle(database, Bundle((made,), (assistant(),), {"plain": policy}), author="tests")
    with database.reading() as session:
        row = session.query(PromptRow).one()
    assert (row.folded_title, row.owner, row.phrasings) == (folded(made.title), made.owner, 2)
    assert row.review_by == made.review_by
    assert {"it.vpn", folded(made.title), "is there a vpn?"} <= set(row.searched.split("\n"))
    assert set(PROMPTS) == {"key", "title", "owner", "phrasings", "review"}
