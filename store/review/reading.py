"""Reads the review queue: lists, single questions and clusters, each only for whoever may see its assistant."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import InvalidContent, NotFound
from store.people import Actor
from store.phrases import fold
from store.review.types import Cluster, QuestionState, StoredQuestion, Wanted
from store.sorting import Mark, Order, Sort, in_order, sort_of
from store.tables import QuestionClusterRow, QuestionRow, QuestionSightingRow

MAX_PAGE = 200
MAX_OF_CLUSTER = 500
"""Questions of a cluster that are shown at once; the most frequent first."""
TREND_DAYS = 14
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Some items of a list and where it goes on; None at the end."""

    items: tuple[_T, ...]
    next: str | None


_MESSAGES = func.sum(QuestionRow.count)
SORTS: Mapping[str, Sort[Cluster]] = {
    "messages": Sort(int, lambda one: one.messages, _MESSAGES),
    "last": Sort(dt.datetime, lambda one: one.last_seen, func.max(QuestionRow.last_seen)),
    "first": Sort(dt.datetime, lambda one: one.first_seen, func.min(QuestionRow.first_seen)),
}
"""Columns that lists of clusters are sorted by."""
MOST_FIRST = Order("messages", is_down=True)


class Reading:
    """Reads; nothing here changes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def questions(
        self, actor: Actor, wanted: Wanted, *, now: dt.datetime, after: str | None = None, limit: int = 50
    ) -> Page[StoredQuestion]:
        """Returns a page of questions, the last seen first. Raises `InvalidContent` for an `after` of another list."""
        limit = max(1, min(limit, MAX_PAGE))
        query = select(QuestionRow).where(*_visible(actor, QuestionRow.assistant), *_filters(wanted, now))
        if after is not None:
            micros, last = read_cursor(after)
            before = (_EPOCH + dt.timedelta(microseconds=micros), last)
            query = query.where(tuple_(QuestionRow.last_seen, QuestionRow.id) < before)
        query = query.order_by(QuestionRow.last_seen.desc(), QuestionRow.id.desc()).limit(limit + 1)
        with self._database.reading() as session:
            rows = [stored(row, now) for row in session.scalars(query)]
        if len(rows) <= limit:
            return Page(tuple(rows), None)
        micros = (rows[limit - 1].last_seen - _EPOCH) // dt.timedelta(microseconds=1)
        return Page(tuple(rows[:limit]), f"{micros}.{rows[limit - 1].id}")

    def question(self, actor: Actor, question_id: str, *, now: dt.datetime) -> StoredQuestion:
        """Returns one question. Raises `NotFound`."""
        with self._database.reading() as session:
            row = session.get(QuestionRow, question_id)
            if row is None or not actor.may_see(row.assistant):
                raise NotFound("there is no such question")
            return stored(row, now)

    def clusters(
        self,
        actor: Actor,
        wanted: Wanted,
        *,
        least: int,
        now: dt.datetime,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Cluster]:
        """Returns a page of clusters with at least so many messages, the largest first.

        Raises `InvalidContent` for an `after` of another list.
        """
        limit = max(1, min(limit, MAX_PAGE))
        order = MOST_FIRST if after is None else replace(MOST_FIRST, after=Mark(*read_cursor(after)))
        found = self.sorted_clusters(actor, wanted, order, least=least, now=now, limit=limit + 1)
        more = len(found) > limit
        last = found[limit - 1] if more else None
        return Page(found[:limit], f"{last.messages}.{last.id}" if last else None)

    def sorted_clusters(
        self, actor: Actor, wanted: Wanted, order: Order, *, least: int, now: dt.datetime, limit: int
    ) -> tuple[Cluster, ...]:
        """Returns up to `limit` clusters with at least so many messages in an order of `SORTS`."""
        query = _grouped(actor, wanted, now).having(least <= _MESSAGES)
        query = in_order(query, order, sort_of(SORTS, order).by, QuestionRow.cluster, is_grouped=True)
        with self._database.reading() as session:
            return tuple(self._clusters(session, session.execute(query.limit(limit)).all(), now))

    def count_clusters(self, actor: Actor, wanted: Wanted, *, least: int, now: dt.datetime, most: int) -> int:
        """Returns how many clusters have at least so many messages, counted up to `most`."""
        query = _grouped(actor, wanted, now).having(least <= _MESSAGES).limit(most)
        with self._database.reading() as session:
            return session.execute(select(func.count()).select_from(query.subquery())).scalar_one()

    def cluster(self, actor: Actor, cluster_id: str, wanted: Wanted, *, now: dt.datetime) -> Cluster:
        """Returns one cluster, counted over the wanted questions. Raises `NotFound`, also when it has none of them."""
        query = _grouped(actor, wanted, now).where(QuestionRow.cluster == cluster_id)
        with self._database.reading() as session:
            rows = session.execute(query).all()
            if not rows:
                raise NotFound("there is no such cluster with such questions")
            (found,) = self._clusters(session, rows, now)
            return found

    def members(self, actor: Actor, cluster_id: str, wanted: Wanted, *, now: dt.datetime) -> tuple[StoredQuestion, ...]:
        """Returns the wanted questions of a cluster, the most frequent first, at most 500."""
        query = (
            select(QuestionRow)
            .where(*_visible(actor, QuestionRow.assistant), *_filters(wanted, now), QuestionRow.cluster == cluster_id)
            .order_by(QuestionRow.count.desc(), QuestionRow.id)
            .limit(MAX_OF_CLUSTER)
        )
        with self._database.reading() as session:
            return tuple(stored(row, now) for row in session.scalars(query))

    def _clusters(self, session: Session, rows: Collection[Any], now: dt.datetime) -> list[Cluster]:
        ids = [row[0] for row in rows]
        known = {
            row.id: row for row in session.scalars(select(QuestionClusterRow).where(QuestionClusterRow.id.in_(ids)))
        }
        labels = _labels(session, known)
        trends = _trends(session, ids, now)
        return [
            Cluster(
                id=cluster,
                assistant=known[cluster].assistant,
                label=labels[cluster],
                size=size,
                messages=int(messages),
                first_seen=first,
                last_seen=last,
                trend=trends[cluster],
                rev=known[cluster].rev,
            )
            for cluster, size, messages, first, last in rows
        ]


def stored(row: QuestionRow, now: dt.datetime) -> StoredQuestion:
    """Returns a row as a question, with the state that it has now."""
    state = QuestionState(row.state)
    if state is QuestionState.SNOOZED and row.snoozed_until is not None and row.snoozed_until <= now:
        state = QuestionState.OPEN
    return StoredQuestion(
        id=row.id,
        assistant=row.assistant,
        text=row.text,
        state=state,
        snoozed_until=row.snoozed_until,
        action=row.action,
        count=row.count,
        reasons=row.reasons,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        last_decision=row.last_decision,
        gate=row.gate,
        score=row.score,
        prompt_key=row.prompt_key,
        cluster=row.cluster,
        rev=row.rev,
    )


def read_cursor(after: str) -> tuple[int, str]:
    """Returns the number and the id in a cursor. Raises `InvalidContent`."""
    number, mark, last = after.partition(".")
    if not mark or not number.isascii() or not number.isdigit() or len(number) > 17:  # noqa: PLR2004 - to the year 5138
        raise InvalidContent("after: this is not the `next` of such a list. Leave it out to begin again.")
    return int(number), last


def _visible(actor: Actor, column: Any) -> list[ColumnElement[bool]]:
    return [column.in_(sorted(actor.assistants))] if actor.assistants else []


def _filters(wanted: Wanted, now: dt.datetime) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if wanted.assistant is not None:
        filters.append(QuestionRow.assistant == wanted.assistant)
    if wanted.cluster is not None:
        filters.append(QuestionRow.cluster == wanted.cluster)
    if wanted.text:
        filters.append(QuestionRow.canonical.contains(fold(wanted.text), autoescape=True))
    if wanted.reason is not None:
        sighted = exists().where(
            QuestionSightingRow.question == QuestionRow.id, QuestionSightingRow.reason == wanted.reason.value
        )
        filters.append(sighted)
    if wanted.state is not None:
        filters.append(_in_state(wanted.state, now))
    return filters


def _in_state(state: QuestionState, now: dt.datetime) -> ColumnElement[bool]:
    is_snoozed = QuestionRow.state == QuestionState.SNOOZED.value
    match state:
        case QuestionState.OPEN:
            woken = and_(is_snoozed, QuestionRow.snoozed_until <= now)
            return or_(QuestionRow.state == QuestionState.OPEN.value, woken)
        case QuestionState.SNOOZED:
            return and_(is_snoozed, QuestionRow.snoozed_until > now)
        case _:
            return QuestionRow.state == state.value


def _grouped(actor: Actor, wanted: Wanted, now: dt.datetime) -> Any:
    """Returns the query of clusters: id, questions, messages, first and last seen."""
    return (
        select(
            QuestionRow.cluster,
            func.count(),
            func.sum(QuestionRow.count),
            func.min(QuestionRow.first_seen),
            func.max(QuestionRow.last_seen),
        )
        .where(QuestionRow.cluster.is_not(None), *_visible(actor, QuestionRow.assistant), *_filters(wanted, now))
        .group_by(QuestionRow.cluster)
    )


def _labels(session: Session, known: Mapping[str, QuestionClusterRow]) -> dict[str, str]:
    """Returns each cluster's text: of its central question, or of another where that one is gone."""
    central = {row.label: row.id for row in known.values() if row.label is not None}
    found = session.execute(select(QuestionRow.id, QuestionRow.text).where(QuestionRow.id.in_(list(central))))
    labels = {central[question]: text for question, text in found}
    if missing := [cluster for cluster in known if cluster not in labels]:
        some = select(QuestionRow.cluster, func.min(QuestionRow.text)).where(QuestionRow.cluster.in_(missing))
        labels |= {str(cluster): text for cluster, text in session.execute(some.group_by(QuestionRow.cluster))}
    return labels


def _trends(session: Session, clusters: list[str], now: dt.datetime) -> dict[str, tuple[int, ...]]:
    today = now.astimezone(dt.UTC).date()
    first = today - dt.timedelta(days=TREND_DAYS - 1)
    counted = (
        select(QuestionRow.cluster, QuestionSightingRow.day, func.count())
        .join(QuestionRow, QuestionRow.id == QuestionSightingRow.question)
        .where(QuestionRow.cluster.in_(clusters), QuestionSightingRow.day >= first)
        .group_by(QuestionRow.cluster, QuestionSightingRow.day)
    )
    by_day: dict[tuple[str, dt.date], int] = defaultdict(int)
    for cluster, day, count in session.execute(counted):
        by_day[str(cluster), day] = count
    days = [first + dt.timedelta(days=number) for number in range(TREND_DAYS)]
    return {cluster: tuple(by_day[cluster, day] for day in days) for cluster in clusters}
