"""What was live over time: the live state of a document with its number, and all states that it had."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from store.changes.documents import hash_of, plain_document
from store.changes.types import EditKind, Item
from store.content import Assistant
from store.database import Database
from store.errors import InvalidContent, NotFound
from store.formats.bundle import convert_document
from store.repositories.prompts import Prompts
from store.tables import (
    AssistantRow,
    AssistantStateRow,
    PolicyRow,
    PromptRow,
    PromptVersionRow,
    RevisionRow,
    SuiteRow,
)


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a document that was live at some time."""

    number: int
    """Of a prompt, its version; of everything else, the revision that made it live."""
    at: dt.datetime
    author: str
    note: str
    digest: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class LiveDocument:
    """What is live of an item."""

    number: int
    """As a version's."""
    digest: str
    document: Mapping[str, Any]


class History:
    """Reads states of documents; knows of no tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def live(self, item: Item, session: Session | None = None) -> LiveDocument | None:
        """Returns what is live, None when nothing is."""
        with self._database.reading(session) as opened:
            if item.kind is EditKind.PROMPT:
                found = Prompts(self._database).live_of([item.name], opened)
                return (
                    LiveDocument(found[0].number, found[0].sha256, plain_document(found[0].content)) if found else None
                )
            if item.kind is EditKind.ASSISTANT:
                kept = opened.get(AssistantRow, item.name)
                return None if kept is None else live_assistant(kept)
            newest = _opaque_states(item, opened, newest_only=True)
            revision, document = newest[0] if newest else (0, None)
            return None if document is None else LiveDocument(revision, hash_of(document), document)

    def page(
        self, item: Item, *, limit: int, before: int | None = None, session: Session | None = None
    ) -> tuple[Version, ...]:
        """Returns the states of a document, the newest first, those with a lower number than `before`."""
        with self._database.reading(session) as opened:
            live = self.live(item, opened)
            number = live.number if live else None
            if item.kind is EditKind.PROMPT:
                query = _prompt_versions(item.name).order_by(PromptVersionRow.number.desc()).limit(limit)
                if before is not None:
                    query = query.where(PromptVersionRow.number < before)
                return tuple(
                    Version(row.number, row.created_at, row.author, row.note, row.sha256, row.number == number)
                    for row in opened.scalars(query)
                )
            states = self._states(item, opened)
            wanted = sorted((one for one in states if before is None or one < before), reverse=True)[:limit]
            said = {
                row.number: row for row in opened.scalars(select(RevisionRow).where(RevisionRow.number.in_(wanted)))
            }
            return tuple(
                Version(one, said[one].at, said[one].author, said[one].note, hash_of(states[one]), one == number)
                for one in wanted
                if one in said
            )

    def get(self, item: Item, number: int, session: Session | None = None) -> Mapping[str, Any]:
        """Returns the document of one state. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            if item.kind is EditKind.PROMPT:
                return plain_document(Prompts(self._database).version(item.name, number, opened).content)
            found = self._states(item, opened).get(number)
            if found is None:
                raise NotFound(f"there is no version {number} of {item}")
            return found

    @staticmethod
    def _states(item: Item, session: Session) -> dict[int, Mapping[str, Any]]:
        """Returns the documents by revision; removals are not among them."""
        if item.kind is EditKind.ASSISTANT:
            return _assistant_states(item.name, session)
        return {revision: document for revision, document in _opaque_states(item, session) if document is not None}


def _assistant_states(name: str, session: Session) -> dict[int, Mapping[str, Any]]:
    query = select(AssistantStateRow.revision, AssistantStateRow.document).where(AssistantStateRow.name == name)
    return {revision: _assistant_document(document) for revision, document in session.execute(query)}


def _assistant_document(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns a state in its stored form; one of an older version that is no longer valid is told as it was."""
    try:
        return plain_document(convert_document(document, Assistant))
    except InvalidContent:
        return document


def _opaque_states(
    item: Item, session: Session, *, newest_only: bool = False
) -> list[tuple[int, dict[str, Any] | None]]:
    """Returns the states of a policy or test set, the newest first, by the revision that made each."""
    table: Any = PolicyRow if item.kind is EditKind.POLICY else SuiteRow
    query = select(table.revision, table.document).where(table.name == item.name).order_by(table.revision.desc())
    return [(revision, document) for revision, document in session.execute(query.limit(1) if newest_only else query)]


def live_assistant(row: AssistantRow) -> LiveDocument:
    """Returns an assistant in its stored form, as it is hashed everywhere. Raises `InvalidContent`."""
    document = plain_document(convert_document(row.document, Assistant))
    return LiveDocument(row.revision, hash_of(document), document)


def _prompt_versions(key: str) -> Select[PromptVersionRow]:
    return (
        select(PromptVersionRow).join(PromptRow, PromptRow.id == PromptVersionRow.prompt_id).where(PromptRow.key == key)
    )
