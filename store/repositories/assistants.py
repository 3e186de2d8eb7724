"""Assistants in the database."""

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from store.content import Assistant
from store.database import Database
from store.errors import InvalidContent, NotFound
from store.plain import to_plain
from store.tables import AssistantRow, AssistantStateRow


class Assistants:
    """Reads and replaces assistants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, session: Session | None = None) -> tuple[Assistant, ...]:
        """Returns every assistant, by name. Raises `InvalidContent` for one that is not valid."""
        with self._database.reading(session) as opened:
            return tuple(_load(row) for row in opened.scalars(select(AssistantRow).order_by(AssistantRow.name)))

    def save(self, assistant: Assistant, *, revision: int, session: Session | None = None) -> None:
        """Stores the assistant as it is from `revision` on, and keeps that state for good."""
        document = to_plain(assistant)
        with self._database.writing(session) as opened:
            row = opened.get(AssistantRow, assistant.name)
            if row is None:
                opened.add(AssistantRow(name=assistant.name, document=document, revision=revision))
            else:
                row.document, row.revision = document, revision
            opened.add(AssistantStateRow(name=assistant.name, revision=revision, document=document))
            opened.flush()

    def remove(self, name: str, session: Session | None = None) -> None:
        """Removes an assistant. Raises `NotFound`."""
        with self._database.writing(session) as opened:
            row = opened.get(AssistantRow, name)
            if row is None:
                raise NotFound(f"there is no assistant {name}")
            opened.delete(row)
            opened.flush()


def _load(row: AssistantRow) -> Assistant:
    try:
        return msgspec.convert(row.document, Assistant)
    except msgspec.ValidationError as error:
        raise InvalidContent(f"assistant {row.name} in the database is not valid: {error}") from error
