"""Says who else has the same draft open. Advice alone: that no text is lost is the work of what was read and `rev`."""

import datetime as dt
from uuid import UUID

from gateway.access.sessions import Now
from gateway.access.users import UserService
from store.changes.contents import ContentService
from store.changes.types import Item
from store.people import Actor
from store.repositories.presences import Presences

OPENED = dt.timedelta(minutes=5)
"""How long a page counts as open that says nothing more, as one without scripts."""
BEAT = dt.timedelta(seconds=45)
"""How long after it last said so, for one that does."""


class PresenceDesk:
    """Notes who opens a draft, and tells who else has it open. All methods block."""

    def __init__(self, presences: Presences, contents: ContentService, users: UserService, *, now: Now) -> None:
        self._presences = presences
        self._contents = contents
        self._users = users
        self._now = now

    def meet(self, actor: Actor, item: Item, change: UUID | None, *, is_beat: bool = False) -> tuple[str, ...]:
        """Notes the actor at a draft, and returns the names of the others there whom the actor may know of.

        Raises `NotFound` for whoever may not see the draft: neither do they learn who is there, nor are they seen.
        """
        self._contents.get(actor, item, change)
        now = self._now()
        place = f"{item.kind.value} {item.name} {change or 'live'}"
        own = actor.id.removeprefix("user:")
        self._presences.note(place, own, until=now + (BEAT if is_beat else OPENED), now=now)
        others = [one for one in self._presences.at(place, now=now) if one != own]
        return tuple(sorted(self._users.names(actor, others).values())) if others else ()
