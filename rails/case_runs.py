"""Runs the test set of a policy against a compiled policy: the new one, or the one that is live."""

from collections.abc import Iterable
from dataclasses import dataclass

from rails.cases import Expected, PolicyCase
from rails.engine import RailsPolicy
from rails.types import RailContext, RailRecord, RailsReport, RailStatus


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """What a stage made of one text."""

    status: RailStatus
    by: tuple[str, ...]
    """The rail that stopped the text, or the rails that changed it."""
    reason: str | None

    def __str__(self) -> str:
        return f"{self.status.value} by {', '.join(self.by)} ({self.reason})" if self.by else self.status.value


@dataclass(frozen=True, slots=True)
class CaseRun:
    """One test with its outcome."""

    number: int
    """Counted from 1, in the order of the policy."""
    case: PolicyCase
    got: CaseVerdict
    live: CaseVerdict | None
    """What the live policy says to the same text; None when there is none."""

    @property
    def is_right(self) -> bool:
        """Whether the text fared as the policy says it must."""
        is_as_expected = self.got.status.value == self.case.expect.value
        return is_as_expected and (self.case.by is None or self.case.by in self.got.by)

    @property
    def is_different(self) -> bool:
        """Whether activating the policy changes what becomes of the text."""
        return self.live is not None and (self.live.status, self.live.by) != (self.got.status, self.got.by)

    @property
    def wanted(self) -> str:
        """What was due, in words."""
        by = f" by {self.case.by}" if self.case.by and self.case.expect is not Expected.PASSED else ""
        return f"{self.case.expect.value}{by}"


def run_cases(cases: Iterable[PolicyCase], policy: RailsPolicy, live: RailsPolicy | None) -> tuple[CaseRun, ...]:
    """Tries every text with both policies. Blocks its thread for the time that the rails take."""
    return tuple(
        CaseRun(number, case, _verdict(case, policy), None if live is None else _verdict(case, live))
        for number, case in enumerate(cases, start=1)
    )


def _verdict(case: PolicyCase, policy: RailsPolicy) -> CaseVerdict:
    context = RailContext(case.language, (case.language,), facts=case.facts)
    return verdict_of(policy.check_blocking(case.stage, case.text, context))


def verdict_of(report: RailsReport) -> CaseVerdict:
    """Returns the verdict of a stage in one word and the rails that it comes from."""
    if report.is_blocked:
        stopped = report.stopped_by
        if stopped is None:
            return CaseVerdict(RailStatus.NOT_RUN, (), None)
        return CaseVerdict(stopped.status, (stopped.name,), stopped.reason)
    changed = [record for record in report.records if _has_changed(record)]
    if changed:
        return CaseVerdict(RailStatus.MODIFIED, tuple(record.name for record in changed), changed[0].reason)
    return CaseVerdict(RailStatus.PASSED, (), None)


def _has_changed(record: RailRecord) -> bool:
    return record.status is RailStatus.MODIFIED and not record.is_monitored
