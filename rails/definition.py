"""What a rail is made of: its name, its parameters, its check and its probes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from rails.types import RailContext, Stage

RAIL_FIELD = "rail"
"""The key of a policy entry that names the rail; every other key is one of its parameters."""


class OnFail(StrEnum):
    """What becomes of a text that a rail does not let pass."""

    BLOCK = "block"
    """Nothing goes on; the person reads the rail's refusal text."""
    TRANSFORM = "transform"
    """The rail's changed text goes on, with what it found masked or taken out."""
    CLARIFY = "clarify"
    """As `block`, but told as a question to ask in other words (outcome `clarify`); on input only."""


class RailParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field=RAIL_FIELD):
    """Parameters of one rail as a policy states them; a subclass carries the rail's name as its tag."""

    on_fail: OnFail = OnFail.BLOCK
    monitor: bool = False
    """Decides and records, and does not act: to watch a rail on real messages before it may stop any."""


Vectors = NDArray[np.float32]
"""Shape (texts, dimension); rows have length 1."""


class Neighbours(Protocol):
    """An index over the vectors that it was made of."""

    def nearest(self, vector: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Returns similarities (cosine, highest first) and row numbers of the `count` nearest vectors."""


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """A piece of what a language model is asked."""

    text: str
    is_quoted: bool = False
    """Whether it is a text under check or its facts, to be quoted, and not words of the rail's own."""


Ask = Callable[[Sequence[QuestionPart]], Awaitable[str]]
"""Asks a language model and returns its words; raises `TextRefused` for a quoted text that no model may be given."""


@dataclass(frozen=True, slots=True)
class RailServices:
    """What rails may call that belongs to other rooms; the composition root hands it over.

    A rail whose service is None is refused when a policy is compiled: a check without its means is missing.
    """

    embed: Callable[[Sequence[str]], Vectors] | None = None
    """Blocks for some milliseconds a text; the last texts' vectors are remembered, so that matching finds them.
    Raises `TextTooLong`."""
    neighbours: Callable[[Vectors], Neighbours] | None = None
    """Makes an index."""
    classifier: Callable[[str, str], Callable[[Sequence[str]], list[float]]] | None = None
    """Loads the classifier of a folder and a label; raises `ValueError` with what to do when there is none."""
    ask: Callable[[str], Ask] | None = None
    """Returns what asks the language model of this name; raises `ValueError` with what to do when there is none."""


NO_SERVICES = RailServices()


Check = Callable[..., Awaitable[Any]]
"""`async def check(text: str, params: P) -> RailOutcome`; loosely typed because NeMo calls it by keyword.

With a `prepare` in its definition it also takes `prepared`, what that returned when the policy was compiled."""


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
    """Whether it can do `on_fail: transform`; a rewrite by any other rail, or without that, is a failure."""
    prepare: Callable[[Any, RailServices], Any] | None = None
    """Makes, once for a policy, what the check needs (an index, say); raises `PolicyInvalid` with what to do."""
    deadline_s: float | None = None
    """How long one check may take that waits for something slow, if the runner's limit for a rail is shorter; the
    limit of the stage holds all the same."""

    def __post_init__(self) -> None:
        if self.params.__struct_config__.tag != self.name:
            raise ValueError(f"the parameters of rail {self.name!r} carry another name. This is a bug.")
        if not self.stages:
            raise ValueError(f"rail {self.name!r} runs at no stage. This is a bug.")
        if self.deadline_s is not None and self.deadline_s <= 0.0:
            raise ValueError(f"rail {self.name!r} has no time to run. This is a bug.")


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
