"""Lists of prompts for people: what is live beside how often it answers, whether it helps, and which change has it."""

import datetime as dt
import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from gateway.analysing import Analysing, Answers
from gateway.changing.services import Changing
from gateway.feedback import FeedbackDesk
from store.catalog import Catalog
from store.changes.lists import BY_NAME, ContentHead, Wanted
from store.changes.lists import SORTS as COLUMNS
from store.changes.types import ChangeHead, EditKind
from store.feedback import Verdicts
from store.folding import folded
from store.people import Actor
from store.sorting import Order, Sort, sorted_by

USED_WITHIN = dt.timedelta(days=30)
"""Of the answers that are counted beside a prompt."""
LEAST_VERDICTS, HELPFUL_SHARE = 5, 0.5
"""A prompt does not help when at least so many said something of its live version, and a smaller share that it did."""
_PROMPTS_AT_ONCE = 1000


class Standing(StrEnum):
    """What a list of prompts is narrowed to."""

    IN_CHANGE = "in_change"
    """An open change would alter, add or remove it."""
    DUE = "due"
    """Its time for review is over."""
    UNUSED = "unused"
    """It answered nothing in 30 days."""
    UNHELPFUL = "unhelpful"
    """Too few of those who said something say that it helped."""


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt in a list."""

    key: str
    head: ContentHead | None
    """None for one that is not live yet."""
    days: tuple[int, ...]
    """How often it answered on each of the last 30 days, oldest first."""
    verdicts: Verdicts | None
    """None where nobody said anything of its live version."""
    is_due: bool
    change: ChangeHead | None
    """The newest open change that has it."""

    @property
    def answers(self) -> int:
        """In the last 30 days."""
        return sum(self.days)


_NO_RATE = -1.0
SORTS: Mapping[str, Sort[PromptRow]] = {
    "title": Sort(str, lambda row: folded(row.head.title) if row.head else ""),
    "owner": Sort(str, lambda row: row.head.owner if row.head else ""),
    "phrasings": Sort(int, lambda row: row.head.phrasings if row.head else 0),
    "answers": Sort(int, lambda row: row.answers),
    "helpful": Sort(float, lambda row: row.verdicts.rate if row.verdicts else _NO_RATE),
    "review": Sort(dt.date, lambda row: row.head.review_by or dt.date.min if row.head else dt.date.min),
}
"""Columns that a list is sorted by."""


@dataclass(frozen=True, slots=True)
class PromptChoices:
    """What a list of prompts can be narrowed to: nothing that only prompts of others have."""

    assistants: tuple[str, ...]
    areas: tuple[str, ...]
    languages: tuple[str, ...]
    owners: tuple[str, ...]

    @classmethod
    def of(cls, actor: Actor, catalog: Catalog) -> "PromptChoices":
        """Returns the choices of somebody; a tenant's are those of its own assistants and their prompts."""
        assistants = [one for name, one in catalog.assistants.items() if actor.may_see(name)]
        areas = {area for one in assistants for area in one.areas}
        shelves = [one for area, one in catalog.prompt_areas.items() if not actor.assistants or area in areas]
        return cls(
            tuple(sorted(one.name for one in assistants)),
            tuple(sorted(areas)),
            tuple(sorted(frozenset[str]().union(*(one.languages for one in shelves)))),
            tuple(sorted(frozenset[str]().union(*(one.owners for one in shelves)))),
        )


class PromptLists:
    """Reads lists. Blocks: use a thread."""

    def __init__(self, changing: Changing, analysing: Analysing, feedback: FeedbackDesk) -> None:
        self._changing = changing
        self._analysing = analysing
        self._feedback = feedback

    def page(
        self, actor: Actor, wanted: Wanted, order: Order, *, standing: Standing | None, now: dt.datetime, limit: int
    ) -> tuple[PromptRow, ...]:
        """Returns prompts in an order of `SORTS`; with `IN_CHANGE` also those that are not live yet."""
        answers, new = self._analysing.answers(actor), list[str]()
        if standing is Standing.IN_CHANGE:
            wanted = replace(wanted, names=self._changing.finder.names(actor, EditKind.PROMPT))
            new = self._not_live(actor, wanted)
        wanted = self._narrowed(actor, wanted, standing, now, answers)
        heads = self._live_page(actor, wanted, order, answers, limit)
        rows = self._rows(actor, heads, answers, now)
        if not new:
            return rows
        without = [PromptRow(key, None, answers.of(key), None, is_due=False, change=None) for key in new]
        chosen = sorted_by([*rows, *without], order, SORTS[order.column], _key, limit)
        return self._rows(actor, {row.key: row.head for row in chosen}, answers, now)

    def _rows(
        self, actor: Actor, heads: Mapping[str, ContentHead | None], answers: Answers, now: dt.datetime
    ) -> tuple[PromptRow, ...]:
        if not heads:
            return ()
        changes = self._changing.finder.newest_of(actor, EditKind.PROMPT, heads)
        verdicts = self._feedback.live_verdicts(actor, heads)
        return tuple(
            PromptRow(key, head, answers.of(key), verdicts.get(key), _is_due(head, now), changes.get(key))
            for key, head in heads.items()
        )

    def _live_page(
        self, actor: Actor, wanted: Wanted, order: Order, answers: Answers, limit: int
    ) -> Mapping[str, ContentHead]:
        prompts = self._changing.contents.prompts
        if order.column in COLUMNS:
            return {head.name: head for head in prompts(actor, wanted, order, limit=limit)}
        keys = self._by_figures(actor, wanted, order, answers, limit)
        found = prompts(actor, replace(wanted, names=frozenset(keys)), BY_NAME, limit=limit)
        heads = {head.name: head for head in found}
        return {key: heads[key] for key in keys if key in heads}

    def _by_figures(self, actor: Actor, wanted: Wanted, order: Order, answers: Answers, limit: int) -> list[str]:
        """Returns the keys of a page in the order of figures that are no column of prompts."""
        figures: Mapping[str, float] = answers.totals()
        least: float = 0
        if order.column == "helpful":
            figures, least = {key: one.rate for key, one in self._feedback.live_verdicts(actor).items()}, _NO_RATE
        places: Iterable[tuple[Any, str]] = (
            (figures.get(key, least), key) for key in self._changing.contents.keys(actor, wanted)
        )
        if order.after is not None:
            ends = (order.after.value, order.after.key)
            places = (place for place in places if (place < ends if order.is_down else place > ends))
        found = (heapq.nlargest if order.is_down else heapq.nsmallest)(limit, places)
        return [key for _, key in found]

    def live(
        self, actor: Actor, wanted: Wanted, *, standing: Standing | None, now: dt.datetime
    ) -> Iterator[ContentHead]:
        """Gives all that is live of a list, by key, to be taken along."""
        if standing is Standing.IN_CHANGE:
            wanted = replace(wanted, names=self._changing.finder.names(actor, EditKind.PROMPT))
        wanted = self._narrowed(actor, wanted, standing, now, None)
        after: str | None = None
        while True:
            heads = self._changing.contents.page(actor, EditKind.PROMPT, wanted, limit=_PROMPTS_AT_ONCE, after=after)
            yield from heads
            if len(heads) < _PROMPTS_AT_ONCE:
                return
            after = heads[-1].name

    def _narrowed(
        self, actor: Actor, wanted: Wanted, standing: Standing | None, now: dt.datetime, answers: Answers | None
    ) -> Wanted:
        match standing:
            case Standing.DUE:
                return replace(wanted, review_before=now.date())
            case Standing.UNUSED:
                return replace(wanted, but=(answers or self._analysing.answers(actor)).keys())
            case Standing.UNHELPFUL:
                found = self._feedback.live_verdicts(actor)
                return replace(wanted, names=frozenset(key for key, one in found.items() if is_unhelpful(one)))
        return wanted

    def _not_live(self, actor: Actor, wanted: Wanted) -> list[str]:
        """Returns the keys among `wanted.names` that nothing live has, as far as key and area tell that they fit."""
        if wanted.assistant is not None or wanted.language is not None or wanted.owner is not None:
            return []
        names = wanted.names or frozenset()
        of_area = "" if wanted.area is None else f"{wanted.area}."
        text = (wanted.search or "").casefold()
        new = names - set(self._changing.contents.keys(actor, Wanted(names=names)))
        return [key for key in new if key.startswith(of_area) and text in key]


def is_unhelpful(found: Verdicts) -> bool:
    """Whether a prompt helps too few, as far as enough people said so."""
    return found.count >= LEAST_VERDICTS and found.rate < HELPFUL_SHARE


def _key(row: PromptRow) -> str:
    return row.key


def _is_due(head: ContentHead | None, now: dt.datetime) -> bool:
    return head is not None and head.review_by is not None and head.review_by < now.date()
