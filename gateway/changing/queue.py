"""What waits for somebody among the changes: to approve, to publish, or to mend after it was sent back."""

from dataclasses import dataclass
from uuid import UUID

from gateway.changing.services import Changing
from store.changes.rules import Action
from store.changes.types import ChangeHead, ChangeState
from store.people import Actor, Role

_AT_ONCE = 50
_MOST_LOOKED_AT = 500
"""Changes that are opened for one page; whose turn it is shows only in an open one."""
_WAITING = (ChangeState.IN_REVIEW, ChangeState.APPROVED, ChangeState.CHANGES_REQUESTED)
_DEEDS = frozenset({Action.APPROVE, Action.PUBLISH})


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that wait for somebody, newest first."""

    changes: tuple[ChangeHead, ...]
    next: UUID | None
    """To ask for what comes after; None at the end."""


class ChangeQueue:
    """Finds what waits for somebody. Blocks: use a thread."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing

    def waiting_for(self, actor: Actor, *, limit: int, after: UUID | None = None) -> Waiting:
        """Returns changes that the actor could approve or publish now, and own ones that were sent back."""
        found: list[ChangeHead] = []
        looked_at = 0
        while looked_at < _MOST_LOOKED_AT:
            page = self._changing.drafts.page(actor, limit=_AT_ONCE, after=after, states=_WAITING)
            for head in page.changes:
                if len(found) == limit:
                    return Waiting(tuple(found), after)
                if self._waits(actor, head):
                    found.append(head)
                after = head.id
            looked_at += len(page.changes)
            if page.next is None:
                return Waiting(tuple(found), None)
        return Waiting(tuple(found), after)

    def _waits(self, actor: Actor, head: ChangeHead) -> bool:
        if head.state is ChangeState.CHANGES_REQUESTED:
            return actor.person in head.authors
        # What these say is asked again below; opening a change takes milliseconds, and most are ruled out here.
        if head.publish_at is not None or actor.person in head.authors or not actor.may(Role.APPROVER):
            return False
        drafts = self._changing.drafts
        return bool(drafts.possible(actor, drafts.get(actor, head.id)) & _DEEDS)
