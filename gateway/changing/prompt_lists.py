"""Lists of prompts for people: what is live beside how often it answers, whether it helps, and which change has it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.analysing import Analysing, Answers
from gateway.changing.services import Changing
from gateway.feedback import FeedbackDesk
from store.catalog import Catalog
from store.changes.lists import BY_NAME, ContentHead, Wanted
from store.changes.lists import SORTS as COLUMNS
from store.changes.types import OPEN_STATES, ChangeHead, EditKind
from store.feedback import Verdicts
from store.folding import folded
from store.people import Actor
from store.sorting import Order, Sort, sorted_by

USED_WITHIN = dt.timedelta(days=30)
"""Of the answers that are counted beside a prompt."""
LEAST_VERDICTS, HELPFUL_SHARE = 5, 0.5
"""A prompt does not help when at least so many said something of its live version, and a smaller share that it did."""
_CHANGES_AT_ONCE, _PROMPTS_AT_ONCE = 200, 1000


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
        contents = [
            one.content for one in catalog.prompts.values() if not actor.assistants or one.content.area in areas
        ]
        return cls(
            tuple(sorted(one.name for one in assistants)),
            tuple(sorted(areas)),
            tuple(sorted({one.language for one in contents})),
            tuple(sorted({one.owner for one in contents})),
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
        changes = self._open_changes(actor)
        answers = self._analysing.answers(actor)

        def rows_of(heads: Mapping[str, ContentHead | None]) -> tuple[PromptRow, ...]:
            verdicts = self._feedback.live_verdicts(actor, heads) if heads else {}
            return tuple(
                PromptRow(key, head, answers.of(key), verdicts.get(key), _is_due(head, now), changes.get(key))
                for key, head in heads.items()
            )

        if standing is Standing.IN_CHANGE:
            wanted = replace(wanted, names=frozenset(changes))
            new = dict.fromkeys(self._not_live(actor, changes, wanted))
            live = self._changing.contents.prompts(actor, wanted, BY_NAME, limit=len(changes) + 1)
            rows = rows_of(new | {head.name: head for head in live})
            return sorted_by(rows, order, SORTS[order.column], _key, limit)
        wanted = self._narrowed(actor, wanted, standing, now, answers)
        if order.column not in COLUMNS:
            keys = self._by_figures(actor, wanted, order, answers, limit)
            found = self._changing.contents.prompts(actor, replace(wanted, names=frozenset(keys)), BY_NAME, limit=limit)
            heads: Mapping[str, ContentHead] = {head.name: head for head in found}
            return rows_of({key: heads[key] for key in keys if key in heads})
        found = self._changing.contents.prompts(actor, wanted, order, limit=limit)
        return rows_of({head.name: head for head in found})

    def _by_figures(self, actor: Actor, wanted: Wanted, order: Order, answers: Answers, limit: int) -> list[str]:
        """Returns the keys of a page in the order of figures that are no column of prompts."""
        figures: Mapping[str, float] = answers.totals()
        least: float = 0
        if order.column == "helpful":
            figures, least = {key: one.rate for key, one in self._feedback.live_verdicts(actor).items()}, _NO_RATE
        keys = self._changing.contents.keys(actor, wanted)
        by_figure: Sort[str] = Sort(SORTS[order.column].kind, lambda key: figures.get(key, least))
        return list(sorted_by(keys, order, by_figure, str, limit))

    def live(
        self, actor: Actor, wanted: Wanted, *, standing: Standing | None, now: dt.datetime
    ) -> Iterator[ContentHead]:
        """Gives all that is live of a list, by key, to be taken along."""
        if standing is Standing.IN_CHANGE:
            wanted = replace(wanted, names=frozenset(self._open_changes(actor)))
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

    def _open_changes(self, actor: Actor) -> dict[str, ChangeHead]:
        """Returns the newest open change of each prompt that is in one."""
        found: dict[str, ChangeHead] = {}
        after = None
        while True:
            page = self._changing.drafts.page(actor, limit=_CHANGES_AT_ONCE, after=after, states=OPEN_STATES)
            for change in page.changes:
                for item in change.items:
                    if item.kind is EditKind.PROMPT:
                        found.setdefault(item.name, change)
            if (after := page.next) is None:
                return found

    def _not_live(self, actor: Actor, changes: Mapping[str, ChangeHead], wanted: Wanted) -> list[str]:
        """Returns the keys in changes that nothing live has, as far as key and area tell that they are wanted."""
        if wanted.assistant is not None or wanted.language is not None or wanted.owner is not None:
            return []
        everything = Wanted(names=frozenset(changes))
        live = self._changing.contents.page(actor, EditKind.PROMPT, everything, limit=len(changes) + 1, after=None)
        of_area = "" if wanted.area is None else f"{wanted.area}."
        text = (wanted.search or "").casefold()
        new = changes.keys() - {head.name for head in live}
        return [key for key in new if key.startswith(of_area) and text in key]


def is_unhelpful(found: Verdicts) -> bool:
    """Whether a prompt helps too few, as far as enough people said so."""
    return found.count >= LEAST_VERDICTS and found.rate < HELPFUL_SHARE


def _key(row: PromptRow) -> str:
    return row.key


def _is_due(head: ContentHead | None, now: dt.datetime) -> bool:
    return head is not None and head.review_by is not None and head.review_by < now.date()
