"""Lists of prompts for people: what is live beside how often it answers and which open change has it in hand."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.changing.services import Changing
from gateway.decision_archive import DecisionArchive
from store.changes.lists import ContentHead, Wanted
from store.changes.types import OPEN_STATES, ChangeHead, EditKind
from store.people import Actor

USED_WITHIN = dt.timedelta(days=30)
"""Of the answers that are counted beside a prompt."""
_CHANGES_AT_ONCE = 200


class Standing(StrEnum):
    """What a list of prompts is narrowed to."""

    IN_CHANGE = "in_change"
    """An open change would alter, add or remove it."""
    DUE = "due"
    """Its time for review is over."""


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt in a list."""

    key: str
    head: ContentHead | None
    """None for one that is not live yet."""
    answers: int
    """In the last 30 days."""
    is_due: bool
    change: ChangeHead | None
    """The newest open change that has it."""


class PromptLists:
    """Reads lists. Blocks: use a thread."""

    def __init__(self, changing: Changing, archive: DecisionArchive) -> None:
        self._changing = changing
        self._archive = archive

    def page(
        self,
        actor: Actor,
        wanted: Wanted,
        *,
        standing: Standing | None,
        now: dt.datetime,
        limit: int,
        after: str | None,
    ) -> tuple[PromptRow, ...]:
        """Returns prompts by key, those after `after`; with `IN_CHANGE` also those that are not live yet."""
        changes = self._open_changes(actor)
        new: dict[str, ContentHead | None] = {}
        if standing is Standing.DUE:
            wanted = replace(wanted, review_before=now.date())
        if standing is Standing.IN_CHANGE:
            wanted = replace(wanted, names=frozenset(changes))
            new = dict.fromkeys(self._not_live(actor, changes, wanted))
        heads = self._changing.contents.page(actor, EditKind.PROMPT, wanted, limit=limit, after=after)
        rows = new | {head.name: head for head in heads}
        keys = sorted(key for key in rows if after is None or key > after)[:limit]
        answers = self._archive.answers_of(actor, keys, since=now - USED_WITHIN) if keys else {}
        return tuple(
            PromptRow(key, head, answers[key], _is_due(head, now), changes.get(key))
            for key in keys
            for head in (rows[key],)
        )

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
        if wanted.assistant is not None or wanted.language is not None:
            return []
        everything = Wanted(names=frozenset(changes))
        live = self._changing.contents.page(actor, EditKind.PROMPT, everything, limit=len(changes) + 1, after=None)
        of_area = "" if wanted.area is None else f"{wanted.area}."
        text = (wanted.search or "").casefold()
        new = changes.keys() - {head.name for head in live}
        return [key for key in new if key.startswith(of_area) and text in key]


def _is_due(head: ContentHead | None, now: dt.datetime) -> bool:
    return head is not None and head.review_by is not None and head.review_by < now.date()
