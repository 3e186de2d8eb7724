"""What waits for somebody among the changes: to approve, to publish, or to mend after it was sent back."""

from dataclasses import dataclass

from gateway.changing.services import Changing
from store.changes.ordering import behind
from store.changes.types import ChangeHead
from store.people import Actor
from store.sorting import Order

LATEST = Order("updated", is_down=True)
_AT_ONCE = 50
_MOST_LOOKED_AT = 500
"""Changes that are looked into for one page: whose turn it is shows only in what a change reaches."""


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
            page = self._changing.finder.waiting(actor, order, limit=_AT_ONCE)
            for one in page:
                if len(found) == limit:
                    return Waiting(tuple(found), order)
                if one.waits:
                    found.append(one.head)
                order = behind(order, one.head)
            looked_at += len(page)
            if len(page) < _AT_ONCE:
                return Waiting(tuple(found), None)
        return Waiting(tuple(found), order)
