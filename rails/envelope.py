"""The envelope around the rails of one stage: whatever a rail does becomes a record, and never a pass."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import Any, Protocol

from rails.nemo import Verdict, running
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage

# No user text is matched with this: reasons are constants of the rails, or the names of a policy's patterns.
_REASON = re.compile(r"[a-z_]+(\.[a-z0-9_-]{1,64})+")


class Runnable(Protocol):
    """What the envelope goes around: a compiled rail, or the dialog's one look at a message."""

    @property
    def name(self) -> str:
        """The name in the record."""

    @property
    def stage(self) -> Stage:
        """When it runs."""

    @property
    def is_monitored(self) -> bool:
        """Whether its verdict is recorded and not acted on."""

    @property
    def deadline_s(self) -> float | None:
        """How long it may take, where that is longer than for an ordinary rail."""

    async def run(self, text: str, context: RailContext) -> Verdict:
        """Returns its verdict on `text`; what it raises is a failure."""


class StageRun:
    """One run of one stage's rails over one text."""

    def __init__(
        self, checks: Sequence[Runnable], text: str, context: RailContext, rail_s: float, deadline_s: float
    ) -> None:
        self._checks = tuple(checks)
        self._text = text
        self._context = context
        self._rail_s = rail_s
        self.allowed_s = rail_s
        """How long the rail that runs now may take; before the first one, the limit of an ordinary rail."""
        self.deadline_s = deadline_s
        """When the whole stage must be done, on the clock of `time.monotonic`."""
        self.failure = "rail.failed"
        """The reason that `failed` gives."""
        self.is_done = False
        self._records: list[RailRecord] = []
        self._given: list[str] = []
        self._rail_began_s: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether its first rail was started."""
        return self._rail_began_s is not None

    async def run(self, beat: Callable[[], None], is_cancelled: Callable[[], bool]) -> RailsReport:
        """Runs the rails in order until one blocks or fails; `beat` is called whenever one begins or ends."""
        for check in self._checks:
            self._given.append(self._text)
            self.allowed_s = max(self._rail_s, check.deadline_s or 0.0)
            began_s = self._rail_began_s = time.monotonic()
            beat()
            status, reason = await self._run_rail(check, began_s, is_cancelled)
            beat()
            self._records.append(_record(check, status, reason, began_s))
            if self._records[-1].stops:
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
        self, check: Runnable, began_s: float, is_cancelled: Callable[[], bool]
    ) -> tuple[RailStatus, str | None]:
        limit_s = min(began_s + self.allowed_s, self.deadline_s)
        if began_s >= limit_s:
            return RailStatus.ERROR, "rail.stage_timeout"
        running.set(f"{check.stage.value}.{check.name}")  # of the stage's own task
        try:
            said = await _within(check.run(self._text, self._context), limit_s)
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

    def _judge(self, check: Runnable, said: Verdict) -> tuple[RailStatus, str | None]:
        if said.has_failed:
            return RailStatus.ERROR, "rail.failed"
        if said.is_blocked:
            return RailStatus.BLOCKED, _code(check.name, said.reason)
        if said.is_rewritten:
            if not check.is_monitored:
                self._text = said.text
            return RailStatus.MODIFIED, _code(check.name, said.reason)
        return RailStatus.PASSED, None

    def _report(self, records: list[RailRecord]) -> RailsReport:
        rest = (_record(check, RailStatus.NOT_RUN, None, None) for check in self._checks[len(records) :])
        return RailsReport(self._checks[0].stage, self._text, (*records, *rest), tuple(self._given))


async def _within(work: Coroutine[Any, Any, Verdict], limit_s: float) -> Verdict:
    """Returns what `work` returns; raises `TimeoutError` when it waits for something beyond the limit."""
    # Most rails wait for nothing, and a timeout would cost as much as some of them: it is set when one does wait. What
    # computes for too long no timeout can stop; the runner looks after that.
    try:
        awaited = work.send(None)
    except StopIteration as ended:
        said: Verdict = ended.value
        return said
    async with asyncio.timeout_at(limit_s):
        return await _resumed(work, awaited)


@coroutine
def _resumed(work: Coroutine[Any, Any, Verdict], awaited: Any) -> Generator[Any, Any, Verdict]:
    """Goes on with `work`, which has been started and waits for `awaited`."""
    try:
        while True:
            try:
                answer = yield awaited
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is meant for the work
                awaited = work.throw(error)
            else:
                awaited = work.send(answer)
    except StopIteration as ended:
        said: Verdict = ended.value
        return said


def _record(check: Runnable, status: RailStatus, reason: str | None, began_s: float | None) -> RailRecord:
    duration_ms = 0.0 if began_s is None else (time.monotonic() - began_s) * 1000.0
    return RailRecord(check.name, check.stage, status, reason, duration_ms, check.is_monitored)


def _code(name: str, reason: str | None) -> str:
    """Returns the rail's reason when it is a constant code of its own, so that no text ends up in a record."""
    if reason is not None and reason.startswith(f"{name}.") and _REASON.fullmatch(reason):
        return reason
    return f"{name}.blocked"
