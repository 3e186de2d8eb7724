"""What is live: one immutable state behind one reference that is swapped at a publish."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import InvalidRequest
from rails.engine import RailsPolicy
from store.catalog import Catalog
from store.matcher import Matcher
from store.types import Assistant


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

    def assistant(self, name: str) -> Assistant:
        """Returns the assistant. Raises `InvalidRequest` with code `model_not_found`."""
        try:
            return self.catalog.assistants[name]
        except KeyError:
            raise InvalidRequest(
                "model_not_found", f"There is no assistant {name[:80]!r}. GET /v1/models lists them.", param="model"
            ) from None


class Live:
    """Holds the live state; replacing it is atomic."""

    def __init__(self, state: LiveState) -> None:
        self.current = state

    def swap(self, state: LiveState) -> None:
        """Makes a new state live; messages on their way keep the one they started with."""
        self.current = state
