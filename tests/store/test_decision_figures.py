"""Columns and counts of decisions in spans of time, on both databases."""

import dataclasses
import datetime as dt

from store_content import AT
from test_database import DECISION, later

from store.database import Database
from store.repositories.decision_figures import CountedDecision, DecisionFigures, Span
from store.repositories.decisions import Decisions
from store.types import Outcome

HOUR = dt.timedelta(hours=1)


def span(first: int, last: int) -> Span:
    return Span(AT + first * HOUR, AT + last * HOUR)


def test_a_span_has_its_first_moment_and_not_its_last(database: Database) -> None:
    decisions, figures = Decisions(database), DecisionFigures(database)
    for seconds in (0, 3599, 3600, 7199, 7200):
        decisions.add(later(seconds))
    assert figures.counts([span(0, 1), span(1, 2), span(2, 3), span(3, 4), span(0, 9)]) == [2, 2, 1, 0, 5]
    assert figures.counts([]) == []
    assert len(list(figures.rows(span(1, 2)))) == 2


def test_the_counted_columns_come_back_as_they_were(database: Database) -> None:
    kept = dataclasses.replace(
        DECISION, outcome=Outcome.DEGRADED, score=0.75, margin=None, timings_ms={"match": 1.5, "total": 2}
    )
    Decisions(database).add(kept)
    assert list(DecisionFigures(database).rows(span(0, 1))) == [
        CountedDecision(
            kept.assistant,
            kept.outcome,
            kept.prompt_key,
            kept.stopped_by,
            0.75,
            None,
            kept.method,
            kept.gate,
            {"match": 1.5, "total": 2.0},
        )
    ]


def test_a_count_reads_nothing_but_the_index_over_time(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM decisions WHERE at >= '2026-01-01' AND at < '2026-01-02'"
        )
        assert "COVERING INDEX ix_decisions_at_id" in str(plan.all())
