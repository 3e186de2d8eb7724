"""Finds changes without opening each of them: those that wait for somebody, and the newest one of a document."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.changes.desk import Desk
from store.changes.live import Ground
from store.changes.ordering import SORTS, waits_for
from store.changes.repository import edit_of
from store.changes.rules import Action, Touched, refusal_of
from store.changes.types import OPEN_STATES, ChangeHead, ChangeState, EditKind, StoredEdit
from store.people import Actor, Role
from store.sorting import Order, in_order, sort_of
from store.tables import ChangeEditRow, ChangeRow

_DEEDS = (Action.APPROVE, Action.PUBLISH)
_BATCH = 500
"""Ids in one statement; SQLite takes a limited number of parameters."""
_MOST_KEPT = 2_000
"""Contents of which is remembered what they reach; each takes less than 1 kB."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A change that may wait for somebody, and whether it does."""

    head: ChangeHead
    waits: bool


class ChangeFinder:
    """Reads many changes in a few statements. Blocks: use a thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reached: OrderedDict[tuple[UUID, str, int], Touched] = OrderedDict()
        self._guard = Lock()

    def waiting(self, actor: Actor, order: Order, *, limit: int) -> tuple[LookedAt, ...]:
        """Returns up to `limit` changes that may wait for the actor, in an order of `store.changes.ordering.SORTS`.

        What columns tell is asked of the database; whether the actor's roles reach as far as the change, here. Own
        changes wait when they were sent back, those of others when the actor could approve or publish them.
        """
        desk, decides = self._desk, actor.may(Role.APPROVER)
        with desk.database.reading() as session:
            heads = _waiting(desk, actor.person, order, decides=decides, limit=limit, session=session)
            ground = desk.live.ground(session)
            asked = [one for one in heads if one.state is not ChangeState.CHANGES_REQUESTED]
            reached = self._touched(asked, ground, session)
            return tuple(
                LookedAt(one, desk.sees(actor, one, ground, session) and _is_theirs(actor, one, reached.get(one.id)))
                for one in heads
            )

    def newest_of(self, actor: Actor, kind: EditKind, names: Collection[str] | None = None) -> Mapping[str, ChangeHead]:
        """Returns the newest open change of each of the documents that is in one; None asks for all of them."""
        desk = self._desk
        with desk.database.reading() as session:
            found = _open_with(kind, names, session)
            ids = {one for several in found.values() for one in (several if actor.assistants else several[:1])}
            heads = {one.id: one for one in desk.changes.heads(sorted(ids), session)}
            if actor.assistants:
                ground = desk.live.ground(session)
                heads = {key: one for key, one in heads.items() if desk.sees(actor, one, ground, session)}
        newest = {name: next((heads[one] for one in several if one in heads), None) for name, several in found.items()}
        return {name: head for name, head in newest.items() if head is not None}

    def names(self, actor: Actor, kind: EditKind) -> frozenset[str]:
        """Returns the names of all documents of the kind that an open change has."""
        if actor.assistants:
            return frozenset(self.newest_of(actor, kind))
        with self._desk.database.reading() as session:
            return frozenset(_open_with(kind, None, session))

    def titles(self, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
        """Returns the titles of those changes that the actor may know of."""
        desk = self._desk
        with desk.database.reading() as session:
            heads, ground = desk.changes.heads(sorted(ids), session), desk.live.ground(session)
            return {one.id: one.title for one in heads if desk.sees(actor, one, ground, session)}

    def _touched(self, heads: Sequence[ChangeHead], ground: Ground, session: Session) -> dict[UUID, Touched]:
        """Returns what changes reach: the same content over the same live revision reaches the same."""
        revision = self._desk.live_revision(session)
        with self._guard:
            known = {one.id: self._reached.get((one.id, one.content_hash, revision)) for one in heads}
        found = {key: touched for key, touched in known.items() if touched is not None}
        for key, edits in _edits_of([key for key in known if key not in found], session).items():
            found[key] = self._desk.touched(edits, ground)
        with self._guard:
            for one in heads:
                mark = (one.id, one.content_hash, revision)
                self._reached[mark] = found[one.id]
                self._reached.move_to_end(mark)
            while len(self._reached) > _MOST_KEPT:
                self._reached.popitem(last=False)
        return found


def _is_theirs(actor: Actor, head: ChangeHead, touched: Touched | None) -> bool:
    if touched is None:  # sent back; the database has chosen the actor's own
        return True
    return any(refusal_of(one, actor, head, touched) is None for one in _DEEDS)


def _waiting(
    desk: Desk, person: str, order: Order, *, decides: bool, limit: int, session: Session
) -> tuple[ChangeHead, ...]:
    query = select(ChangeRow).where(waits_for(person, decides=decides))
    query = in_order(query, order, sort_of(SORTS, order).by, ChangeRow.id, of_key=UUID)
    return desk.changes.heads_of(session, session.scalars(query.limit(limit)).all())


def _open_with(kind: EditKind, names: Collection[str] | None, session: Session) -> dict[str, list[UUID]]:
    """Returns the open changes of each of the documents, newest first."""
    query = (
        select(ChangeEditRow.name, ChangeRow.id)
        .join(ChangeRow, ChangeRow.id == ChangeEditRow.change_id)
        .where(ChangeEditRow.kind == kind.value, ChangeRow.state.in_([one.value for one in OPEN_STATES]))
        .order_by(ChangeRow.id.desc())
    )
    queries, asked = [query], sorted(names or ())
    if names is not None:
        some = (asked[start : start + _BATCH] for start in range(0, len(asked), _BATCH))
        queries = [query.where(ChangeEditRow.name.in_(one)) for one in some]
    found: dict[str, list[UUID]] = {}
    for one in queries:
        for name, change_id in session.execute(one):
            found.setdefault(name, []).append(change_id)
    return found


def _edits_of(ids: Sequence[UUID], session: Session) -> dict[UUID, list[StoredEdit]]:
    """Returns the edits of several changes, without the changes' stories."""
    found: dict[UUID, list[StoredEdit]] = {one: [] for one in ids}
    for start in range(0, len(ids), _BATCH):
        query = select(ChangeEditRow).where(ChangeEditRow.change_id.in_(ids[start : start + _BATCH]))
        for row in session.scalars(query):
            found[row.change_id].append(edit_of(row))
    return found
