"""Somebody's open change: found or made, and held while a document is edited in it."""

from uuid import UUID

from sqlalchemy.orm import Session

from store.changes.desk import Desk, Opened
from store.changes.rules import Action, refusal_of
from store.changes.service import ChangeService
from store.changes.types import Change, ChangeState
from store.errors import Conflict
from store.people import Actor

DRAFTS = frozenset({ChangeState.DRAFT, ChangeState.CHANGES_REQUESTED})
"""States in which an edit takes nothing away from the change."""
_MOST_OPEN = 20
"""Own drafts, the newest, among which one is looked for that takes an edit."""


class OpenChanges:
    """What convenient edits, the review queue and imports are put into."""

    def __init__(self, desk: Desk, changes: ChangeService) -> None:
        self._desk = desk
        self._changes = changes

    def newest(self, actor: Actor, *, purpose: str | None = None, session: Session | None = None) -> Change | None:
        """Returns the actor's newest change that is still a draft and takes edits, None when there is none.

        With a purpose, the newest that the actor made for it. One that takes another back is none of them: what is
        edited on the way would be published as a revert.
        """
        desk = self._desk
        with desk.database.reading(session) as opened:
            ground = desk.live.ground(opened)
            heads = desk.changes.page(
                limit=_MOST_OPEN, states=(ChangeState.DRAFT,), author=actor.person, purpose=purpose, session=opened
            )
            for head in heads:
                if head.reverts is not None:
                    continue
                change = desk.changes.get(head.id, opened)
                if purpose is not None and change.events[0].person != actor.person:
                    continue
                is_seen = ground.sees_change(actor, change, change.edits)
                if is_seen and refusal_of(Action.EDIT, actor, change, desk.touched(change.edits, ground)) is None:
                    return change
        return None

    def hold(
        self, actor: Actor, change_id: UUID | None, *, title: str, purpose: str | None = None, session: Session
    ) -> Opened:
        """Returns the change to edit, held until the transaction ends: the named one, or the newest of the actor's.

        Without one it makes one. With a purpose, one of the actor's is one that they made for it. Raises `NotFound`,
        and `Conflict` for one that is not a draft any more: an edit beside it would take its approval away.
        """
        desk = self._desk
        if change_id is None:
            found = self.newest(actor, purpose=purpose, session=session)
            change_id = (found or self._changes.create(actor, title, purpose=purpose or "", session=session)).id
        if not desk.database.is_sqlite:  # which has one writer anyway
            desk.changes.hold(change_id, session)
        held = desk.open(actor, change_id, session)
        change = held.change
        if change.state not in DRAFTS:
            raise Conflict(
                f"the change is {change.state.value}. Name one that is a draft, or edit this one by its own address.",
                found={"rev": change.rev, "state": change.state.value},
                rule="no_draft",
            )
        return held
