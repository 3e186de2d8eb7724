"""The test set that a policy carries: texts, and what its rails must say to each."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from rails.types import Stage

MAX_CASES = 500
"""Each runs through a whole stage at every activation, twice: with the new policy and with the live one."""


class Expected(StrEnum):
    """What may become of a test's text."""

    PASSED = "passed"
    MODIFIED = "modified"
    BLOCKED = "blocked"


class PolicyCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One text of a policy's test set."""

    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    stage: Stage
    expect: Expected
    by: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """The rail that must change or stop the text; without it, any rail may."""
    facts: Annotated[str, Meta(max_length=20_000)] = ""
    """On output: what the answer may draw on."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")] = "en"
    """The language that the assistant serves."""


Cases = Annotated[tuple[PolicyCase, ...], Meta(max_length=MAX_CASES)]
