"""What an actor may see and hand on: nobody gives more than they have."""

from collections.abc import Iterable

from store.errors import InvalidContent, Refused
from store.people import Actor, Grant, Role


def is_visible(actor: Actor, assistants: Iterable[str]) -> bool:
    """Whether something bound to these assistants is the actor's to see; what is bound to none belongs to all."""
    found = frozenset(assistants)
    return not actor.assistants or (bool(found) and found <= actor.assistants)


def require_own(actor: Actor, assistants: Iterable[str]) -> None:
    """Raises `InvalidContent` for a tenant that reaches beyond the actor's own."""
    if not is_visible(actor, assistants):
        own = ", ".join(sorted(actor.assistants))
        raise InvalidContent(f"assistants: name one or more of your own: {own}.")


def require_everywhere(actor: Actor, role: Role) -> None:
    """Raises `Refused` unless the actor has the role in all areas: keys and sites belong to none."""
    if not actor.may_everywhere(role):
        raise Refused("everywhere_needed", f"Only somebody who is {role.value} in all areas may do this.")


def require_givable(actor: Actor, grants: Iterable[Grant]) -> None:
    """Raises `InvalidContent` for roles where the actor is not an administrator of all that they reach."""
    mine = [one for one in actor.grants if one.role is Role.ADMIN]
    for wanted in grants:
        if not any(not one.areas or (wanted.areas and wanted.areas <= one.areas) for one in mine):
            raise InvalidContent(f"grants: `{wanted.role.value}` reaches beyond the areas that you administer.")
