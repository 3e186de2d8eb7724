"""Rails that only watch: they run after those that act, on a thread of their own, so that none holds anybody up.

A watching rail that never returns costs a person the rest of the stage's time at most, and fails alone. Each is given
the text as the acting rails before it in the policy had left it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rails.envelope import Runnable
from rails.runner import RailRunner
from rails.types import RailContext, RailRecord, RailsReport, RailStatus


async def run_stage(runner: RailRunner, checks: Sequence[Runnable], text: str, context: RailContext) -> RailsReport:
    """Returns the report of one stage, its records in the order of `checks`."""
    acting = _acting(checks)
    if len(acting) == len(checks):
        return await runner.run(checks, text, context)
    watch = _Watch(runner, checks)
    watch.report = await runner.run(acting, text, context)
    for check, given, left_s in watch.due():
        watch.records[check.name] = (await runner.beside.run((check,), given, context, within_s=left_s)).records[0]
    return watch.whole()


def run_stage_blocking(runner: RailRunner, checks: Sequence[Runnable], text: str, context: RailContext) -> RailsReport:
    """Returns the same report, holding the calling thread."""
    acting = _acting(checks)
    if len(acting) == len(checks):
        return runner.run_blocking(checks, text, context)
    watch = _Watch(runner, checks)
    watch.report = runner.run_blocking(acting, text, context)
    for check, given, left_s in watch.due():
        watch.records[check.name] = runner.beside.run_blocking((check,), given, context, within_s=left_s).records[0]
    return watch.whole()


class _Watch:
    """One stage in which some rails only watch; a rail stands at most once in a stage."""

    report: RailsReport
    """Of the rails that act."""

    def __init__(self, runner: RailRunner, checks: Sequence[Runnable]) -> None:
        self._checks = checks
        self._ends_s = time.monotonic() + runner.limits.stage_s
        self.records: dict[str, RailRecord] = {}
        """Of the rails that watch, by name."""

    def due(self) -> Iterator[tuple[Runnable, str, float]]:
        """Gives each watching rail that the stage came to, what it is given, and how many seconds are left."""
        position = 0
        for check in self._checks:
            if not check.is_monitored:
                if self.report.records[position].stops or self.report.records[position].is_missing:
                    return
                position += 1
                continue
            given = (*self.report.given, self.report.text)[position]
            yield check, given, max(0.0, self._ends_s - time.monotonic())

    def whole(self) -> RailsReport:
        """Returns the report with the records of all rails; a watching one behind a stop was not run."""
        acting = {record.name: record for record in self.report.records}
        records = (acting.get(check.name) or self.records.get(check.name) or _not_run(check) for check in self._checks)
        return replace(self.report, records=tuple(records))


def _acting(checks: Sequence[Runnable]) -> tuple[Runnable, ...]:
    """Returns the rails that act; all of them where none does, which no policy that was loaded has."""
    return tuple(check for check in checks if not check.is_monitored) or tuple(checks)


def _not_run(check: Runnable) -> RailRecord:
    return RailRecord(check.name, check.stage, RailStatus.NOT_RUN, None, 0.0, check.is_monitored)
