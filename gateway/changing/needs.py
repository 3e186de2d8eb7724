"""What a change still needs before it is live, and who could give it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.access.users import UserService
from store.accounts import User
from store.changes.desk import Opened
from store.changes.evidence import RunState
from store.changes.rules import Action, refusal_of
from store.changes.types import OPEN_STATES, ChangeState
from store.changes.viewing import ChangeView
from store.people import SETTLES_AFTER, Actor, Role, hands_behind

_PEOPLE_LOOKED_AT = 500
_AFTER_REVIEW = frozenset({ChangeState.APPROVED, ChangeState.LIVE, ChangeState.SUPERSEDED})


class Need(StrEnum):
    """A station on the way."""

    NOTE = "note"
    """Somebody says why."""
    SOUND = "sound"
    """No document has a problem."""
    CAUGHT_UP = "caught_up"
    """Nothing that is live moved under it."""
    SUBMITTED = "submitted"
    GATE = "gate"
    """The evidence for this very content."""
    APPROVED = "approved"
    """By somebody who did not edit it."""
    ADMIN_APPROVED = "admin_approved"
    """The same, by an approver who is an administrator too."""
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Station:
    """A need, and whether it is met."""

    need: Need
    is_met: bool


def stations(view: ChangeView, opened: Opened, *, revision: int) -> tuple[Station, ...]:
    """Returns the way of an open change in its order, none of one that is live or ended.

    `revision` is what is live: what the gate found over another one does not count. Problems are those of the edits
    that the view shows, which are the first hundred.
    """
    change = view.change
    if change.state not in OPEN_STATES:
        return ()
    approval = Need.ADMIN_APPROVED if opened.touched.needs_admin else Need.APPROVED
    met = {
        Need.NOTE: bool(change.note),
        Need.SOUND: bool(change.items) and not any(one.problems for one in view.edits),
        Need.CAUGHT_UP: not view.moved,
        Need.SUBMITTED: change.state in {ChangeState.IN_REVIEW, *_AFTER_REVIEW},
        Need.GATE: _has_passed(view, revision),
        approval: change.is_approved,
        Need.PUBLISHED: False,
    }
    return tuple(Station(need, is_met) for need, is_met in met.items())


def _has_passed(view: ChangeView, revision: int) -> bool:
    run = view.run
    return run is not None and run.state is RunState.PASSED and run.live_revision == revision


@dataclass(frozen=True, slots=True)
class Bound:
    """Somebody with the role who counts as an author, because of who set up whose account."""

    name: str
    author: str
    """The person who edited the change."""
    made_author: bool
    """Whether they set up the author's account; else the author set up theirs."""
    free_from: dt.datetime | None
    """Changes that are begun from then on are somebody else's to them; None where it is not known."""


class Reviewers:
    """Finds who could approve. Blocks: use a thread."""

    def __init__(self, users: UserService) -> None:
        self._users = users

    def of(self, actor: Actor, opened: Opened, *, limit: int) -> tuple[str, ...]:
        """Returns names of people of the reader's tenant who could approve the change once it is in review."""
        names = (user.name for user in self._able(actor, opened) if not _refused(user, opened))
        return tuple(name for _, name in zip(range(limit), names, strict=False))

    def bound(self, actor: Actor, opened: Opened, *, limit: int) -> tuple[Bound, ...]:
        """Returns who has the role and counts as an author all the same; see `store/people.py`."""
        found = (one for user in self._able(actor, opened) if (one := _bound(user, opened)) is not None)
        return tuple(one for _, one in zip(range(limit), found, strict=False))

    def _able(self, actor: Actor, opened: Opened) -> Iterator[User]:
        """Gives people who sign in, see the change, and approve where it reaches."""
        change = opened.change
        for user in self._users.page(actor, limit=_PEOPLE_LOOKED_AT):
            is_able = user.disabled_at is None and opened.touched.is_held_by(user.actor, Role.APPROVER)
            if is_able and opened.ground.sees_change(user.actor, change, change.edits):
                yield user


def _refused(user: User, opened: Opened) -> bool:
    submitted = replace(opened.change, state=ChangeState.IN_REVIEW)
    return refusal_of(Action.APPROVE, user.actor, submitted, opened.touched) is not None


def _bound(user: User, opened: Opened) -> Bound | None:
    change, actor = opened.change, user.actor
    if actor.person in change.authors:
        return None
    behind = hands_behind(actor.set_up_by, change.created_at) & change.authors
    if behind:
        author = min(behind)
        last = max(one.at for one in actor.set_up_by if one.by == author)
        return Bound(user.name, author, made_author=False, free_from=last + SETTLES_AFTER)
    if actor.person in change.hands:
        return Bound(user.name, min(change.authors), made_author=True, free_from=None)
    return None
