"""The rules of a change's life: which step leads where, and who may take it. Pure; nothing else decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from store.changes.types import ChangeHead, ChangeState
from store.errors import Conflict, Refused, StoreError
from store.people import SETTLES_AFTER, Actor, Role, hands_behind

_KEY = "key:"
_SYSTEM = "system"


class Action(StrEnum):
    """A step that somebody may take with a change."""

    EDIT = "edit"
    """Add, replace or take out a document, or title and note."""
    REBASE = "rebase"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    APPROVE = "approve"
    PUBLISH = "publish"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    EMERGENCY = "emergency"
    """Publish without approval and evidence."""
    REVERT = "revert"
    """Make another change that takes this one back."""
    TAKE_BACK = "take_back"
    """Publish what this change replaced, at once."""
    COMMENT = "comment"


_S = ChangeState
_WAITING = {_S.DRAFT, _S.IN_REVIEW, _S.CHANGES_REQUESTED, _S.APPROVED}
_EDITED = {
    _S.DRAFT: _S.DRAFT,
    _S.IN_REVIEW: _S.DRAFT,
    _S.CHANGES_REQUESTED: _S.CHANGES_REQUESTED,
    _S.APPROVED: _S.DRAFT,
    _S.WITHDRAWN: _S.DRAFT,
}
STEPS: Mapping[Action, Mapping[ChangeState, ChangeState]] = MappingProxyType(
    {
        Action.EDIT: _EDITED,
        Action.REBASE: _EDITED,
        Action.SUBMIT: {_S.DRAFT: _S.IN_REVIEW, _S.CHANGES_REQUESTED: _S.IN_REVIEW},
        Action.WITHDRAW: dict.fromkeys(_WAITING, _S.WITHDRAWN),
        Action.REQUEST_CHANGES: dict.fromkeys((_S.IN_REVIEW, _S.APPROVED), _S.CHANGES_REQUESTED),
        Action.REJECT: dict.fromkeys((_S.IN_REVIEW, _S.CHANGES_REQUESTED, _S.APPROVED), _S.WITHDRAWN),
        Action.APPROVE: {_S.IN_REVIEW: _S.APPROVED},
        Action.PUBLISH: {_S.APPROVED: _S.LIVE},
        Action.SCHEDULE: {_S.APPROVED: _S.APPROVED},
        Action.UNSCHEDULE: {_S.APPROVED: _S.APPROVED},
        Action.EMERGENCY: dict.fromkeys(_WAITING, _S.LIVE),
        Action.REVERT: {_S.LIVE: _S.LIVE, _S.SUPERSEDED: _S.SUPERSEDED},
        Action.TAKE_BACK: {_S.LIVE: _S.LIVE},
        Action.COMMENT: {state: state for state in ChangeState},
    }
)
"""Where each step leads from each state; a step is not possible from a state that is not named."""

NEEDS_REASON = frozenset({Action.REQUEST_CHANGES, Action.REJECT, Action.EMERGENCY, Action.COMMENT})
_BY_ANOTHER = frozenset({Action.APPROVE, Action.PUBLISH, Action.SCHEDULE, Action.EMERGENCY})
"""Steps that no author of the change may take."""
_BY_PERSON = _BY_ANOTHER | {Action.TAKE_BACK}
_OF_APPROVERS = frozenset(
    {
        *(Action.REQUEST_CHANGES, Action.REJECT, Action.APPROVE, Action.PUBLISH, Action.SCHEDULE, Action.UNSCHEDULE),
        Action.TAKE_BACK,
    }
)
_WITH_ADMIN = frozenset({Action.APPROVE, Action.TAKE_BACK})
"""Steps that a change which brings less safety needs an admin for, beside the approver's role."""
_SAME_HANDS = (
    "Whoever set up the account of an author of a change, or had theirs set up by one, counts as that author: from "
    f"{SETTLES_AFTER.days} days before the change on. Ask somebody else."
)
_DONE: Mapping[Action, str] = MappingProxyType(
    {
        Action.EDIT: "edited",
        Action.REBASE: "rebased",
        Action.SUBMIT: "submitted",
        Action.WITHDRAW: "withdrawn",
        Action.REQUEST_CHANGES: "sent back",
        Action.REJECT: "rejected",
        Action.APPROVE: "approved",
        Action.PUBLISH: "published",
        Action.SCHEDULE: "given a time",
        Action.UNSCHEDULE: "taken off its time",
        Action.EMERGENCY: "published in an emergency",
        Action.REVERT: "reverted",
        Action.TAKE_BACK: "taken back",
        Action.COMMENT: "commented on",
    }
)
_INSTEAD: Mapping[ChangeState, str] = MappingProxyType(
    {
        _S.DRAFT: "Submit it first.",
        _S.IN_REVIEW: "Have it approved first.",
        _S.CHANGES_REQUESTED: "Edit it and submit it again.",
        _S.APPROVED: "Publish it, or edit it, which makes it a draft again.",
        _S.LIVE: "Make a new change, or revert this one.",
        _S.SUPERSEDED: "Make a new change.",
        _S.WITHDRAWN: "Edit it, which makes it a draft again.",
    }
)
"""What can be done with a change in each state."""
_DRAFTERS = (Role.EDITOR, Role.ADMIN)
_REVERTERS = (Role.EDITOR, Role.APPROVER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change reaches, which is where whoever acts on it must hold the role."""

    areas: frozenset[str] = frozenset()
    is_everywhere: bool = False
    """Whether it reaches something that belongs to no area: only a role that holds everywhere is enough."""
    needs_admin: bool = False
    """Whether it brings something that an admin must agree to beside the approver's role."""

    def __or__(self, other: "Touched") -> "Touched":
        return Touched(
            self.areas | other.areas,
            self.is_everywhere or other.is_everywhere,
            self.needs_admin or other.needs_admin,
        )

    def is_held_by(self, actor: Actor, *roles: Role) -> bool:
        """Whether the actor has one of the roles wherever the change reaches."""
        grants = [grant for grant in actor.grants if grant.role in roles]
        if self.is_everywhere or not self.areas:
            return any(not grant.areas for grant in grants) if self.is_everywhere else bool(grants)
        return all(any(grant.holds_in(area) for grant in grants) for area in self.areas)


def require(action: Action, actor: Actor, head: ChangeHead, touched: Touched, *, reason: str = "") -> ChangeState:
    """Returns the state that the step leads to.

    Raises `Refused` when the actor may not take it, `Conflict` when it cannot be taken from where the change is,
    `Refused` with code `reason_needed` when it wants a reason and there is none.
    """
    if refusal := refusal_of(action, actor, head, touched, reason=reason):
        raise refusal
    return STEPS[action][head.state]


def refusal_of(
    action: Action, actor: Actor, head: ChangeHead, touched: Touched, *, reason: str = ""
) -> StoreError | None:
    """Returns why the actor cannot take the step, None when nothing speaks against it; see `require`."""
    if refused := _refused_to(action, actor, head, touched):
        return refused
    if head.state not in STEPS[action]:
        words = f"this change is {_said(head.state)}, so it cannot be {_DONE[action]}. {_INSTEAD[head.state]}"
        return Conflict(words, rule="wrong_state")
    if action in NEEDS_REASON and not reason.strip():
        return Refused("reason_needed", f"Say why: {action.value} needs a reason.")
    return None


def possible(actor: Actor, head: ChangeHead, touched: Touched) -> frozenset[Action]:
    """Returns the steps that the actor could take now, given a reason where one is needed."""
    return frozenset(one for one in Action if refusal_of(one, actor, head, touched, reason="-") is None)


def refusal_when_due(head: ChangeHead) -> StoreError | None:
    """Returns why a change may not go live at its time although nobody asks again, None when it may."""
    if head.state is not ChangeState.APPROVED or head.publish_at is None:
        return Conflict(f"the change is {head.state.value}, or has no time to go live at.")
    if not head.is_approved:
        return Conflict("the change is not what was approved. Have it approved again.")
    if {head.approved_by, head.scheduled_by} & ({None} | head.authors):
        return Refused("own_change", "Whoever edited a change cannot approve or publish it. Ask somebody else.")
    return None


def _refused_to(action: Action, actor: Actor, head: ChangeHead, touched: Touched) -> Refused | None:
    if action in _BY_PERSON and (actor.id.startswith(_KEY) or _SYSTEM in (actor.id, actor.person)):
        return Refused("person_needed", "Only a person who signed in approves or publishes; no key does.")
    if action in _BY_ANOTHER:
        if actor.person in head.authors:
            return Refused("own_change", "Whoever edited a change cannot approve or publish it. Ask somebody else.")
        if actor.person in head.hands or hands_behind(actor.set_up_by, head.created_at) & head.authors:
            return Refused("own_change", _SAME_HANDS)
    if not _has_role(action, actor, head, touched):
        return Refused("insufficient_role", f"Your roles do not allow to {action.value.replace('_', ' ')} this change.")
    if action in _WITH_ADMIN and touched.needs_admin and not touched.is_held_by(actor, Role.ADMIN):
        return Refused(
            "admin_needed",
            "This change brings an exception to the promise or weakens a policy: it is approved, or taken back, by "
            "somebody who is an admin as well.",
        )
    return None


def _has_role(action: Action, actor: Actor, head: ChangeHead, touched: Touched) -> bool:
    if action in _OF_APPROVERS:
        is_own_step = action is Action.UNSCHEDULE and actor.person in head.authors
        return is_own_step or touched.is_held_by(actor, Role.APPROVER)
    match action:
        case Action.EMERGENCY:
            return touched.is_held_by(actor, Role.ADMIN)
        case Action.WITHDRAW:
            return actor.person in head.authors or actor.may(Role.ADMIN)
        case Action.REVERT:
            return touched.is_held_by(actor, *_REVERTERS)
        case Action.COMMENT:
            return any(actor.may(role) for role in _REVERTERS)
        case _:
            # Whoever may make a revert may ask for its review.
            is_own_revert = action is Action.SUBMIT and head.reverts is not None and actor.person in head.authors
            return touched.is_held_by(actor, *(_REVERTERS if is_own_revert else _DRAFTERS))


def _said(state: ChangeState) -> str:
    return {_S.IN_REVIEW: "in review", _S.CHANGES_REQUESTED: "sent back"}.get(state, state.value)
