"""Where every step of a change is taken: it is looked up, judged, written once, told and audited in one transaction."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from store.audit import AuditTrail
from store.changes.live import Ground, LiveContent, Weakens
from store.changes.merging import FieldConflict, merge
from store.changes.repository import Changes
from store.changes.rules import Action, Touched, possible, require
from store.changes.telling import Telling
from store.changes.types import Change, ChangeHead, ChangeState, EditKind, EventKind, Item, StoredEdit
from store.database import Database
from store.errors import Conflict, NotFound
from store.people import Actor
from store.repositories.revisions import Revisions

Clock = Callable[[], dt.datetime]

WITHOUT_APPROVAL: Mapping[str, Any] = {
    "approved_by": None,
    "approved_at": None,
    "approved_hash": None,
    "publish_at": None,
    "scheduled_by": None,
    "schedule_problem": "",
}
"""What a change that moves away from being approved loses."""
_BY_THEIR_TEXT = (EditKind.SUITE, EditKind.ASSISTANT)
"""Documents that say themselves whose tenant they belong to."""
_MOST_TOLD = 50
"""Items that the audit row of an edit names; all of them are in the change."""


@dataclass(frozen=True, slots=True)
class Moved:
    """An item whose live document is not the one that it was drafted from any more."""

    item: Item
    base: Mapping[str, Any] | None
    live: Mapping[str, Any] | None
    draft: Mapping[str, Any] | None
    merged: Mapping[str, Any] | None
    """What only one side changed, from both; with the draft's side of the conflicts."""
    conflicts: tuple[FieldConflict, ...]

    def told(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return {
            "kind": self.item.kind.value,
            "name": self.item.name,
            "base": self.base,
            "live": self.live,
            "draft": self.draft,
            "merged": self.merged,
            "conflicts": [
                {"field": one.field, "base": one.base, "live": one.live, "draft": one.draft} for one in self.conflicts
            ],
        }


@dataclass(frozen=True, slots=True)
class Opened:
    """A change as somebody sees it."""

    change: Change
    touched: Touched
    ground: Ground


class Desk:
    """What the services of changes share."""

    def __init__(self, database: Database, audit: AuditTrail, *, weakens: Weakens, clock: Clock) -> None:
        self.database = database
        self.audit = audit
        self.changes = Changes(database)
        self.live = LiveContent(database)
        self.telling = Telling(self.live)
        self.clock = clock
        self._weakens = weakens

    def open(self, actor: Actor, change_id: UUID, session: Session | None = None) -> Opened:
        """Returns the change. Raises `NotFound` also for one that is not of the actor's tenant."""
        with self.database.reading(session) as opened:
            change = self.changes.get(change_id, opened)
            ground = self.live.ground(opened)
        if not ground.sees_change(actor, change, change.edits):
            raise NotFound(f"there is no change {change_id}")
        return Opened(change, self.touched(change.edits, ground), ground)

    def touched(self, edits: Collection[StoredEdit], ground: Ground) -> Touched:
        """Returns what the edits reach."""
        return ground.touched(edits, self._weakens)

    def sees(self, actor: Actor, head: ChangeHead, ground: Ground, session: Session) -> bool:
        """Whether the actor may know of the change."""
        needs_texts = bool(actor.assistants) and any(item.kind in _BY_THEIR_TEXT for item in head.items)
        edits = self.changes.get(head.id, session).edits if needs_texts else ()
        return ground.sees_change(actor, head, edits)

    def possible(self, actor: Actor, opened: Opened) -> frozenset[Action]:
        """Returns the steps that the actor could take now."""
        return possible(actor, opened.change, opened.touched)

    def possible_for(self, actor: Actor, change: Change, session: Session) -> frozenset[Action]:
        """Returns the steps that the actor could take now with a change that was read before."""
        return possible(actor, change, self.touched(change.edits, self.live.ground(session)))

    def judge(
        self, action: Action, actor: Actor, change_id: UUID, rev: int, session: Session, *, reason: str = ""
    ) -> tuple[Opened, ChangeState]:
        """Returns the change, at `rev`, and where the step leads. Raises `NotFound`, `Conflict`, `Refused`."""
        opened = self.open(actor, change_id, session)
        state = require(action, actor, opened.change, opened.touched, reason=reason)
        if opened.change.rev != rev:
            raise Conflict(
                f"somebody wrote this change meanwhile: it is at {opened.change.rev}, and {rev} was read.",
                found={"rev": opened.change.rev, "state": opened.change.state.value},
                rule="change_moved",
            )
        return opened, state

    def write(
        self,
        actor: Actor,
        change: Change,
        event: EventKind,
        values: Mapping[str, Any],
        session: Session,
        *,
        text: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Writes a step: the change's next state, its story, and the audit row, or nothing."""
        self.changes.write(change.id, change.rev, values, at=self.clock(), session=session)
        self.tell(actor, change, event, session, text=text, details=details)

    def tell(
        self,
        actor: Actor,
        change: Change,
        event: EventKind,
        session: Session,
        *,
        text: str = "",
        details: Mapping[str, object] | None = None,
        content: str = "",
    ) -> None:
        """Adds a step that was written to the change's story and to the audit trail."""
        at = self.clock()
        self.changes.tell(change.id, event, actor, text.strip(), "", at, session)
        told = {"rev": change.rev + 1, "content": content or change.content_hash, **(details or {})}
        self.audit.append(actor, f"change.{event.value}", f"change {change.id}", told, session=session, at=at)

    def edited(
        self,
        actor: Actor,
        change: Change,
        state: ChangeState,
        event: EventKind,
        session: Session,
        *,
        put: Sequence[StoredEdit] = (),
        drop: Sequence[Item] = (),
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes an edit: whatever was approved or under review before is a draft again, and has one more author."""
        changes = self.changes
        written = {"state": state, **WITHOUT_APPROVAL, **(values or {})}
        at = self.clock()
        changes.write(change.id, change.rev, written, at=at, session=session)
        changes.put_edits(change.id, put, session, replaced=set(change.items))
        for item in drop:
            changes.drop_edit(change.id, item, session)
        digest = changes.note_content(change.id, session)
        if actor.person not in change.authors:
            changes.add_author(change.id, actor.person, session)
        items = [str(edit.item) for edit in put] + [f"without {item}" for item in drop]
        details = {"items": items[:_MOST_TOLD], "count": len(items)}
        self.tell(actor, change, event, session, details=details, content=digest)

    def live_revision(self, session: Session | None = None) -> int:
        """Returns the revision that is live."""
        return Revisions(self.database).live(session)

    def moved(self, change: Change, session: Session | None = None) -> tuple[Moved, ...]:
        """Returns the items whose live documents moved away from their bases."""
        with self.database.reading(session) as opened:
            hashes = self.live.hashes(change.items, opened)
            stale = [edit for edit in change.edits if hashes[edit.item] != edit.base]
            documents = self.live.documents([edit.item for edit in stale], opened) if stale else {}
        found = []
        for edit in stale:
            now = documents.get(edit.item)
            merged = merge(edit.base_document, now, edit.document)
            found.append(Moved(edit.item, edit.base_document, now, edit.document, merged.document, merged.conflicts))
        return tuple(found)

    def require_unmoved(self, change: Change, session: Session | None = None) -> None:
        """Raises `Conflict`, with the base, live and draft texts of each item, when what is live has moved."""
        if moved := self.moved(change, session):
            raise Conflict(
                f"what is live has moved since this was drafted: {_listed(moved)}. Rebase the change first.",
                found={"rev": change.rev, "items": [one.told() for one in moved]},
            )


def _listed(moved: Collection[Moved]) -> str:
    return ", ".join(str(one.item) for one in moved)
