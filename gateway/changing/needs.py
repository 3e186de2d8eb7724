"""What a change still needs before it is live, and who could give it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.access.users import UserService
from store.changes.desk import Opened
from store.changes.evidence import RunState
from store.changes.rules import Action, refusal_of
from store.changes.types import OPEN_STATES, ChangeState
from store.changes.viewing import ChangeView
from store.people import Actor

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


class Reviewers:
    """Finds who could approve. Blocks: use a thread."""

    def __init__(self, users: UserService) -> None:
        self._users = users

    def of(self, actor: Actor, opened: Opened, *, limit: int) -> tuple[str, ...]:
        """Returns names of people of the reader's tenant who could approve the change once it is in review."""
        return tuple(name for _, name in zip(range(limit), self._names(actor, opened), strict=False))

    def _names(self, actor: Actor, opened: Opened) -> Iterator[str]:
        submitted = replace(opened.change, state=ChangeState.IN_REVIEW)
        for user in self._users.page(actor, limit=_PEOPLE_LOOKED_AT):
            if user.disabled_at is not None or refusal_of(Action.APPROVE, user.actor, submitted, opened.touched):
                continue
            if opened.ground.sees_change(user.actor, opened.change, opened.change.edits):
                yield user.name
