"""Changes in the database. Every write names the state it was made from, and fails when that has moved."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import uuid_utils
from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.orm import Session

from store.changes.authors import NOBODY, People, people_of
from store.changes.documents import hash_of, hash_of_edits
from store.changes.ordering import SORTS, chosen
from store.changes.types import Change, ChangeEvent, ChangeHead, ChangeState, EditKind, EventKind, Item, StoredEdit
from store.database import Database
from store.errors import Conflict, NotFound
from store.people import Actor
from store.readable import require_readable
from store.sorting import Order, in_order, sort_of
from store.tables import ChangeAuthorRow, ChangeEditRow, ChangeEventRow, ChangeRow

_COLUMNS = tuple(column.key for column in ChangeRow.__table__.columns if column.key != "state")


def new_id() -> UUID:
    """Returns a UUIDv7: ids sort by the time they were made."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


class Changes:
    """Reads and writes changes; knows no rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        *,
        title: str,
        note: str,
        at: dt.datetime,
        reverts: UUID | None = None,
        purpose: str = "",
        session: Session,
    ) -> ChangeHead:
        """Adds an empty draft."""
        row = ChangeRow(
            id=new_id(),
            title=title,
            note=note,
            state=ChangeState.DRAFT.value,
            rev=1,
            created_at=at,
            updated_at=at,
            content_hash=hash_of_edits(()),
            schedule_problem="",
            is_emergency=False,
            reverts=reverts,
            purpose=purpose,
        )
        session.add(row)
        session.flush()
        return ChangeHead(**_values(row, NOBODY, ()))

    def get(self, change_id: UUID, session: Session | None = None) -> Change:
        """Returns a change with its documents and events. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            row = opened.get(ChangeRow, change_id, populate_existing=True)
            if row is None:
                raise NotFound(f"there is no change {change_id}")
            query = select(ChangeEditRow).where(ChangeEditRow.change_id == change_id)
            fresh = query.execution_options(populate_existing=True)
            edits = tuple(sorted((edit_of(one) for one in opened.scalars(fresh)), key=lambda edit: edit.item))
            told = select(ChangeEventRow).where(ChangeEventRow.change_id == change_id).order_by(ChangeEventRow.id)
            return Change(
                **_values(row, people_of(opened, [row])[change_id], tuple(edit.item for edit in edits)),
                edits=edits,
                events=tuple(_event(one) for one in opened.scalars(told)),
            )

    def hold(self, change_id: UUID, session: Session) -> None:
        """Keeps every other transaction that holds the change waiting until this one ends."""
        session.execute(select(ChangeRow.id).where(ChangeRow.id == change_id).with_for_update())

    def page(
        self,
        *,
        limit: int,
        after: UUID | None = None,
        states: Collection[ChangeState] = (),
        author: str | None = None,
        item: Item | None = None,
        purpose: str | None = None,
        session: Session | None = None,
    ) -> tuple[ChangeHead, ...]:
        """Returns changes without their documents, newest first, those older than `after`."""
        query = chosen(states=states, author=author, item=item, purpose=purpose)
        query = query.order_by(ChangeRow.id.desc()).limit(limit)
        if after is not None:
            query = query.where(ChangeRow.id < after)
        with self._database.reading(session) as opened:
            return self.heads_of(opened, opened.scalars(query).all())

    def sorted_page(
        self,
        order: Order,
        *,
        limit: int,
        states: Collection[ChangeState] = (),
        author: str | None = None,
        session: Session | None = None,
    ) -> tuple[ChangeHead, ...]:
        """Returns changes without their documents in an order of `SORTS`."""
        query = chosen(states=states, author=author)
        query = in_order(query, order, sort_of(SORTS, order).by, ChangeRow.id, of_key=UUID)
        with self._database.reading(session) as opened:
            return self.heads_of(opened, opened.scalars(query.limit(limit)).all())

    def heads(self, ids: Sequence[UUID], session: Session | None = None) -> tuple[ChangeHead, ...]:
        """Returns the changes of those ids that there are, oldest first."""
        found: list[ChangeRow] = []
        with self._database.reading(session) as opened:
            for start in range(0, len(ids), _BATCH):
                some = ChangeRow.id.in_(ids[start : start + _BATCH])
                found += opened.scalars(select(ChangeRow).where(some))
            return self.heads_of(opened, sorted(found, key=lambda row: row.id))

    def due(self, at: dt.datetime, session: Session | None = None) -> tuple[UUID, ...]:
        """Returns the approved changes whose time has come, the earliest first."""
        query = (
            select(ChangeRow.id)
            .where(ChangeRow.state == ChangeState.APPROVED.value, ChangeRow.publish_at <= at)
            .order_by(ChangeRow.publish_at, ChangeRow.id)
        )
        with self._database.reading(session) as opened:
            return tuple(opened.scalars(query))

    def edit(self, change_id: UUID, item: Item, session: Session) -> StoredEdit | None:
        """Returns one edit without reading the others, None when the change does not touch the item."""
        row = session.get(ChangeEditRow, (change_id, item.kind.value, item.name), populate_existing=True)
        return None if row is None else edit_of(row)

    def live_with(self, items: Iterable[Item], session: Session) -> Mapping[UUID, tuple[int, frozenset[Item]]]:
        """Returns the live changes that touch one of the items: their revision, and everything that they touch."""
        names: dict[EditKind, list[str]] = {}
        for item in items:
            names.setdefault(item.kind, []).append(item.name)
        found: set[UUID] = set()
        for kind, wanted in names.items():
            for start in range(0, len(wanted), _BATCH):
                query = (
                    select(ChangeRow.id)
                    .join(ChangeEditRow, ChangeEditRow.change_id == ChangeRow.id)
                    .where(
                        ChangeRow.state == ChangeState.LIVE.value,
                        ChangeEditRow.kind == kind.value,
                        ChangeEditRow.name.in_(wanted[start : start + _BATCH]),
                    )
                )
                found.update(session.scalars(query))
        return {
            head.id: (head.published_revision or 0, frozenset(head.items)) for head in self.heads([*found], session)
        }

    def write(self, change_id: UUID, rev: int, values: Mapping[str, Any], *, at: dt.datetime, session: Session) -> None:
        """Moves the change from `rev` to the next with new values of columns, in one statement.

        Raises `Conflict` when the change is not at `rev` any more, and `NotFound`.
        """
        plain = {name: value.value if isinstance(value, ChangeState) else value for name, value in values.items()}
        statement = (
            update(ChangeRow)
            .where(ChangeRow.id == change_id, ChangeRow.rev == rev)
            .values(**plain, rev=rev + 1, updated_at=at)
            .execution_options(synchronize_session=False)
        )
        if not cast("CursorResult[Any]", session.execute(statement)).rowcount:
            if session.scalar(select(ChangeRow.rev).where(ChangeRow.id == change_id)) is None:
                raise NotFound(f"there is no change {change_id}")
            raise Conflict(
                "somebody else wrote this change meanwhile. Read it again; nothing was written.", rule="change_moved"
            )

    def put_edits(
        self, change_id: UUID, edits: Iterable[StoredEdit], session: Session, *, replaced: Collection[Item]
    ) -> None:
        """Puts edits into the change, in place of those it has: `replaced` names these at least. `write` goes first."""
        rows = []
        for edit in edits:
            if edit.item in replaced:
                session.execute(_delete(change_id, edit.item))
            rows.append(
                {
                    "change_id": change_id,
                    "kind": edit.kind.value,
                    "name": edit.name,
                    "document": None if edit.document is None else dict(edit.document),
                    "document_hash": hash_of(edit.document),
                    "base": edit.base,
                    "base_document": None if edit.base_document is None else dict(edit.base_document),
                }
            )
        if rows:
            session.connection().execute(insert(ChangeEditRow), rows)

    def drop_edit(self, change_id: UUID, item: Item, session: Session) -> None:
        """Takes the edit of a document out. `write` goes first."""
        session.execute(_delete(change_id, item))

    def content_hash(self, change_id: UUID, session: Session) -> str:
        """Returns the hash of the edits as they are in the database now, from the documents themselves."""
        query = select(ChangeEditRow).where(ChangeEditRow.change_id == change_id)
        rows = session.scalars(query.execution_options(populate_existing=True))
        return hash_of_edits((Item(EditKind(row.kind), row.name), hash_of(row.document), row.base) for row in rows)

    def note_content(self, change_id: UUID, session: Session) -> str:
        """Notes the hash of the edits with the change, from the hashes of its documents, and returns it."""
        columns = (ChangeEditRow.kind, ChangeEditRow.name, ChangeEditRow.document_hash, ChangeEditRow.base)
        rows = session.execute(select(*columns).where(ChangeEditRow.change_id == change_id))
        digest = hash_of_edits((Item(EditKind(kind), name), hashed, base) for kind, name, hashed, base in rows)
        statement = update(ChangeRow).where(ChangeRow.id == change_id).values(content_hash=digest)
        session.execute(statement.execution_options(synchronize_session=False))
        return digest

    def add_author(self, change_id: UUID, person: str, session: Session) -> None:
        """Counts the person among the authors, for good."""
        if session.get(ChangeAuthorRow, (change_id, person)) is None:
            session.add(ChangeAuthorRow(change_id=change_id, person=person))
            session.flush()

    def tell(  # noqa: PLR0917 -- each is a column
        self, change_id: UUID, kind: EventKind, actor: Actor, text: str, place: str, at: dt.datetime, session: Session
    ) -> None:
        """Adds to the change's story. Raises `InvalidContent` for characters that no reader sees."""
        require_readable("text", text)
        require_readable("place", place)
        row = {
            "id": new_id(),
            "change_id": change_id,
            "at": at,
            "kind": kind.value,
            "actor": actor.id,
            "name": actor.name,
            "person": actor.person,
            "text": text,
            "place": place,
        }
        session.connection().execute(insert(ChangeEventRow), row)

    def heads_of(self, session: Session, rows: Sequence[ChangeRow]) -> tuple[ChangeHead, ...]:
        """Returns the changes of these rows without their documents."""
        ids = [row.id for row in rows]
        people = people_of(session, rows)
        items: dict[UUID, list[Item]] = {one: [] for one in ids}
        for start in range(0, len(ids), _BATCH):
            query = select(ChangeEditRow.change_id, ChangeEditRow.kind, ChangeEditRow.name)
            for change_id, kind, name in session.execute(
                query.where(ChangeEditRow.change_id.in_(ids[start : start + _BATCH]))
            ):
                items[change_id].append(Item(EditKind(kind), name))
        return tuple(ChangeHead(**_values(row, people[row.id], tuple(sorted(items[row.id])))) for row in rows)


_BATCH = 500
"""Ids in one statement; SQLite takes a limited number of parameters."""


def _delete(change_id: UUID, item: Item) -> Any:
    return delete(ChangeEditRow).where(
        ChangeEditRow.change_id == change_id, ChangeEditRow.kind == item.kind.value, ChangeEditRow.name == item.name
    )


def _values(row: ChangeRow, people: People, items: tuple[Item, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    who = {"authors": people.authors, "hands": people.hands}
    return values | {"state": ChangeState(row.state), **who, "items": items}


def edit_of(row: ChangeEditRow) -> StoredEdit:
    """Returns a row as an edit."""
    return StoredEdit(EditKind(row.kind), row.name, row.document, row.base, row.base_document)


def _event(row: ChangeEventRow) -> ChangeEvent:
    return ChangeEvent(row.id, row.at, EventKind(row.kind), row.actor, row.name, row.person, row.text, row.place)
