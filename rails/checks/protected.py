"""Blocks answers that give away a text which the policy keeps to itself, however they dress it up.

Runs on answers alone: on a message it would tell whoever guesses when the guess was right.
"""

from typing import Annotated

from msgspec import Meta

from rails.definition import OnFail, Probes, RailDefinition, RailParams, RailServices, probes_of
from rails.errors import PolicyInvalid
from rails.nemo import RailOutcome, verdict
from rails.revelations.protected import Protected
from rails.revelations.search import manner_of
from rails.types import Stage


class ProtectedParams(RailParams, frozen=True, kw_only=True, tag="protected"):
    """The texts that no answer may give away; whoever may read the policy reads them here."""

    texts: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=2000)], ...], Meta(min_length=1, max_length=50)]
    """Codes, pass phrases, internal wording. A clue to be kept as well ("the capital of ...") is a text of its own."""

    def __post_init__(self) -> None:
        if any(not text.strip() for text in self.texts):
            raise ValueError("a protected text is blank")

    def __repr__(self) -> str:
        return f"ProtectedParams(texts=<{len(self.texts)} kept back>)"


def prepare(params: ProtectedParams, _services: RailServices) -> tuple[Protected, ...]:
    """Returns what is looked for."""
    if params.on_fail is OnFail.TRANSFORM:
        raise PolicyInvalid("protected: what is given away in pieces cannot be masked. Take `on_fail: transform` away.")
    return tuple(map(Protected.of, params.texts))


async def check(text: str, params: ProtectedParams, prepared: tuple[Protected, ...]) -> RailOutcome:  # noqa: ARG001 - every check takes its parameters
    """Returns the verdict on what `text` gives away."""
    manner = manner_of(text, prepared)
    return verdict(None if manner is None else f"protected.{manner}")


def _probes(params: ProtectedParams) -> Probes:
    return probes_of(blocked=[f"It is: {text}" for text in params.texts], passed=["Please ask the service desk."])


RAIL = RailDefinition(
    name="protected",
    stages=frozenset({Stage.OUTPUT}),
    params=ProtectedParams,
    check=check,
    probes=_probes,
    prepare=prepare,
)
