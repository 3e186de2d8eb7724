"""Bringing changes up to what is live by now, and taking live ones back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from store.changes.desk import Desk
from store.changes.documents import hash_of, stored_form
from store.changes.rules import Action, require
from store.changes.service import LONGEST_TITLE, ChangeService
from store.changes.types import Change, Edit, EventKind, Item, StoredEdit
from store.errors import Conflict
from store.people import Actor


class RebaseService:
    """Both steps make drafts: what comes of them is reviewed like everything else."""

    def __init__(self, desk: Desk, changes: ChangeService) -> None:
        self._desk = desk
        self._changes = changes

    def rebase(
        self, actor: Actor, change_id: UUID, *, rev: int, chosen: Mapping[Item, Mapping[str, Any] | None] | None = None
    ) -> Change:
        """Brings the edits up to what is live. Fields that one side alone changed merge by themselves.

        `chosen` has the whole document for each item with a field that both sides changed (None removes it). Raises
        `Conflict`, with every text and field, while one is missing, or when nothing has moved.
        """
        desk, chosen = self._desk, chosen or {}
        with desk.database.writing() as session:
            seen, state = desk.judge(Action.REBASE, actor, change_id, rev, session)
            moved = desk.moved(seen.change, session)
            if not moved:
                raise Conflict("nothing has moved: the change stands on what is live.")
            if open_ones := [one for one in moved if one.conflicts and one.item not in chosen]:
                raise Conflict(
                    "both sides changed the same fields of "
                    f"{', '.join(str(one.item) for one in open_ones)}. Choose a document for each.",
                    found={"rev": rev, "items": [one.told() for one in open_ones]},
                )
            put, drop = [], []
            for one in moved:
                document = stored_form(Edit(*one.item, chosen.get(one.item, one.merged)))
                if document == one.live:
                    drop.append(one.item)
                else:
                    put.append(StoredEdit(*one.item, document, hash_of(one.live), one.live))
            desk.edited(actor, seen.change, state, EventKind.REBASED, session, put=put, drop=drop)
            return desk.changes.get(change_id, session)

    def revert(self, actor: Actor, change_id: UUID) -> Change:
        """Makes a draft that takes a live change back: for each document, what it replaced. It goes the same way.

        Raises `NotFound`, `Refused`, and `Conflict` for a change that is not live.
        """
        desk = self._desk
        with desk.database.writing() as session:
            seen = desk.open(actor, change_id, session)
            old = seen.change
            require(Action.REVERT, actor, old, seen.touched)
            title = f"Revert: {old.title}"[:LONGEST_TITLE]
            note = f"Takes back revision {old.published_revision}."
            made = self._changes.create(actor, title, note=note, session=session, reverts=change_id)
            inverse = [
                StoredEdit(edit.kind, edit.name, edit.base_document, hash_of(edit.document), edit.document)
                for edit in old.edits
            ]
            desk.edited(actor, made, made.state, EventKind.EDITED, session, put=inverse)
            at = desk.clock()
            desk.changes.tell(change_id, EventKind.REVERTED, actor, "", f"change {made.id}", at, session)
            return desk.changes.get(made.id, session)
