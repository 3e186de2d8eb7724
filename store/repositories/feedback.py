"""Feedback in the database."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, select, tuple_
from sqlalchemy.orm import Session

from store.content import KeepsText
from store.database import Database
from store.feedback import Feedback, FeedbackReason, FeedbackTexts, HelpfulRate, Verdict, Verdicts
from store.repositories.decisions import Decisions, decisions_of
from store.sorting import Order, Sort, in_order, sort_of
from store.tables import FeedbackRow, FeedbackTextRow, PromptRow
from store.types import Decision, Words

MAX_PAGE = 200
MOST_RATES = 1000
Place = tuple[dt.datetime, str]
"""Time of the last change and decision of feedback, which is where a page ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackFilter:
    """Which feedback is wanted; None means any."""

    verdict: Verdict | None = None
    assistant: str | None = None
    among: frozenset[str] = frozenset()
    """Assistants of a tenant; empty means all."""
    prompt: str | None = None
    version: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    """Before that moment."""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """Feedback beside what was decided and said, as far as that is still kept."""

    feedback: Feedback
    decision: Decision | None
    words: Words | None


_PROMPT = func.coalesce(FeedbackRow.prompt_key, "")
SORTS: Mapping[str, Sort[JudgedAnswer]] = {
    "at": Sort(dt.datetime, lambda one: one.feedback.changed_at, FeedbackRow.changed_at),
    "verdict": Sort(str, lambda one: one.feedback.verdict.value, FeedbackRow.verdict),
    "prompt": Sort(str, lambda one: one.feedback.prompt_key or "", _PROMPT),
}
"""Columns that lists are sorted by."""


class FeedbackStore:
    """One piece of feedback for each decision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, decision: str, session: Session | None = None) -> Feedback | None:
        """Returns the feedback on a decision, None when there is none."""
        with self._database.reading(session) as opened:
            row = opened.get(FeedbackRow, decision)
            return None if row is None else _load(row, opened.get(FeedbackTextRow, decision))

    def put(self, feedback: Feedback, *, session: Session) -> None:
        """Stores feedback in place of what was said of the same decision before."""
        session.execute(delete(FeedbackTextRow).where(FeedbackTextRow.decision == feedback.decision))
        session.merge(
            FeedbackRow(
                decision=feedback.decision,
                given_at=feedback.given_at,
                changed_at=feedback.changed_at,
                principal=feedback.principal,
                assistant=feedback.assistant,
                prompt_key=feedback.prompt_key,
                prompt_version=feedback.prompt_version,
                verdict=feedback.verdict.value,
                reasons=[reason.value for reason in feedback.reasons],
            )
        )
        if texts := feedback.texts:
            row = FeedbackTextRow(
                decision=feedback.decision, kept=texts.kept.value, comment=texts.comment, better=texts.better
            )
            session.add(row)
        session.flush()

    def page(
        self, wanted: FeedbackFilter, *, limit: int, before: Place | None = None, session: Session | None = None
    ) -> tuple[JudgedAnswer, ...]:
        """Returns up to `limit` pieces of feedback with what they are about, the last changed first."""
        query = _chosen(wanted).order_by(FeedbackRow.changed_at.desc(), FeedbackRow.decision.desc())
        if before is not None:
            query = query.where(tuple_(FeedbackRow.changed_at, FeedbackRow.decision) < before)
        return self._judged(query.limit(max(1, min(limit, MAX_PAGE))), session)

    def _judged(self, query: Select[FeedbackRow, FeedbackTextRow], session: Session | None) -> tuple[JudgedAnswer, ...]:
        with self._database.reading(session) as opened:
            rows = opened.execute(query).all()
            recorded = Decisions(self._database).of_ids([row.decision for row, _ in rows], opened)
            found = []
            for row, texts in rows:
                about = recorded.get(row.decision)
                found.append(
                    JudgedAnswer(_load(row, texts), about.decision if about else None, about.words if about else None)
                )
            return tuple(found)

    def sorted_page(
        self, wanted: FeedbackFilter, order: Order, *, limit: int, session: Session | None = None
    ) -> tuple[JudgedAnswer, ...]:
        """Returns such a page in an order of `SORTS`."""
        query = in_order(_chosen(wanted), order, sort_of(SORTS, order).by, FeedbackRow.decision)
        return self._judged(query.limit(max(1, min(limit, MAX_PAGE))), session)

    def count(self, wanted: FeedbackFilter, *, most: int, session: Session | None = None) -> int:
        """Returns how much is wanted, counted up to `most`."""
        some = select(FeedbackRow.decision).where(*_conditions(wanted)).limit(most).subquery()
        with self._database.reading(session) as opened:
            return opened.execute(select(func.count()).select_from(some)).scalar_one()

    def all(self, wanted: FeedbackFilter) -> Iterator[JudgedAnswer]:
        """Gives all that is wanted, page by page."""
        before: Place | None = None
        while found := self.page(wanted, limit=MAX_PAGE, before=before):
            yield from found
            before = (found[-1].feedback.changed_at, found[-1].feedback.decision)

    def rates(self, wanted: FeedbackFilter, session: Session | None = None) -> tuple[HelpfulRate, ...]:
        """Returns the helpful rate of each prompt version, by assistant, prompt and version; the first 1,000."""
        up = func.sum(case((FeedbackRow.verdict == Verdict.UP.value, 1), else_=0))
        keys = (FeedbackRow.assistant, FeedbackRow.prompt_key, FeedbackRow.prompt_version)
        query = select(*keys, up, func.count()).where(*_conditions(wanted))
        query = query.where(FeedbackRow.prompt_key.is_not(None), FeedbackRow.prompt_version.is_not(None))
        query = query.group_by(*keys).order_by(*keys).limit(MOST_RATES)
        with self._database.reading(session) as opened:
            return tuple(
                HelpfulRate(assistant, str(key), int(version or 0), int(ups), count - int(ups))
                for assistant, key, version, ups, count in opened.execute(query)
            )

    def live_verdicts(
        self,
        keys: Collection[str] | None = None,
        *,
        among: frozenset[str] = frozenset(),
        session: Session | None = None,
    ) -> dict[str, Verdicts]:
        """Returns what was said of the live version of each prompt, those without a verdict left out."""
        up = func.sum(case((FeedbackRow.verdict == Verdict.UP.value, 1), else_=0)).label("up")
        version = (FeedbackRow.prompt_key, FeedbackRow.prompt_version)
        said = select(*version, up, func.count().label("count")).group_by(*version)
        said = said.where(*_conditions(FeedbackFilter(among=among)))
        if keys is not None:
            said = said.where(FeedbackRow.prompt_key.in_(sorted(keys)))
        one = said.subquery()
        is_live = (PromptRow.key == one.c.prompt_key) & (PromptRow.live_version == one.c.prompt_version)
        query = select(one.c.prompt_key, one.c.up, one.c.count).join(PromptRow, is_live)
        with self._database.reading(session) as opened:
            rows = opened.connection().execute(query)
            return {str(key): Verdicts(int(ups), count - int(ups)) for key, ups, count in rows}

    def forget(self, person: str, *, among: frozenset[str] = frozenset(), session: Session) -> int:
        """Deletes what a person said beside verdicts, and returns how many texts that were.

        Whose a decision is stands there alone: call this before the decisions forget it.
        """
        theirs = decisions_of(person, among)
        # Held, so that nobody gives feedback on them until they are forgotten.
        session.execute(theirs.with_for_update())
        found: Any = session.execute(delete(FeedbackTextRow).where(FeedbackTextRow.decision.in_(theirs)))
        return int(found.rowcount)


def _chosen(wanted: FeedbackFilter) -> Select[FeedbackRow, FeedbackTextRow]:
    query = select(FeedbackRow, FeedbackTextRow).where(*_conditions(wanted))
    return query.join(FeedbackTextRow, FeedbackTextRow.decision == FeedbackRow.decision, isouter=True)


def _conditions(wanted: FeedbackFilter) -> list[ColumnElement[bool]]:
    equal: tuple[tuple[Any, str | int | None], ...] = (
        (FeedbackRow.verdict, wanted.verdict.value if wanted.verdict else None),
        (FeedbackRow.assistant, wanted.assistant),
        (FeedbackRow.prompt_key, wanted.prompt),
        (FeedbackRow.prompt_version, wanted.version),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.among:
        found.append(FeedbackRow.assistant.in_(tuple(wanted.among)))
    if wanted.since is not None:
        found.append(FeedbackRow.changed_at >= wanted.since)
    if wanted.until is not None:
        found.append(FeedbackRow.changed_at < wanted.until)
    return found


def _load(row: FeedbackRow, texts: FeedbackTextRow | None) -> Feedback:
    said = None
    if texts is not None:
        said = FeedbackTexts(kept=KeepsText(texts.kept), comment=texts.comment, better=texts.better)
    return Feedback(
        decision=row.decision,
        given_at=row.given_at,
        changed_at=row.changed_at,
        principal=row.principal,
        assistant=row.assistant,
        prompt_key=row.prompt_key,
        prompt_version=row.prompt_version,
        verdict=Verdict(row.verdict),
        reasons=tuple(FeedbackReason(reason) for reason in row.reasons),
        texts=said,
    )
