"""The words in which rails speak to the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """When a rail runs: on the person's message, or on the model's answer."""

    INPUT = "input"
    OUTPUT = "output"


class RailStatus(StrEnum):
    """What a rail said. `error` and `not_run` never let anything through."""

    PASSED = "passed"
    MODIFIED = "modified"
    BLOCKED = "blocked"
    ERROR = "error"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class RailContext:
    """What a rail may know beside the text it checks."""

    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    """Languages that the assistant serves."""
    facts: str = ""
    """Everything the answer may draw on: facts, approved prompt, slot values. Empty on input."""
    slots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class RailRecord:
    """One rail's verdict on one text, as it is stored with the decision."""

    name: str
    stage: Stage
    status: RailStatus
    reason: str | None
    """A constant code for operators, such as `secrets.api_key`; never a piece of the text."""
    duration_ms: float


@dataclass(frozen=True, slots=True)
class RailsReport:
    """The verdict of one stage: the text that may go on, or why nothing may."""

    stage: Stage
    text: str
    """The checked text, with transforms applied; not to be used when the report is blocked."""
    records: tuple[RailRecord, ...]

    def __post_init__(self) -> None:
        if not self.records:
            raise ValueError("a report without a single rail proves nothing. This is a bug.")

    @property
    def stopped_by(self) -> RailRecord | None:
        """The record that stopped the text, if one did."""
        for record in self.records:
            if record.status in (RailStatus.BLOCKED, RailStatus.ERROR):
                return record
        return None

    @property
    def is_blocked(self) -> bool:
        """Whether the text must go no further: a rail said no, failed, or was not run."""
        return any(r.status not in (RailStatus.PASSED, RailStatus.MODIFIED) for r in self.records)

    @property
    def has_failed(self) -> bool:
        """Whether a rail broke, which is a failure (503) and not a verdict."""
        return any(record.status is RailStatus.ERROR for record in self.records)
