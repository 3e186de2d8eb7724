"""Changes that keep the edits they are given in memory; what the real ones must do is in `store/review/drafts.py`."""

import copy

from store.errors import Conflict, NotFound
from store.people import Actor
from store.review.drafts import Edit, EditKind


class KeptDrafts:
    """One open change for each actor; submitted ones take no more edits."""

    def __init__(self, live: dict[tuple[EditKind, str], Edit] | None = None) -> None:
        self._live = live or {}
        self.changes: dict[str, dict[tuple[EditKind, str], Edit]] = {}
        self.authors: dict[str, str] = {}
        self.purposes: dict[str, str] = {}
        self.submitted: set[str] = set()

    def open_change(self, actor: Actor, change: str | None, *, purpose: str, session) -> str:
        if change is None:
            made = (actor.id, purpose)
            mine = [one for one in self.changes if (self.authors[one], self.purposes[one]) == made]
            mine = [one for one in mine if one not in self.submitted]
            change = mine[-1] if mine else f"change-{len(self.changes) + 1}"
            self.changes.setdefault(change, {})
            self.authors[change], self.purposes[change] = made
        if change not in self.changes:
            raise NotFound("there is no such change")
        if change in self.submitted:
            raise Conflict("the change is no longer a draft")
        return change

    def is_draft(self, change: str, *, session) -> bool:
        return change in self.changes and change not in self.submitted

    def live(self, actor: Actor, kind: EditKind, name: str, *, session) -> Edit | None:
        return copy.deepcopy(self._live.get((kind, name)))

    def in_change(self, change: str, kind: EditKind, name: str, *, session) -> Edit | None:
        return copy.deepcopy(self.changes.get(change, {}).get((kind, name)))

    def add_edit(self, actor: Actor, change: str, edit: Edit, *, session) -> None:
        if change in self.submitted:
            raise Conflict("the change is no longer a draft")
        self.changes[change][edit.kind, edit.name] = copy.deepcopy(edit)

    def add_edits(self, actor: Actor, change: str, edits, *, session) -> None:
        for edit in edits:
            self.add_edit(actor, change, edit, session=session)

    def take_out(self, actor: Actor, change: str, kind: EditKind, name: str, *, session) -> None:
        if change in self.submitted:
            raise Conflict("the change is no longer a draft")
        self.changes[change].pop((kind, name), None)
