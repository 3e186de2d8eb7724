"""What was published: revisions with the changes that they were."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from store.changes.desk import Desk
from store.changes.live import Ground
from store.changes.types import ChangeHead
from store.errors import NotFound
from store.people import Actor
from store.repositories.revisions import Revision, Revisions

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Publication:
    """A revision, and the change that it was; None for what an operator published on the machine."""

    revision: Revision
    change: ChangeHead | None


class Publications:
    """Reads revisions. An actor of a tenant sees those that were a change of its tenant's documents alone."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._revisions = Revisions(desk.database)

    def page(self, actor: Actor, *, limit: int, before: int | None) -> tuple[Publication, ...]:
        """Returns revisions, newest first, those with a lower number than `before`."""
        seen: list[Publication] = []
        with self._desk.database.reading() as session:
            ground = self._desk.live.ground(session)
            while len(seen) < limit:
                found = self._revisions.page(limit=_BATCH, before=before, session=session)
                seen += self._seen(actor, found, ground, session)
                if len(found) < _BATCH:
                    break
                before = found[-1].number
        return tuple(seen[:limit])

    def get(self, actor: Actor, number: int) -> Publication:
        """Returns one. Raises `NotFound`."""
        with self._desk.database.reading() as session:
            found = self._revisions.get(number, session)
            if seen := self._seen(actor, (found,), self._desk.live.ground(session), session):
                return seen[0]
        raise NotFound(f"there is no revision {number}")

    def _seen(self, actor: Actor, revisions: Sequence[Revision], ground: Ground, session: Session) -> list[Publication]:
        ids = [one.said.change for one in revisions if one.said.change is not None]
        heads: dict[UUID, ChangeHead] = {head.id: head for head in self._desk.changes.heads(ids, session)}
        seen = []
        for revision in revisions:
            head = heads.get(revision.said.change) if revision.said.change else None
            edits = self._desk.changes.get(head.id, session).edits if head and actor.assistants else ()
            if not actor.assistants or (head is not None and ground.sees_change(actor, head, edits)):
                seen.append(Publication(revision, head))
        return seen
