"""Stands where no changes of content are kept: whatever would draft an edit is refused, and says so."""

from typing import Any

from store.errors import Conflict
from store.people import Actor
from store.review.drafts import Edit, EditKind


class NoDrafts:
    """Has no change, and makes none."""

    def open_change(self, actor: Actor, change: str | None, *, session: Any) -> str:
        raise Conflict("this gateway keeps no changes of content, so nothing can be drafted. Nothing was changed.")

    def is_draft(self, change: str, *, session: Any) -> bool:
        return False

    def live(self, kind: EditKind, name: str, *, session: Any) -> Edit | None:
        return None

    def in_change(self, change: str, kind: EditKind, name: str, *, session: Any) -> Edit | None:
        return None

    def add_edit(self, actor: Actor, change: str, edit: Edit, *, session: Any) -> None:
        self.open_change(actor, change, session=session)

    def take_out(self, actor: Actor, change: str, kind: EditKind, name: str, *, session: Any) -> None:
        self.open_change(actor, change, session=session)
