"""Figures of decisions: added up exactly, read from histograms within their width, and never out of date."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analysing import Analysing, Period
from gateway.figures import STEPS, figures_of
from store.database import Database, open_database
from store.matches import Gate, MatchMethod
from store.people import Actor, Role
from store.repositories.decision_figures import CountedDecision
from store.repositories.decisions import Decisions
from store.types import Decision, Outcome
from tests.administration import Clock, person
from tests.migrated import migrate_new
from tests.world import World

SCORES = st.integers(0, STEPS - 1).map(lambda step: step / STEPS + 0.005)
GATES = st.sampled_from([Gate.ACCEPTED, Gate.BELOW_LIMIT, Gate.MARGIN, Gate.FLOOR, Gate.CONTRADICTION])
ADA = person("ada", Role.VIEWER)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'figures.db'}"
    migrate_new(url)
    opened = open_database(url)
    yield opened
    opened.close()


def row(outcome: Outcome = Outcome.ANSWERED, **more) -> CountedDecision:
    fields = {"assistant": "helpdesk", "prompt_key": "it.vpn", "stopped_by": None, "score": None, "margin": None}
    fields |= {"method": None, "gate": None, "timings_ms": {}}
    return CountedDecision(outcome=outcome, **(fields | more))


def keep(database: Database, number: int, at: dt.datetime, **more) -> None:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"assistant": "helpdesk", "principal": "caller", "outcome": Outcome.ANSWERED, "source": "generate"}
    fields |= {"message_chars": 5, "slots": {}, "has_quoted_text": False, "rails": (), "timings_ms": {"total": 10.0}}
    fields |= {"policy": "p", "store_revision": 1, "policy_revision": 1, "prompt_tokens": 0, "completion_tokens": 0}
    Decisions(database).add(Decision(**(fields | {"failed": False, "id": f"d{number}", "at": at} | more)))


@given(st.lists(st.floats(0.2, 60_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_within_the_width_of_its_bin(times: list[float], share: float) -> None:
    figures = figures_of(row(timings_ms={"total": one}) for one in times)["helpdesk"]
    exact = float(np.quantile(times, share, method="inverted_cdf"))
    assert figures.percentile_ms("total", share) == pytest.approx(exact, rel=0.026)
    assert figures.timed("total") == len(times)
    assert figures.percentile_ms("generate", share) is None


@given(
    st.lists(st.tuples(SCORES, st.one_of(st.none(), SCORES), GATES), max_size=60),
    st.integers(0, STEPS),
    st.integers(0, STEPS - 1),
    st.integers(0, 30),
)
def test_another_limit_comes_to_what_counting_one_by_one_comes_to(scored, limit, suggest, margin) -> None:
    rows = [row(score=score, margin=far, gate=gate) for score, far, gate in scored]
    found = figures_of([*rows, row()])["helpdesk"].what_if(limit, suggest=suggest / STEPS, margin=margin / 100)
    held = (Gate.FLOOR, Gate.CONTRADICTION)
    answered = [
        one for one in scored if one[0] * STEPS >= limit and one[2] not in held and (one[1] or 9) * 100 >= margin
    ]
    offered = [one for one in scored if one not in answered and one[0] * STEPS >= suggest]
    # Margins of half a unit and more fall into the last bin, which passes every margin of a real limit.
    assert found.answered == len(answered)
    assert found.offered == len(offered)
    assert found.unmatched == len(scored) - len(answered) - len(offered)


def test_what_no_score_decided_is_in_no_histogram() -> None:
    rows = [row(score=1.0, method=MatchMethod.EXACT, gate=Gate.EXACT_PHRASE), row(score=0.4, gate=Gate.LANGUAGE), row()]
    assert figures_of(rows)["helpdesk"].matched == 0


def test_a_figure_is_never_out_of_date(database: Database, world: World) -> None:
    clock = Clock()
    analysing = Analysing(database, world.live, clock.now)
    assert analysing.report(ADA, Period.DAY).whole.total == 0
    keep(database, 1, clock.at)
    assert analysing.report(ADA, Period.DAY).whole.total == 1
    keep(database, 2, clock.at + dt.timedelta(minutes=20), outcome=Outcome.NO_MATCH)
    clock.pass_by(minutes=30)
    found = analysing.report(ADA, Period.DAY)
    assert found.whole.outcomes == {Outcome.ANSWERED: 1, Outcome.NO_MATCH: 1}
    with database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM decisions WHERE id = 'd1'")
    assert analysing.report(ADA, Period.DAY).whole.total == 1


def test_periods_end_with_the_hour_and_the_day_that_go_on(database: Database, world: World) -> None:
    clock = Clock()
    for number, hours in enumerate((0, 23, 24, 24 * 6 + 9, 24 * 6 + 10, 24 * 29 + 9, 24 * 29 + 10)):
        keep(database, number, clock.at - dt.timedelta(hours=hours))
    analysing = Analysing(database, world.live, clock.now)
    totals = {period: analysing.report(ADA, period).whole.total for period in Period}
    assert totals == {Period.DAY: 2, Period.WEEK: 4, Period.MONTH: 6}
    assert [len(analysing.report(ADA, period).bins) for period in Period] == [24, 7, 30]
    today = analysing.report(ADA, Period.WEEK).bins[-1]
    assert (today.since, today.figures.total) == (clock.at.replace(hour=0), 1)
    clock.pass_by(days=1)
    assert analysing.report(ADA, Period.WEEK).bins[-2].figures.total == 1


def test_a_tenant_counts_its_own_and_one_assistant_has_limits(database: Database, make_world) -> None:
    world, clock = make_world(more_assistants=("shop",)), Clock()
    keep(database, 1, clock.at)
    keep(database, 2, clock.at, assistant="shop", outcome=Outcome.BLOCKED_INPUT)
    analysing = Analysing(database, world.live, clock.now)
    whole = analysing.report(ADA, Period.DAY)
    assert (whole.whole.total, whole.limits) == (2, None)
    of_shop: Actor = person("bo", Role.VIEWER, assistants=("shop",))
    assert analysing.report(of_shop, Period.DAY).whole.outcomes == {Outcome.BLOCKED_INPUT: 1}
    assert analysing.report(of_shop, Period.DAY, "helpdesk").whole.total == 0
    limits = analysing.report(ADA, Period.DAY, "shop").limits
    assert limits is not None
    assert limits.answer == 0.8
