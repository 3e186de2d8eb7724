"""Runs a policy's rails over labelled or unlabelled rows and counts what they said, honestly."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.canonicalize import RefusedMessage, canonicalize
from gateway.errors import InvalidRequest
from gateway.rail_checks import CANONICALIZE
from rails.engine import RailsPolicy
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage


class TrialResult(StrEnum):
    """What became of one text."""

    PASSED = "passed"
    MODIFIED = "modified"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One text to try."""

    text: str
    facts: str = ""
    group: str | None = None
    """Rows of one group are also counted together."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in milliseconds."""

    p50_ms: float
    p95_ms: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> "Times":
        """Returns the quantiles of some times; zeros of none."""
        if not times_ms:
            return cls(0.0, 0.0)
        ranked = sorted(times_ms)
        return cls(round(statistics.median(ranked), 3), round(ranked[min(len(ranked) - 1, len(ranked) * 95 // 100)], 3))


@dataclass(slots=True)
class RailCount:
    """What one rail said of the texts that reached it."""

    name: str
    is_monitored: bool
    statuses: Counter[RailStatus] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)

    def add(self, record: RailRecord) -> None:
        """Counts one verdict; a rail that did not run has only that counted."""
        self.statuses[record.status] += 1
        if record.status is not RailStatus.NOT_RUN:
            self.times_ms.append(record.duration_ms)
        if record.reason:
            self.reasons[record.reason] += 1

    @property
    def times(self) -> Times:
        """How long it took, where it ran."""
        return Times.of(self.times_ms)


@dataclass(frozen=True, slots=True)
class RailTrial:
    """The counts of one run."""

    results: Counter[TrialResult]
    groups: Mapping[str, Counter[TrialResult]]
    rails: tuple[RailCount, ...]
    """In the order in which they run, the first step of the pipeline before them where it stopped a text."""
    times: Times
    """Of a whole text."""

    @property
    def rows(self) -> int:
        """How many texts were tried."""
        return self.results.total()


def try_rows(
    policy: RailsPolicy,
    stage: Stage,
    rows: Sequence[TrialRow],
    context: RailContext,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> RailTrial:
    """Checks one text after another, a message in its canonical form as the pipeline does; `progress` gets (done, all).

    Blocks its thread. A message that the pipeline refuses before any rail counts as blocked, under its own name.
    """
    results: Counter[TrialResult] = Counter()
    groups: dict[str, Counter[TrialResult]] = {}
    counts: dict[str, RailCount] = {}
    times_ms = []
    for number, row in enumerate(rows, 1):
        started = time.perf_counter()
        report, sent = _check(policy, stage, row, context)
        times_ms.append((time.perf_counter() - started) * 1000)
        result = _result(report, sent)
        results[result] += 1
        if row.group is not None:
            groups.setdefault(row.group, Counter())[result] += 1
        for record in report.records:
            counts.setdefault(record.name, RailCount(record.name, record.is_monitored)).add(record)
        progress(number, len(rows))
    return RailTrial(results, groups, tuple(_ordered(counts, policy.rails(stage))), Times.of(times_ms))


def try_row(policy: RailsPolicy, stage: Stage, row: TrialRow, context: RailContext) -> RailsReport:
    """Returns what the rails say to one text, or the pipeline before them. Blocks its thread."""
    return _check(policy, stage, row, context)[0]


def _check(policy: RailsPolicy, stage: Stage, row: TrialRow, context: RailContext) -> tuple[RailsReport, str]:
    """Returns the report, and the text that the rails were given."""
    if stage is Stage.OUTPUT:
        return policy.check_blocking(stage, row.text, replace(context, facts=row.facts)), row.text
    try:
        message = canonicalize(row.text)
    except InvalidRequest as error:
        return _refused(policy, row, f"{CANONICALIZE}.{error.code}"), row.text
    if isinstance(message, RefusedMessage):
        return _refused(policy, row, message.reason), row.text
    return policy.check_blocking(stage, message.text, context), message.text


def _refused(policy: RailsPolicy, row: TrialRow, reason: str) -> RailsReport:
    own = RailRecord(CANONICALIZE, Stage.INPUT, RailStatus.BLOCKED, reason, 0.0)
    return RailsReport(Stage.INPUT, row.text, (own, *policy.not_run(Stage.INPUT)))


def _result(report: RailsReport, sent: str) -> TrialResult:
    if report.has_failed:
        return TrialResult.FAILED
    if report.is_blocked:
        return TrialResult.BLOCKED
    return TrialResult.PASSED if report.text == sent else TrialResult.MODIFIED


def _ordered(counts: Mapping[str, RailCount], names: Sequence[str]) -> Iterable[RailCount]:
    return (counts[name] for name in (CANONICALIZE, *names) if name in counts)
