"""What the services of changes ask of other rooms: is it servable, does somebody still hold the role, is it weaker."""

from collections.abc import Mapping
from typing import Any

from gateway.changing.servable import Servable
from gateway.settings import Settings
from models.ports import Embedder
from rails.changes import changes_between
from rails.definition import RailServices
from rails.errors import RailsError
from rails.policy import load_policy
from rails.sandbox import SANDBOX, PolicySandbox
from rails.weakening import Weakening
from store.changes.desk import Opened
from store.changes.publishing import StillHolds, Unservable
from store.errors import NotFound
from store.people import Role
from store.repositories.users import Users

_USER = "user:"


def unservable_of(
    settings: Settings, services: RailServices, embedder: Embedder, *, sandbox: PolicySandbox = SANDBOX
) -> Unservable:
    """Returns what says why a catalog could not be served in place of another. It blocks for seconds."""
    return Servable(settings, services, embedder, sandbox).problems


def still_holds_of(users: Users) -> StillHolds:
    """Returns what says whether a person could approve a change today; for whoever is not a known user, no.

    A key is nobody, and whoever runs commands on the machine is no approver: their persons are not users, and what
    they set a time for does not go live.
    """

    def still_holds(person: str, opened: Opened) -> bool:
        if not person.startswith(_USER):
            return False
        try:
            user = users.get(person.removeprefix(_USER))
        except NotFound:
            return False
        actor, touched = user.actor, opened.touched
        if user.disabled_at is not None or not opened.ground.sees_change(actor, opened.change, opened.change.edits):
            return False
        needs_admin = touched.needs_admin and person == opened.change.approved_by
        return touched.is_held_by(actor, Role.APPROVER) and (not needs_admin or touched.is_held_by(actor, Role.ADMIN))

    return still_holds


def weakens(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> bool:
    """Whether a policy would stop less than the live one. What cannot be told counts as weaker."""
    if after is None:
        return True
    try:
        changes = changes_between(load_policy(before), load_policy(after))
        return any(change.weakening is not Weakening.NO for change in changes)
    except (RailsError, TypeError, AttributeError):  # one that this version does not read, or compares with another
        return True
