"""What waits for somebody among the changes: to approve, to publish, or to mend after it was sent back."""

from dataclasses import dataclass

from gateway.changing.services import Changing
from store.changes.ordering import behind
from store.changes.rules import Action
from store.changes.types import ChangeHead, ChangeState
from store.people import Actor, Role
from store.sorting import Order

LATEST = Order("updated", is_down=True)
_AT_ONCE = 50
_MOST_LOOKED_AT = 500
"""Changes that are opened for one page; whose turn it is shows only in an open one."""
_WAITING = (ChangeState.IN_REVIEW, ChangeState.APPROVED, ChangeState.CHANGES_REQUESTED)
_DEEDS = frozenset({Action.APPROVE, Action.PUBLISH})


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that wait for somebody."""

    changes: tuple[ChangeHead, ...]
    next: Order | None
    """To ask for what comes after; None at the end."""


class ChangeQueue:
    """Finds what waits for somebody. Blocks: use a thread."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing

    def waiting_for(self, actor: Actor, *, limit: int, order: Order = LATEST) -> Waiting:
        """Returns changes that the actor could approve or publish now, and own ones that were sent back."""
        found: list[ChangeHead] = []
        looked_at = 0
        while looked_at < _MOST_LOOKED_AT:
            page = self._changing.drafts.sorted_page(actor, order, limit=_AT_ONCE, states=_WAITING)
            for head in page:
                if len(found) == limit:
                    return Waiting(tuple(found), order)
                if self._waits(actor, head):
                    found.append(head)
                order = behind(order, head)
            looked_at += len(page)
            if len(page) < _AT_ONCE:
                return Waiting(tuple(found), None)
        return Waiting(tuple(found), order)

    def _waits(self, actor: Actor, head: ChangeHead) -> bool:
        if head.state is ChangeState.CHANGES_REQUESTED:
            return actor.person in head.authors
        # What these say is asked again below; opening a change takes milliseconds, and most are ruled out here.
        if head.publish_at is not None or actor.person in head.authors or not actor.may(Role.APPROVER):
            return False
        drafts = self._changing.drafts
        return bool(drafts.possible(actor, drafts.get(actor, head.id)) & _DEEDS)
