"""What a rail is made of: its name, its parameters, its check and its probes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rails.types import RailContext, Stage

RAIL_FIELD = "rail"
"""The key of a policy entry that names the rail; every other key is one of its parameters."""


class RailParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field=RAIL_FIELD):
    """Parameters of one rail as a policy states them; a subclass carries the rail's name as its tag."""


Check = Callable[..., Awaitable[Any]]
"""`async def check(text: str, params: P) -> RailOutcome`; loosely typed because NeMo calls it by keyword."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One text and the context in which a rail is tried on it."""

    text: str
    context: RailContext = field(default_factory=RailContext)


@dataclass(frozen=True, slots=True)
class Probes:
    """The texts that show a rail at work: those that it must block, and those that it must let pass."""

    must_block: tuple[Probe, ...]
    must_pass: tuple[Probe, ...]

    def __post_init__(self) -> None:
        if not self.must_block or not self.must_pass:
            raise ValueError("a rail needs a text that it blocks and one that it lets pass. This is a bug.")


@dataclass(frozen=True, slots=True)
class RailDefinition:
    """A rail that a policy may name."""

    name: str
    stages: frozenset[Stage]
    params: type[RailParams]
    check: Check
    probes: Callable[[Any], Probes]
    """Builds the probes for the given parameters, so that a probe is never at odds with a policy's limits."""
    may_rewrite: bool = False
    """Whether it may answer with a changed text; a rewrite by any other rail is a failure."""

    def __post_init__(self) -> None:
        if self.params.__struct_config__.tag != self.name:
            raise ValueError(f"the parameters of rail {self.name!r} carry another name. This is a bug.")
        if not self.stages:
            raise ValueError(f"rail {self.name!r} runs at no stage. This is a bug.")


def rail_name(params: RailParams) -> str:
    """Returns the name of the rail that `params` belongs to."""
    return str(type(params).__struct_config__.tag)


def probes_of(blocked: Sequence[str], passed: Sequence[str], context: RailContext | None = None) -> Probes:
    """Returns probes that all share one context, by default the context of an English assistant."""
    shared = RailContext() if context is None else context
    return Probes(
        must_block=tuple(Probe(text, shared) for text in blocked),
        must_pass=tuple(Probe(text, shared) for text in passed),
    )
