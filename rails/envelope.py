"""The envelope around the rails of one stage: whatever a rail does becomes a record, and never a pass."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence

from rails.nemo import CompiledCheck, Verdict
from rails.types import RailContext, RailRecord, RailsReport, RailStatus

# No user text is matched with this: reasons are constants of the rails, or the names of a policy's patterns.
_REASON = re.compile(r"[a-z_]+(\.[a-z0-9_-]{1,64})+")


class StageRun:
    """One run of one stage's rails over one text."""

    def __init__(
        self, checks: Sequence[CompiledCheck], text: str, context: RailContext, rail_s: float, deadline_s: float
    ) -> None:
        self._checks = tuple(checks)
        self._text = text
        self._context = context
        self._rail_s = rail_s
        self.deadline_s = deadline_s
        """When the whole stage must be done, on the clock of `time.monotonic`."""
        self.failure = "rail.failed"
        """The reason that `failed` gives."""
        self.is_done = False
        self._records: list[RailRecord] = []
        self._rail_began_s: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether its first rail was started."""
        return self._rail_began_s is not None

    async def run(self, beat: Callable[[], None], is_cancelled: Callable[[], bool]) -> RailsReport:
        """Runs the rails in order until one blocks or fails; `beat` is called whenever one begins or ends."""
        for check in self._checks:
            began_s = self._rail_began_s = time.monotonic()
            beat()
            status, reason = await self._run_rail(check, began_s, is_cancelled)
            beat()
            self._records.append(_record(check, status, reason, began_s))
            if status in (RailStatus.BLOCKED, RailStatus.ERROR):
                break
        self.is_done = True
        return self._report(self._records)

    def failed(self) -> RailsReport:
        """Returns the report of a stage that did not come back: the rail that it was at has failed."""
        records = list(self._records[: len(self._checks) - 1])
        began_s = time.monotonic() if self._rail_began_s is None else self._rail_began_s
        records.append(_record(self._checks[len(records)], RailStatus.ERROR, self.failure, began_s))
        return self._report(records)

    async def _run_rail(
        self, check: CompiledCheck, began_s: float, is_cancelled: Callable[[], bool]
    ) -> tuple[RailStatus, str | None]:
        limit_s = min(began_s + self._rail_s, self.deadline_s)
        if began_s >= limit_s:
            return RailStatus.ERROR, "rail.stage_timeout"
        try:
            async with asyncio.timeout_at(limit_s):
                said = await check.run(self._text, self._context)
        except TimeoutError:
            return RailStatus.ERROR, "rail.timeout"
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            return RailStatus.ERROR, "rail.raised"
        except Exception:  # noqa: BLE001 - the rail envelope: whatever a rail raises is a failure of the check
            return RailStatus.ERROR, "rail.raised"
        if time.monotonic() > limit_s:  # a rail that computes without awaiting cannot be interrupted by the timeout
            return RailStatus.ERROR, "rail.timeout"
        return self._judge(check, said)

    def _judge(self, check: CompiledCheck, said: Verdict) -> tuple[RailStatus, str | None]:
        if said.has_failed:
            return RailStatus.ERROR, "rail.failed"
        if said.is_blocked:
            return RailStatus.BLOCKED, _code(check.name, said.reason)
        if said.is_rewritten:
            self._text = said.text
            return RailStatus.MODIFIED, _code(check.name, said.reason)
        return RailStatus.PASSED, None

    def _report(self, records: list[RailRecord]) -> RailsReport:
        rest = (_record(check, RailStatus.NOT_RUN, None, None) for check in self._checks[len(records) :])
        return RailsReport(self._checks[0].stage, self._text, (*records, *rest))


def _record(check: CompiledCheck, status: RailStatus, reason: str | None, began_s: float | None) -> RailRecord:
    duration_ms = 0.0 if began_s is None else (time.monotonic() - began_s) * 1000.0
    return RailRecord(check.name, check.stage, status, reason, duration_ms)


def _code(name: str, reason: str | None) -> str:
    """Returns the rail's reason when it is a constant code of its own, so that no text ends up in a record."""
    if reason is not None and reason.startswith(f"{name}.") and _REASON.fullmatch(reason):
        return reason
    return f"{name}.blocked"
