"""Edits of many prompts at once: the same fields in each, as one step of one change, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.changing.services import Changing
from store.changes.documents import hash_of
from store.changes.types import Change, Edit, EditKind, Item
from store.errors import InvalidContent
from store.people import Actor

MOST_AT_ONCE = 200
FIELDS = ("owner", "review_by", "audience")
"""Fields that prompts may share; what a prompt says is edited one by one."""


class BulkEdits:
    """Writes edits. Blocks: use a thread."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing

    def set_fields(
        self, actor: Actor, keys: Sequence[str], fields: Mapping[str, str], *, change_id: UUID | None
    ) -> Change:
        """Drafts the fields into the change, or into a new one; what has them already is left alone.

        Raises what `add_edits` of changes does, and `InvalidContent` when nothing would differ.
        """
        if unknown := fields.keys() - set(FIELDS):
            raise TypeError(f"{sorted(unknown)} are edited one by one. This is a bug.")
        if not 1 <= len(keys) <= MOST_AT_ONCE:
            raise InvalidContent(f"choose 1 to {MOST_AT_ONCE} prompts.")
        held = None if change_id is None else self._changing.drafts.get(actor, change_id).change
        edits = [edit for key in keys if (edit := self._edit(actor, key, fields, held))]
        if not edits:
            raise InvalidContent("all of these prompts say this already. Nothing was drafted.", rule="nothing_differs")
        rev = None if held is None else held.rev
        return self._changing.drafts.add_edits(actor, change_id, edits, rev=rev)

    def _edit(self, actor: Actor, key: str, fields: Mapping[str, str], held: Change | None) -> Edit | None:
        item = Item(EditKind.PROMPT, key)
        before = held.edit_of(item) if held else None
        if before is not None and before.document is None:
            raise InvalidContent(f"{key}: the change removes this prompt. Take that out of the change first.")
        document: Mapping[str, Any] = before.document if before and before.document is not None else {}
        base = before.base if before else ""
        if before is None:
            shown = self._changing.contents.get(actor, item)
            document, base = shown.document, hash_of(shown.document)
        new = {**document, **fields}
        return None if hash_of(new) == hash_of(document) else Edit(item.kind, key, new, base)
