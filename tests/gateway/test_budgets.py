"""Budgets of tokens a day: counted from decisions, so that they survive a restart and hold over several gateways."""

import datetime as dt
from dataclasses import dataclass, field, replace

import anyio
import pytest

from gateway.budgets import FRESH_S, Budgets
from gateway.errors import BudgetUsed, NotServing
from store.errors import StoreUnavailable
from store.types import Decision
from tests.building import build, question

NOON = dt.datetime(2027, 3, 4, 12, tzinfo=dt.UTC)


@dataclass
class Usage:
    """What decisions say, by whose they are."""

    tokens: dict[str, int] = field(default_factory=dict)
    reads: list[tuple[str, str, dt.datetime]] = field(default_factory=list)
    is_away: bool = False

    def tokens_since(self, kind, name, since) -> int:
        if self.is_away:
            raise StoreUnavailable("told to be away")
        self.reads.append((kind, name, since))
        return self.tokens.get(name, 0)


class Here:
    def __init__(self, **assistants: int) -> None:
        self.usage = Usage()
        self.seconds = 0.0
        self.at = NOON
        self.budgets = Budgets(self.usage, assistants=assistants, clock=lambda: self.seconds, now=lambda: self.at)

    def require(self, limit: int | None = 100, *, key: str = "key", assistant: str = "desk"):
        return anyio.run(self.budgets.require, key, limit, assistant)


def decided(tokens: int) -> Decision:
    one = anyio.run(build().pipeline.answer, question("I forgot my password")).decision
    return replace(one, principal="key", assistant="desk", prompt_tokens=tokens - 1, completion_tokens=1)


def test_without_a_budget_nothing_is_read() -> None:
    here = Here()
    assert here.require(None) is None
    assert here.usage.reads == []


def test_what_is_left_is_told_and_counts_from_midnight_utc() -> None:
    here = Here()
    here.usage.tokens["key"] = 30
    state = here.require()
    assert (state.limit, state.remaining, state.reset_s) == (100, 70, 12 * 3600)
    assert here.usage.reads == [("principal", "key", NOON.replace(hour=0))]


def test_a_used_up_budget_is_refused_until_the_day_ends() -> None:
    here = Here()
    here.usage.tokens["key"] = 100
    with pytest.raises(BudgetUsed) as stopped:
        here.require()
    assert (stopped.value.code, stopped.value.retry_after_s, stopped.value.limit) == ("budget_exceeded", 43200, 100)
    assert here.budgets.refused == 1
    here.at += dt.timedelta(hours=12)
    here.usage.tokens["key"] = 0
    assert here.require().remaining == 100


def test_what_this_process_uses_counts_at_once_and_what_others_use_after_some_seconds() -> None:
    here = Here()
    assert here.require().remaining == 100
    here.budgets.spent(decided(40))
    here.usage.tokens["key"] = 40
    assert here.require().remaining == 60
    here.usage.tokens["key"] = 90  # another gateway answered
    here.seconds += FRESH_S
    assert here.require().remaining == 10


def test_an_assistant_has_a_budget_of_its_own_and_the_tightest_is_told() -> None:
    here = Here(desk=50)
    assert here.require(None).limit == 50
    assert here.require(20).limit == 20
    here.usage.tokens["desk"] = 50
    here.seconds += FRESH_S
    with pytest.raises(BudgetUsed, match="this assistant"):
        here.require(None)
    assert here.require(None, assistant="another") is None


def test_a_budget_that_cannot_be_read_lets_nobody_in() -> None:
    here = Here()
    here.usage.is_away = True
    with pytest.raises(NotServing) as stopped:
        here.require()
    assert stopped.value.code == "store_unavailable"
