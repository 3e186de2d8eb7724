"""Lists of what is live, a page at a time, without reading whole documents of prompts."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Select, SQLColumnExpression, Text, func, literal, select
from sqlalchemy.orm import Session

from store.changes.documents import hash_of
from store.changes.history import live_assistant
from store.changes.live import Ground
from store.changes.types import EditKind, Item
from store.database import Database
from store.folding import folded
from store.people import Actor
from store.repositories.policies import Policies
from store.repositories.suites import Suites
from store.sorting import Mark, Order, in_order
from store.tables import AssistantRow, PromptRow, PromptVersionRow

_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to."""

    search: str | None = None
    """A part of the name, the title or a phrasing, in any case."""
    area: str | None = None
    assistant: str | None = None
    language: str | None = None
    """Of prompts, as what follows."""
    review_before: dt.date | None = None
    """Those whose time for review is before that day."""
    names: frozenset[str] | None = None
    """Those of these names alone; None means any."""
    but: frozenset[str] = frozenset()
    """Those of none of these names."""
    owner: str | None = None


SORTS: Mapping[str, SQLColumnExpression[Any]] = {
    "key": PromptRow.key,
    "title": PromptRow.folded_title,
    "owner": PromptRow.owner,
    "phrasings": PromptRow.phrasings,
    "review": PromptRow.review_by,
}
"""Columns that lists of prompts are sorted by."""
BY_NAME = Order("key")


@dataclass(frozen=True, slots=True)
class ContentHead:
    """A live document in a list. What its kind does not have is empty or None."""

    name: str
    title: str
    digest: str
    number: int
    area: str = ""
    owner: str = ""
    language: str = ""
    audience: str = ""
    review_by: dt.date | None = None
    assistants: tuple[str, ...] = ()
    """Those that use it, as far as the reader may know of them."""
    phrasings: int = 0
    """How many sentences people ask a prompt with."""


class ContentLists:
    """Reads lists."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        actor: Actor,
        kind: EditKind,
        wanted: Wanted,
        ground: Ground,
        *,
        limit: int,
        after: str | None,
        session: Session,
    ) -> tuple[ContentHead, ...]:
        """Returns live documents of the actor's tenant, by name."""
        if kind is EditKind.PROMPT:
            order = BY_NAME if after is None else replace(BY_NAME, after=Mark(after, after))
            return self.prompts(actor, wanted, ground, order, limit=limit, session=session)
        found = [
            head
            for item, head, document in self._named(kind, actor, ground, session)
            if ground.sees(actor, item, document) and _is_wanted(head, wanted) and (after is None or head.name > after)
        ]
        return tuple(sorted(found, key=lambda head: head.name)[:limit])

    def prompts(
        self, actor: Actor, wanted: Wanted, ground: Ground, order: Order, *, limit: int, session: Session
    ) -> tuple[ContentHead, ...]:
        """Returns live prompts of the actor's tenant in an order of `SORTS`."""
        query = self._wanted(select(PromptRow.key, PromptRow.phrasings, PromptVersionRow), actor, wanted, ground)
        rows = session.execute(in_order(query, order, SORTS[order.column], PromptRow.key).limit(limit)).all()
        return tuple(_prompt_head(key, row, count, actor, ground) for key, count, row in rows)

    def keys(self, actor: Actor, wanted: Wanted, ground: Ground, *, session: Session) -> tuple[str, ...]:
        """Returns the keys of all live prompts that are wanted, in no order."""
        query = self._wanted(select(PromptRow.key), actor, wanted, ground, has_version=wanted.language is not None)
        # The session would look at each of ten thousand rows once more.
        return tuple(session.connection().scalars(query))

    def _wanted(
        self, query: _Query, actor: Actor, wanted: Wanted, ground: Ground, *, has_version: bool = True
    ) -> _Query:
        query = query.where(PromptRow.live_version.is_not(None))
        if has_version:  # for ten thousand prompts the join takes three times as long as the rest
            is_live = (PromptVersionRow.prompt_id == PromptRow.id) & (PromptVersionRow.number == PromptRow.live_version)
            query = query.join(PromptVersionRow, is_live)
        if wanted.area is not None:
            query = query.where(PromptRow.area == wanted.area)
        for name in (wanted.assistant, None) if wanted.assistant is not None else (None,):
            if name is not None or actor.assistants:
                query = query.where(PromptRow.area.in_(sorted(_areas(actor, ground, name))))
        if wanted.search:
            # Both are folded already. LIKE would fold once more, and takes half as long again.
            found = func.instr if self._database.is_sqlite else func.strpos
            query = query.where(found(PromptRow.searched, folded(wanted.search)) > 0)
        return query.where(*self._narrowed(wanted))

    def _named(
        self, kind: EditKind, actor: Actor, ground: Ground, session: Session
    ) -> Iterator[tuple[Item, ContentHead, Mapping[str, Any]]]:
        mine = [one for one in ground.assistants.values() if actor.may_see(one.name)]
        match kind:
            case EditKind.ASSISTANT:
                for row in session.scalars(select(AssistantRow)):
                    live = live_assistant(row)
                    title = str(live.document["title"])
                    head = ContentHead(row.name, title, live.digest, row.revision, assistants=(row.name,))
                    yield Item(kind, row.name), head, live.document
            case EditKind.POLICY:
                for policy in Policies(self._database).live(session):
                    users = tuple(one.name for one in mine if one.policy == policy.name)
                    digest = hash_of(policy.document)
                    head = ContentHead(policy.name, policy.name, digest, policy.revision, assistants=users)
                    yield Item(kind, policy.name), head, policy.document
            case _:
                for suite in Suites(self._database).live(session):
                    asked = suite.document.get("assistant") or (mine[0].name if len(mine) == 1 else None)
                    title, digest = str(suite.document.get("title", suite.name)), hash_of(suite.document)
                    users = (str(asked),) if asked else ()
                    head = ContentHead(suite.name, title, digest, suite.revision, assistants=users)
                    yield Item(EditKind.SUITE, suite.name), head, suite.document

    def _narrowed(self, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
        if wanted.language is not None:
            yield PromptVersionRow.language == wanted.language
        if wanted.review_before is not None:
            yield PromptRow.review_by < wanted.review_before
        if wanted.names is not None:
            yield PromptRow.key.in_(self._listed(wanted.names))
        if wanted.but:
            yield PromptRow.key.not_in(self._listed(wanted.but))
        if wanted.owner is not None:
            yield PromptRow.owner == wanted.owner

    def _listed(self, names: Collection[str]) -> Select[str]:
        """Returns names as a query of one parameter: a database takes a limited number, and time for each."""
        if self._database.is_sqlite:
            text = msgspec.json.encode(sorted(names)).decode()
            return select(func.json_each(text).table_valued("value").c.value)
        return select(func.unnest(literal(sorted(names), ARRAY(Text))).column_valued("value"))


def _is_wanted(head: ContentHead, wanted: Wanted) -> bool:
    if wanted.assistant is not None and wanted.assistant not in head.assistants:
        return False
    return not wanted.search or folded(wanted.search) in folded(f"{head.name}\n{head.title}")


def _areas(actor: Actor, ground: Ground, assistant: str | None) -> set[str]:
    """Returns the areas of the actor's assistants, or of the named one."""
    seen = [one for one in ground.assistants.values() if actor.may_see(one.name) and assistant in (None, one.name)]
    return {area for one in seen for area in one.areas}


def _prompt_head(key: str, row: PromptVersionRow, count: int, actor: Actor, ground: Ground) -> ContentHead:
    users = tuple(
        name for name, one in sorted(ground.assistants.items()) if row.area in one.areas and actor.may_see(name)
    )
    return ContentHead(
        name=key,
        title=row.title,
        digest=row.sha256,
        number=row.number,
        area=row.area,
        owner=row.owner,
        language=row.language,
        audience=row.audience,
        review_by=row.review_by,
        assistants=users,
        phrasings=count,
    )
