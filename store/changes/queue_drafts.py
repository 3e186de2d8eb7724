"""What the review queue and imports draft, as edits of changes: `store/review/drafts.py` on the services of changes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from store.changes.desk import Desk, Opened
from store.changes.documents import hash_of
from store.changes.held import DRAFTS, OpenChanges
from store.changes.service import ChangeService
from store.changes.types import Edit as ChangeEdit
from store.changes.types import EditKind, Item
from store.errors import NotFound
from store.people import Actor
from store.review.drafts import Edit
from store.review.drafts import EditKind as QueueKind


class ChangeDrafts:
    """Joins the caller's transaction in every method; what it writes is audited there too."""

    def __init__(self, desk: Desk, changes: ChangeService) -> None:
        self._desk = desk
        self._changes = changes
        self._open = OpenChanges(desk, changes)

    def open_change(self, actor: Actor, change: str | None, *, purpose: str, session: Session) -> str:
        """Returns the id of the change to edit, which is held until the transaction ends."""
        named = None if change is None else _id(change)
        held = self._open.hold(actor, named, title=purpose, purpose=purpose, session=session)
        return str(held.change.id)

    def is_draft(self, change: str, *, session: Session) -> bool:
        """Whether the change takes edits without losing anything; False also for one that is gone."""
        try:
            return self._desk.changes.get(_id(change), session).state in DRAFTS
        except NotFound:
            return False

    def live(self, actor: Actor, kind: QueueKind, name: str, *, session: Session) -> Edit | None:
        """Returns the thing as it is live, or None; also None for one of another tenant."""
        item = Item(EditKind(kind.value), name)
        document = self._desk.live.documents([item], session).get(item)
        if document is None or not self._desk.live.ground(session).sees(actor, item, document):
            return None
        return Edit(kind, name, document, hash_of(document))

    def in_change(self, change: str, kind: QueueKind, name: str, *, session: Session) -> Edit | None:
        """Returns the thing as the change would have it, or None."""
        try:
            found = self._desk.changes.edit(_id(change), Item(EditKind(kind.value), name), session)
        except NotFound:
            return None
        return None if found is None else Edit(kind, name, found.document, found.base)

    def add_edit(self, actor: Actor, change: str, edit: Edit, *, session: Session) -> None:
        """Puts one edit into the change."""
        self.add_edits(actor, change, (edit,), session=session)

    def add_edits(self, actor: Actor, change: str, edits: Sequence[Edit], *, session: Session) -> None:
        """Puts edits into the change. Raises `Conflict`, `InvalidContent`, `Refused`, `NotFound`."""
        held = self._held(actor, change, session)
        made = [ChangeEdit(EditKind(one.kind.value), one.name, one.document, one.base) for one in edits]
        self._changes.put(actor, held, made, session=session)

    def take_out(self, actor: Actor, change: str, kind: QueueKind, name: str, *, session: Session) -> None:
        """Takes the edit of a thing out of the change, if there is one."""
        held, item = self._held(actor, change, session), Item(EditKind(kind.value), name)
        if held.change.edit_of(item) is not None:
            self._changes.take_out(actor, held, item, session=session)

    def _held(self, actor: Actor, change: str, session: Session) -> Opened:
        return self._open.hold(actor, _id(change), title="", session=session)


def _id(change: str) -> UUID:
    try:
        return UUID(change)
    except ValueError as error:
        raise NotFound("there is no such change") from error
