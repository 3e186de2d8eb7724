"""What is live: one immutable state behind one reference that is swapped at a publish."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.confirming import Confirmation
from gateway.credentials import Principal
from gateway.errors import InvalidRequest, NotServing
from rails.engine import RailsPolicy
from store.catalog import Catalog
from store.content import Assistant
from store.matcher import Matcher


@dataclass(frozen=True, slots=True)
class LiveState:
    """Prompts, index and policies that belong together; a message takes one reference and keeps it."""

    catalog: Catalog
    matcher: Matcher
    policies: Mapping[str, RailsPolicy]

    def __post_init__(self) -> None:
        for assistant in self.catalog.assistants.values():
            if assistant.policy not in self.policies:
                raise ValueError(f"assistant {assistant.name} has no compiled policy. This is a bug.")
            if assistant.name not in self.matcher.scopes:
                raise ValueError(f"assistant {assistant.name} has no limits to match with. This is a bug.")

    def assistant(self, name: str, principal: Principal) -> Assistant:
        """Returns the assistant. Raises `InvalidRequest` when there is none, or none for this principal: same words."""
        assistant = self.catalog.assistants.get(name)
        if assistant is None or not principal.may_use(name):
            raise InvalidRequest(
                "model_not_found", "There is no such assistant for this key. GET /v1/models lists them.", param="model"
            )
        return assistant


class Live:
    """Holds the live state; replacing it is atomic."""

    def __init__(self, state: LiveState, confirmation: Confirmation | None = None) -> None:
        self.current = state
        self.confirmation = confirmation
        """None for a state that nothing published can supersede, such as one that is tried out."""

    @property
    def serving(self) -> LiveState:
        """The live state, to answer somebody from. Raises `NotServing` when it may not be what is published."""
        if self.confirmation is not None:
            self.confirmation.require()
        return self.current

    def swap(self, state: LiveState) -> None:
        """Makes a new state live; messages on their way keep the one they started with.

        Raises `NotServing` for an older revision: a revert is published as a new one, so the database was replaced.
        """
        found, serving = state.catalog.revision, self.current.catalog.revision
        if found < serving:
            raise NotServing(
                "revision_went_back", f"revision {found} is older than revision {serving}, which serves; restart"
            )
        self.current = state
