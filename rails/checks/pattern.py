"""Blocks texts in which one of the policy's own patterns occurs."""

from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.matching import PatternSet, compile_linear
from rails.nemo import RailOutcome, verdict
from rails.recognisers.finding import Reading
from rails.types import Stage


class DenyPattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pattern that must not occur, in RE2 syntax; upper and lower case are the same."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    """Appears in decisions as the reason `pattern.<name>`."""
    pattern: Annotated[str, Meta(min_length=1, max_length=500)]
    example: Annotated[str, Meta(min_length=1, max_length=1000)]
    """A text that this pattern must block; tried each time the policy is loaded."""

    def __post_init__(self) -> None:
        compiled = compile_linear(self.pattern)
        if compiled.occurs_in(""):
            raise ValueError(f"pattern {self.name!r} occurs in every text")
        if not compiled.occurs_in(self.example):
            raise ValueError(f"pattern {self.name!r} does not occur in its own example")


class PatternParams(RailParams, frozen=True, kw_only=True, tag="pattern"):
    """What must not occur in a text."""

    deny: Annotated[tuple[DenyPattern, ...], Meta(min_length=1, max_length=200)]
    passes: Annotated[str, Meta(min_length=1, max_length=1000)]
    """A text that none of the patterns may block; tried each time the policy is loaded."""

    def __post_init__(self) -> None:
        names = [entry.name for entry in self.deny]
        if len(set(names)) != len(names):
            raise ValueError("two deny patterns have the same name")
        if (found := _compiled(self.deny).find(self.passes)) is not None:
            raise ValueError(f"pattern {found!r} stops the text under `passes`")


@lru_cache(maxsize=64)
def _compiled(deny: tuple[DenyPattern, ...]) -> PatternSet:
    return PatternSet({entry.name: entry.pattern for entry in deny})


def find(text: str, params: PatternParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    # As it is too: a policy's own pattern may have a joiner in it.
    views = dict.fromkeys((text, Reading.of(text).text))
    found = next(filter(None, map(_compiled(params.deny).find, views)), None)
    return None if found is None else f"pattern.{found}"


async def check(text: str, params: PatternParams) -> RailOutcome:
    """Returns the verdict of the policy's patterns on `text`."""
    return verdict(find(text, params))


def _probes(params: PatternParams) -> Probes:
    return probes_of(blocked=[entry.example for entry in params.deny], passed=[params.passes])


RAIL = RailDefinition(
    name="pattern", stages=frozenset({Stage.INPUT, Stage.OUTPUT}), params=PatternParams, check=check, probes=_probes
)
