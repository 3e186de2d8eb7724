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
    is_whole: bool = True
    """False for the beginning of an answer that goes on: what only a whole answer shows must not be judged by it."""
    prompt: str = ""
    """What was asked, in approved words: an answer that only repeats it adds nothing. Empty when it is not known."""


@dataclass(frozen=True, slots=True)
class RailRecord:
    """One rail's verdict on one text, as it is stored with the decision."""

    name: str
    stage: Stage
    status: RailStatus
    reason: str | None
    """A constant code for operators, such as `secrets.api_key`; never a piece of the text."""
    duration_ms: float
    is_monitored: bool = False
    """Whether the verdict was recorded and not acted on."""

    @property
    def stops(self) -> bool:
        """Whether nothing may go on because of it."""
        return not self.is_monitored and self.status in (RailStatus.BLOCKED, RailStatus.ERROR)

    @property
    def is_missing(self) -> bool:
        """Whether it should have acted and did not run."""
        return not self.is_monitored and self.status is RailStatus.NOT_RUN


@dataclass(frozen=True, slots=True)
class RailsReport:
    """The verdict of one stage: the text that may go on, or why nothing may."""

    stage: Stage
    text: str
    """The checked text, with transforms applied; not to be used when the report is blocked."""
    records: tuple[RailRecord, ...]
    given: tuple[str, ...] = ()
    """What each rail that was reached was given: the text as those before it had left it."""

    def __post_init__(self) -> None:
        if not self.records:
            raise ValueError("a report without a single rail proves nothing. This is a bug.")

    @property
    def stopped_by(self) -> RailRecord | None:
        """The record that stopped the text, if one did."""
        missing = None
        for record in self.records:
            if record.status is RailStatus.PASSED:
                continue  # nearly all of them, several times a message
            if record.stops:
                return record
            missing = missing or (record if record.is_missing else None)
        return missing

    @property
    def is_blocked(self) -> bool:
        """Whether the text must go no further: a rail said no, failed, or was not run."""
        return self.stopped_by is not None

    @property
    def has_failed(self) -> bool:
        """Whether a rail broke, which is a failure (503) and not a verdict."""
        stopped = self.stopped_by
        # Nothing stopped the stage, and yet a rail that should act did not run: a watching one took its thread away.
        if stopped is None or stopped.is_missing:
            return stopped is not None
        return any(record.status is RailStatus.ERROR and record.stops for record in self.records)
