"""What the queue asks of changes: the content of a change, edited in the transaction of the queue's own step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy.orm import Session

from store.people import Actor


class EditKind(StrEnum):
    """What kind of content an edit is of."""

    PROMPT = "prompt"
    SUITE = "suite"


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing as a change would have it."""

    kind: EditKind
    name: str
    document: Mapping[str, Any] | None
    """Plain data in the bundle's form, perhaps not complete yet; None removes the thing."""
    base: str = ""
    """Canonical hash of the live document that it was drafted from; empty when there was none."""


class Drafts(Protocol):
    """The changes of content, as the queue needs them. All in the caller's transaction."""

    def open_change(self, actor: Actor, change: str | None, *, purpose: str, session: Session) -> str:
        """Returns the id of the change to edit, held until the transaction ends.

        That is the named one. Without a name it is the newest draft that the actor made for the purpose, or a new one
        whose title is the purpose: never a draft of somebody else, or for something else.

        Raises `NotFound` for one that the actor may not know of, `Conflict` for one that is no longer a draft,
        `Refused` for somebody who may not edit.
        """

    def is_draft(self, change: str, *, session: Session) -> bool:
        """Whether the change can still be edited; False also for one that is gone."""

    def live(self, actor: Actor, kind: EditKind, name: str, *, session: Session) -> Edit | None:
        """Returns the thing as it is live, or None; also None for one that the actor may not know of."""

    def in_change(self, change: str, kind: EditKind, name: str, *, session: Session) -> Edit | None:
        """Returns the thing as the change would have it, or None when the change does not touch it."""

    def add_edit(self, actor: Actor, change: str, edit: Edit, *, session: Session) -> None:
        """Puts an edit into the change, in place of one of the same thing.

        Raises `Conflict`, `InvalidContent`, and `Refused` or `NotFound` for what is not the actor's to edit.
        """

    def add_edits(self, actor: Actor, change: str, edits: Sequence[Edit], *, session: Session) -> None:
        """Puts many edits into the change at once. Raises as `add_edit` does."""

    def take_out(self, actor: Actor, change: str, kind: EditKind, name: str, *, session: Session) -> None:
        """Takes the edit of a thing out of the change. Raises `Conflict`."""
