"""What is written down for a question, and how long whoever asked waits for it, on SQLite and PostgreSQL.

Decisions go into a table that has many already, alone and eight together, with its wide indexes (those by which lists
are sorted) and without. A widget's question on PostgreSQL also has a row that other gateways read: looked for, added
and ended, sealed as it is served.
"""

import argparse
import asyncio
import datetime as dt
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Table, text

from benchmarks.pages import made_decisions
from benchmarks.postgres_server import postgres
from gateway.access.sealing import Seals
from gateway.widget.answers import Told
from gateway.widget.sessions import Visit
from gateway.widget.sharing import SharedTurns
from store.database import Database, migrate, open_database
from store.repositories.decision_writer import DecisionWriter
from store.repositories.widget_turns import WidgetTurns
from store.tables import DecisionRow
from store.types import Decision, Recorded

_BATCH = 2000
_TOGETHER = 8
_PROMPTS = 1000
_WIDE = ("ix_decisions_total_ms_id", "ix_decisions_sorted_score_id")
_NOW = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)
_ANSWER = Told("done", json.dumps({"text": "The answer. " * 40}).encode(), 200)

Figures = dict[str, float]


def main() -> None:
    """Prints medians and 95th percentiles in milliseconds."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.writes --rows 100000 --calls 500 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=100_000, help="decisions that are there already")
    parser.add_argument("--calls", type=int, default=500, help="of each kind")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    report: dict[str, dict[str, Figures]] = {}
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as server:
        for name, url in (("SQLite", f"sqlite:///{folder}/decisions.db"), ("PostgreSQL", server)):
            report[name] = _measure(url, chosen.rows, chosen.calls)
    if chosen.as_json:
        print(json.dumps({"rows": chosen.rows, "calls": chosen.calls, "ms": report}, indent=2))
        return
    for name, figures in report.items():
        for what, found in figures.items():
            print(f"{name:<12} {what:<50} p50 {found['p50']:7.2f}   p95 {found['p95']:7.2f} ms")


def _measure(url: str, rows: int, calls: int) -> dict[str, Figures]:
    migrate(url)
    database = open_database(url)
    writer, found = DecisionWriter(database), {}
    try:
        for batch in _batches(rows):
            writer.add_all(batch)
        decisions = _new_decisions()
        for suffix, drops in (("", ()), (", without wide indexes", _WIDE)):
            _drop(database, drops)
            for together in (1, _TOGETHER):
                name = "a decision" if together == 1 else f"{together} decisions at once"
                batches = [list(islice(decisions, together)) for _ in range(calls)]
                found[name + suffix] = _times(writer.add_all, batches)
        if not database.is_sqlite:
            found |= asyncio.run(_widget(SharedTurns(WidgetTurns(database), Seals(b"k" * 32)), calls))
    finally:
        writer.close()
        database.close()
    return found


def _batches(rows: int) -> Iterator[list[Recorded]]:
    decisions = made_decisions(_NOW, rows, _PROMPTS)
    while batch := [Recorded(one) for one in islice(decisions, _BATCH)]:
        yield batch


def _new_decisions() -> Iterator[Recorded]:
    for number in count():
        for one in made_decisions(_NOW, 1000, _PROMPTS):
            yield Recorded(_anew(one, number))


def _anew(one: Decision, number: int) -> Decision:
    return replace(one, id=f"new-{number}-{one.id}", at=_NOW + dt.timedelta(seconds=number))


def _drop(database: Database, indexes: Sequence[str]) -> None:
    known = {index.name for index in cast("Table", DecisionRow.__table__).indexes}
    with database.writing() as session:
        for name in indexes:
            if name not in known:
                raise SystemExit(f"there is no index {name}")
            session.execute(text(f"DROP INDEX {name}"))


def _times(call: Callable[[Any], object], given: Sequence[Any]) -> Figures:
    spent = []
    for one in given:
        began = time.perf_counter()
        call(one)
        spent.append(time.perf_counter() - began)
    return _figures(spent)


async def _widget(shared: SharedTurns, calls: int) -> dict[str, Figures]:
    session = SimpleNamespace(person="p" * 64)
    spent: dict[str, list[float]] = {"looked for": [], "added": [], "ended": [], "all three": []}
    for number in range(calls):
        visit = cast("Visit", SimpleNamespace(holder=f"holder-{number % 50}", session=session))
        key, conversation = str(uuid.uuid4()), f"conversation-{number % 50}"
        began = time.perf_counter()
        await shared.known(visit, key, b"f" * 32)
        looked = time.perf_counter()
        if not await shared.asked(visit, key, b"f" * 32, conversation=conversation, message="I forgot my password"):
            raise SystemExit("a question with a new key was not written down")
        added = time.perf_counter()
        await shared.ended(visit, key, _ANSWER)
        ended = time.perf_counter()
        for name, took in zip(spent, (looked - began, added - looked, ended - added, ended - began), strict=True):
            spent[name].append(took)
    return {f"a widget's question: {name}": _figures(times) for name, times in spent.items()}


def _figures(spent: Sequence[float]) -> Figures:
    return {
        "p50": round(statistics.median(spent) * 1000, 2),
        "p95": round(statistics.quantiles(spent, n=20)[-1] * 1000, 2),
    }


if __name__ == "__main__":
    main()
