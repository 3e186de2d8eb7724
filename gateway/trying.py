"""People of the admin surface as those who ask: the same way, the same limits, the same records as for any caller."""

from gateway.credentials import Principal
from store.people import Actor
from store.types import KeyScope


def principal_of(actor: Actor, *, requests_per_minute: int) -> Principal:
    """Returns the principal under which a person's questions and checks are admitted and recorded."""
    return Principal(
        id=actor.id,
        name=actor.name,
        scopes=frozenset({KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS}),
        assistants=actor.assistants,
        requests_per_minute=requests_per_minute,
    )
