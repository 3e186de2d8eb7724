"""Documents one at a time: what is live or drafted of each, and edits of them that go into a change, never live."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from store.changes.desk import Desk
from store.changes.documents import hash_of
from store.changes.held import OpenChanges
from store.changes.history import History, LiveDocument, Version
from store.changes.lists import ContentHead, ContentLists, Wanted
from store.changes.live import Ground
from store.changes.naming import NEW
from store.changes.service import ChangeService
from store.changes.types import OPEN_STATES, Change, ChangeHead, Edit, EditKind, Item
from store.errors import Conflict, InvalidContent, NotFound
from store.people import Actor
from store.sorting import Order

_MOST_OPEN = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as it is live, or as a change would have it."""

    item: Item
    document: Mapping[str, Any]
    digest: str
    """The canonical hash: what a write says that it has read."""
    number: int | None
    """Of the version that is live; None when nothing of it is."""
    change: UUID | None
    """Whose draft is shown; None for what is live."""
    open_changes: tuple[ChangeHead, ...]
    """Open changes that touch it, newest first."""


class ContentService:
    """Reads documents and drafts edits of them. Every method checks the tenant; writes check all that changes do."""

    def __init__(self, desk: Desk, changes: ChangeService) -> None:
        self._desk = desk
        self._changes = changes
        self._open = OpenChanges(desk, changes)
        self._history = History(desk.database)
        self._lists = ContentLists(desk.database)

    def page(
        self, actor: Actor, kind: EditKind, wanted: Wanted, *, limit: int, after: str | None
    ) -> tuple[ContentHead, ...]:
        """Returns live documents of a kind by name, those after `after`."""
        with self._desk.database.reading() as session:
            ground = self._desk.live.ground(session)
            return self._lists.page(actor, kind, wanted, ground, limit=limit, after=after, session=session)

    def prompts(self, actor: Actor, wanted: Wanted, order: Order, *, limit: int) -> tuple[ContentHead, ...]:
        """Returns live prompts in an order of `store.changes.lists.SORTS`."""
        with self._desk.database.reading() as session:
            ground = self._desk.live.ground(session)
            return self._lists.prompts(actor, wanted, ground, order, limit=limit, session=session)

    def keys(self, actor: Actor, wanted: Wanted) -> tuple[str, ...]:
        """Returns the keys of all live prompts that are wanted, in no order."""
        with self._desk.database.reading() as session:
            return self._lists.keys(actor, wanted, self._desk.live.ground(session), session=session)

    def get(self, actor: Actor, item: Item, change_id: UUID | None = None) -> Shown:
        """Returns a document as it is live, or as the change would have it. Raises `NotFound`."""
        desk = self._desk
        with desk.database.reading() as session:
            ground = desk.live.ground(session)
            live = self._live(actor, item, ground, session)
            draft = None
            if change_id is not None:
                draft = desk.open(actor, change_id, session).change.edit_of(item)
            document = draft.document if draft else live.document if live else None
            if document is None or not ground.sees(actor, item, document):
                raise _absent(item)
        return Shown(
            item,
            document,
            live.digest if live and draft is None else hash_of(document),
            live.number if live else None,
            None if draft is None else change_id,
            self._changes.page(actor, limit=_MOST_OPEN, states=OPEN_STATES, item=item).changes,
        )

    def versions(self, actor: Actor, item: Item, *, limit: int, before: int | None) -> tuple[Version, ...]:
        """Returns the states that a document had, the newest first. Raises `NotFound`."""
        with self._desk.database.reading() as session:
            self._require_seen(actor, item, session)
            found = self._history.page(item, limit=limit, before=before, session=session)
            if not found and before is None:
                raise _absent(item)
            return found

    def version(self, actor: Actor, item: Item, number: int) -> tuple[Version, Mapping[str, Any]]:
        """Returns one state that a document had. Raises `NotFound`."""
        with self._desk.database.reading() as session:
            self._require_seen(actor, item, session)
            found = self._history.page(item, limit=1, before=number + 1, session=session)
            if not found or found[0].number != number:
                raise NotFound(f"there is no version {number} of {item}")
            return found[0], self._history.get(item, number, session)

    def create(
        self, actor: Actor, kind: EditKind, document: Mapping[str, Any], *, change_id: UUID | None = None
    ) -> Change:
        """Drafts a new document in the change that is named, or in one of the actor's.

        Raises `Conflict`, with both texts, when there is one of its name, live or in the change.
        """
        field = "key" if kind is EditKind.PROMPT else "name"
        name = document.get(field)
        if not isinstance(name, str):
            raise InvalidContent(f"{field}: the document must say what it is called.")
        return self._draft(actor, Edit(kind, name, document), "", change_id)

    def replace(
        self, actor: Actor, item: Item, document: Mapping[str, Any], *, read: str, change_id: UUID | None = None
    ) -> Change:
        """Drafts a document in place of the one whose hash is `read`.

        Raises `Conflict`, with every text, when the change has it in another form by now, or, untouched by the change,
        it is live in another; `NotFound` when there is none.
        """
        return self._draft(actor, Edit(item.kind, item.name, document), read, change_id)

    def remove(self, actor: Actor, item: Item, *, read: str, change_id: UUID | None = None) -> Change:
        """Drafts the removal of a document; one that is new in the change is taken out. Raises as `replace` does."""
        return self._draft(actor, Edit(item.kind, item.name, None), read, change_id)

    def _draft(self, actor: Actor, wish: Edit, read: str, change_id: UUID | None) -> Change:
        item = wish.item
        with self._desk.database.writing() as session:
            held = self._open.hold(actor, change_id, title=NEW, session=session)
            documents = self._desk.live.documents((item,), session)
            before, live = held.change.edit_of(item), documents.get(item)
            if live is not None and not held.ground.sees(actor, item, live):
                raise _absent(item)
            base = before.base if before else hash_of(live)
            now = before.document if before else live
            if read and (now is None or not held.ground.sees(actor, item, now)):
                raise _absent(item)
            if hash_of(now) != read:
                raise _other(held.change, item, live, now, wish.document, is_new=not read)
            if wish.document is None and not base:
                return self._changes.take_out(actor, held, item, session=session)
            edit = Edit(item.kind, item.name, wish.document, base)
            return self._changes.put(actor, held, (edit,), session=session, live=documents)

    def _live(self, actor: Actor, item: Item, ground: Ground, session: Session) -> LiveDocument | None:
        """Returns what is live as far as the actor may know of it."""
        found = self._history.live(item, session)
        return found if found is not None and ground.sees(actor, item, found.document) else None

    def _require_seen(self, actor: Actor, item: Item, session: Session) -> None:
        live = self._history.live(item, session)
        if not self._desk.live.ground(session).sees(actor, item, live.document if live else None):
            raise _absent(item)


def _absent(item: Item) -> NotFound:
    return NotFound(f"there is no {item}")


def _other(
    change: Change,
    item: Item,
    live: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    draft: Mapping[str, Any] | None,
    *,
    is_new: bool,
) -> Conflict:
    told = {
        "kind": item.kind.value,
        "name": item.name,
        "live": live,
        "stored": now,
        "draft": draft,
    }
    found = {"change": str(change.id), "rev": change.rev, "items": [told]}
    if is_new:
        message = f"there is a {item} already. Choose another name, or edit that one."
        return Conflict(message, found=found, rule="document_there")
    message = f"{item} is not what was read. Look at both texts, then write yours over the one that is there."
    return Conflict(message, found=found, rule="document_moved")
