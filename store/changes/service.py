"""Drafting changes: making them, finding them, editing them, talking about them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from store.changes.desk import Desk, Moved, Opened
from store.changes.documents import hash_of, stored_form
from store.changes.held_texts import with_texts
from store.changes.naming import NEW, renamed
from store.changes.ordering import behind
from store.changes.rules import Action, require
from store.changes.types import Change, ChangeHead, ChangeState, Edit, EventKind, Item, StoredEdit
from store.errors import Conflict, InvalidContent, NotFound
from store.people import Actor
from store.readable import require_readable
from store.sorting import Order

MOST_EDITS = 5_000
"""In one change."""
LONGEST_TITLE, _LONGEST_TEXT = 200, 4_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes, newest first."""

    changes: tuple[ChangeHead, ...]
    next: UUID | None
    """To ask for what comes after; None at the end."""


class ChangeService:
    """Drafts. Every method checks tenant, role and rev; every write is audited in its transaction.

    A method with `session` joins the caller's transaction, which must be one that writes.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self,
        actor: Actor,
        title: str,
        *,
        note: str = "",
        session: Session | None = None,
        reverts: UUID | None = None,
        purpose: str = "",
    ) -> Change:
        """Makes an empty draft, whose author the actor is. Raises `Refused`, `InvalidContent`."""
        desk = self._desk
        _check_words(title, note)
        with desk.database.writing(session) as opened:
            at = desk.clock()
            head = desk.changes.create(
                title=title.strip(), note=note.strip(), at=at, reverts=reverts, purpose=purpose, session=opened
            )
            change = desk.changes.get(head.id, opened)
            if reverts is None:
                require(Action.EDIT, actor, head, desk.touched((), desk.live.ground(opened)))
            desk.changes.add_author(head.id, actor.person, opened)
            desk.changes.tell(head.id, EventKind.CREATED, actor, "", "", at, opened)
            details = {"reverts": str(reverts)} if reverts else {}
            desk.audit.append(actor, "change.created", f"change {head.id}", details, session=opened, at=at)
            return desk.changes.get(change.id, opened)

    def get(self, actor: Actor, change_id: UUID, session: Session | None = None) -> Opened:
        """Returns a change and what it reaches. Raises `NotFound`."""
        return self._desk.open(actor, change_id, session)

    def possible(self, actor: Actor, opened: Opened) -> frozenset[Action]:
        """Returns the steps that the actor could take now, for a page to offer."""
        return self._desk.possible(actor, opened)

    def moved(self, change: Change) -> tuple[Moved, ...]:
        """Returns what is live by now in another form than it was drafted from."""
        return self._desk.moved(change)

    def page(
        self,
        actor: Actor,
        *,
        limit: int = 50,
        after: UUID | None = None,
        states: Collection[ChangeState] = (),
        author: str | None = None,
        item: Item | None = None,
    ) -> Page:
        """Returns changes that the actor may know of, newest first."""
        desk = self._desk
        seen: list[ChangeHead] = []
        with desk.database.reading() as session:
            ground = desk.live.ground(session)
            while len(seen) <= limit:
                found = desk.changes.page(
                    limit=limit + 1, after=after, states=states, author=author, item=item, session=session
                )
                seen += (one for one in found if desk.sees(actor, one, ground, session))
                if len(found) <= limit:
                    break
                after = found[-1].id
        return Page(tuple(seen[:limit]), seen[limit - 1].id if len(seen) > limit else None)

    def sorted_page(
        self,
        actor: Actor,
        order: Order,
        *,
        limit: int,
        states: Collection[ChangeState] = (),
        author: str | None = None,
    ) -> tuple[ChangeHead, ...]:
        """Returns up to `limit` such changes in an order of `store.changes.ordering.SORTS`."""
        desk = self._desk
        seen: list[ChangeHead] = []
        with desk.database.reading() as session:
            ground = desk.live.ground(session)
            while len(seen) < limit:
                found = desk.changes.sorted_page(order, limit=limit, states=states, author=author, session=session)
                seen += (one for one in found if desk.sees(actor, one, ground, session))
                if len(found) < limit:
                    break
                order = behind(order, found[-1])
        return tuple(seen[:limit])

    def add_edit(
        self,
        actor: Actor,
        change_id: UUID | None,
        edit: Edit,
        *,
        rev: int | None = None,
        title: str = "",
        session: Session | None = None,
    ) -> Change:
        """Puts one edit into a change, as `add_edits` does."""
        return self.add_edits(actor, change_id, (edit,), rev=rev, title=title, session=session)

    def add_edits(
        self,
        actor: Actor,
        change_id: UUID | None,
        edits: Sequence[Edit],
        *,
        rev: int | None = None,
        title: str = "",
        session: Session | None = None,
    ) -> Change:
        """Puts edits into a change, in place of those of the same documents; without an id into a new one.

        The actor becomes an author; an approval is lost. Raises `Conflict`, with every text, when the change is not at
        `rev` or the live document is not `base`; `Refused`, `NotFound`, `InvalidContent`.
        """
        desk = self._desk
        with desk.database.writing(session) as opened:
            if change_id is None:
                made = self.create(actor, title or NEW, session=opened)
                change_id, rev = made.id, made.rev
            if rev is None:
                raise InvalidContent("rev: name the state of the change that was read.")
            try:
                seen, state = desk.judge(Action.EDIT, actor, change_id, rev, opened)
            except Conflict as error:
                raise with_texts(error, desk.open(actor, change_id, opened).change, edits) from error
            return self._put(actor, seen, state, edits, opened)

    def put(
        self,
        actor: Actor,
        held: Opened,
        edits: Sequence[Edit],
        *,
        session: Session,
        live: Mapping[Item, Mapping[str, Any]] | None = None,
    ) -> Change:
        """Puts edits into a change that the caller's transaction holds. Raises as `add_edits` does.

        `live` has those of their documents that are live, when the same transaction has read them before.
        """
        state = require(Action.EDIT, actor, held.change, held.touched)
        return self._put(actor, held, state, edits, session, live)

    def remove_edit(
        self, actor: Actor, change_id: UUID, item: Item, *, rev: int, session: Session | None = None
    ) -> Change:
        """Takes the edit of a document out of the change. Raises as `add_edits` does."""
        desk = self._desk
        with desk.database.writing(session) as opened:
            seen, state = desk.judge(Action.EDIT, actor, change_id, rev, opened)
            return self._take_out(actor, seen, state, item, opened)

    def take_out(self, actor: Actor, held: Opened, item: Item, *, session: Session) -> Change:
        """Takes an edit out of a change that the caller's transaction holds. Raises as `remove_edit` does."""
        return self._take_out(actor, held, require(Action.EDIT, actor, held.change, held.touched), item, session)

    def describe(
        self, actor: Actor, change_id: UUID, *, rev: int, title: str | None = None, note: str | None = None
    ) -> Change:
        """Gives the change another title or note, which is an edit too. Raises as `add_edits` does."""
        desk = self._desk
        with desk.database.writing() as session:
            seen, state = desk.judge(Action.EDIT, actor, change_id, rev, session)
            words = {
                "title": seen.change.title if title is None else title.strip(),
                "note": seen.change.note if note is None else note.strip(),
            }
            _check_words(words["title"], words["note"])
            desk.edited(actor, seen.change, state, EventKind.DESCRIBED, session, values=words)
            return desk.changes.get(change_id, session)

    def comment(self, actor: Actor, change_id: UUID, text: str, *, place: str = "") -> Change:
        """Adds a comment, which moves nothing. Raises `NotFound`, `Refused`, `InvalidContent`."""
        if len(text) > _LONGEST_TEXT or len(place) > LONGEST_TITLE:
            raise InvalidContent(f"text: at most {_LONGEST_TEXT} characters.")
        desk = self._desk
        with desk.database.writing() as session:
            seen = desk.open(actor, change_id, session)
            require(Action.COMMENT, actor, seen.change, seen.touched, reason=text)
            at = desk.clock()
            desk.changes.tell(change_id, EventKind.COMMENTED, actor, text.strip(), place, at, session)
            desk.audit.append(actor, "change.commented", f"change {change_id}", session=session, at=at)
            return desk.changes.get(change_id, session)

    def _put(  # noqa: PLR0917 -- private, and its callers have read all of it
        self,
        actor: Actor,
        seen: Opened,
        state: ChangeState,
        edits: Sequence[Edit],
        session: Session,
        live: Mapping[Item, Mapping[str, Any]] | None = None,
    ) -> Change:
        if live is None:
            live = self._desk.live.documents([edit.item for edit in edits], session)
        stored = self._stored(actor, seen, edits, live)
        if len({edit.item for edit in (*seen.change.edits, *stored)}) > MOST_EDITS:
            raise InvalidContent(f"a change takes at most {MOST_EDITS} documents. Make a second one.")
        values = renamed(seen.change, put=stored)
        self._desk.edited(actor, seen.change, state, EventKind.EDITED, session, put=stored, values=values)
        return self._desk.changes.get(seen.change.id, session)

    def _take_out(self, actor: Actor, seen: Opened, state: ChangeState, item: Item, session: Session) -> Change:
        if seen.change.edit_of(item) is None:
            raise NotFound(f"the change has no edit of {item}")
        values = renamed(seen.change, drop=item)
        self._desk.edited(actor, seen.change, state, EventKind.EDITED, session, drop=(item,), values=values)
        return self._desk.changes.get(seen.change.id, session)

    def _stored(
        self, actor: Actor, seen: Opened, edits: Sequence[Edit], documents: Mapping[Item, Mapping[str, Any]]
    ) -> list[StoredEdit]:
        desk = self._desk
        if len({edit.item for edit in edits}) != len(edits):
            raise InvalidContent("the same document is named twice.")
        for edit in edits:
            seen.ground.require_own_areas(actor, edit.item, edit.document)
            if not seen.ground.sees(actor, edit.item, edit.document):
                raise NotFound(f"there is no {edit.item}")
        stored, stale = [], []
        for edit in edits:
            live, before = documents.get(edit.item), seen.change.edit_of(edit.item)
            if live is not None and not seen.ground.sees(actor, edit.item, live):
                raise NotFound(f"there is no {edit.item}")
            seen.ground.require_own_names(actor, edit.item, edit.document, live)
            if hash_of(live) == edit.base:
                stored.append(StoredEdit(edit.kind, edit.name, stored_form(edit), edit.base, live))
            elif before is not None and before.base == edit.base:
                stored.append(StoredEdit(edit.kind, edit.name, stored_form(edit), edit.base, before.base_document))
            else:
                stale.append({"kind": edit.kind.value, "name": edit.name, "live": live, "draft": edit.document})
        if stale:
            raise Conflict(
                "what is live is not what these were drafted from. Draft them from the live documents.",
                found={"rev": seen.change.rev, "items": stale},
                rule="document_moved",
            )
        require(Action.EDIT, actor, seen.change, desk.touched(stored, seen.ground))
        return stored


def _check_words(title: str, note: str) -> None:
    require_readable("title", title)
    require_readable("note", note)
    if not title.strip() or len(title) > LONGEST_TITLE or not title.isprintable():
        raise InvalidContent(f"title: one line of 1 to {LONGEST_TITLE} characters.")
    if len(note) > _LONGEST_TEXT:
        raise InvalidContent(f"note: at most {_LONGEST_TEXT} characters.")
