"""Lets an answer out sentence by sentence, each once the output rails let everything up to its end pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.lines import back
from gateway.sentences import next_end, shown_beginning
from models.ports import OnText
from rails.types import RailRecord, RailsReport, RailStatus, Stage

BUFFER = "sentences"
"""The name under which this buffer's own verdicts are recorded beside those of the rails."""

Check = Callable[[str, bool], Awaitable[RailsReport]]
"""Runs the output rails on a text; the flag says whether it is all of the answer."""
Release = Callable[[str], Awaitable[None]]
Generate = Callable[[OnText], Awaitable[str | None]]
"""Has the model answer, telling each stretch of it; returns its whole words, or None when there are none to show."""


class SentenceBuffer:
    """Holds back what was not checked; nothing but what `release` is given may leave.

    Each sentence is judged as the end of everything before it, so its check runs over the whole beginning: an answer
    of n sentences costs n runs of the output rails. The last one is the check of the whole answer. A rail that changes
    the text may change what is still held back; a change of what has been released blocks the answer.
    """

    def __init__(self, check: Check, release: Release, *, until_s: float) -> None:
        self._check = check
        self._release = release
        self._until_s = until_s
        self._heard = ""
        self._end = 0
        self._released = ""
        self.report: RailsReport | None = None
        """The verdict so far, with the time of all runs; None before the first."""

    async def hear(self, stretch: str) -> bool:
        """Takes the next stretch of the model's words. False: the answer is blocked, and no more may be heard."""
        self._heard += stretch
        return await self._advance(shown_beginning(self._heard))

    async def finish(self, answer: str) -> RailsReport:
        """Takes the whole answer, without a half sentence at its end, and returns the verdict on all of it."""
        if await self._advance(answer):
            await self._pass(answer, is_whole=True)
        if self.report is None:
            raise RuntimeError("an answer was let out that no rail has seen. This is a bug.")
        return self.report

    async def _advance(self, text: str) -> bool:
        while (end := next_end(text, self._end)) is not None:
            if not await self._pass(text[:end], is_whole=False):
                return False
            self._end = end
        return True

    async def _pass(self, text: str, *, is_whole: bool) -> bool:
        if time.monotonic() > self._until_s:
            self.report = _stopped(self.report, text, RailStatus.ERROR, "deadline")
            return False
        report = _with_earlier(await self._check(text, is_whole), self.report)
        if not report.is_blocked and not report.text.startswith(self._released):
            report = _stopped(report, text, RailStatus.BLOCKED, "changed_after_release")
        self.report = report
        if report.is_blocked:
            return False
        if new := report.text[len(self._released) :]:
            self._released = report.text
            await self._release(new)
        return True


async def release_sentences(generate: Generate, buffer: SentenceBuffer) -> RailsReport | None:
    """Returns the verdict on what `generate` says; None when there is no answer to show.

    As soon as something is blocked, and when the caller is cancelled, `generate` is cancelled.
    """
    stretches: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def hear(stretch: str) -> None:
        loop.call_soon_threadsafe(stretches.put_nowait, stretch)

    def end(done: asyncio.Future[str | None]) -> None:
        stretches.put_nowait(None)
        if not done.cancelled():
            done.exception()  # marks it as seen: after a block, nobody asks

    work = asyncio.ensure_future(generate(hear))
    work.add_done_callback(end)
    try:
        while (stretch := await stretches.get()) is not None:
            if not await buffer.hear(stretch):
                break
        else:
            answer = work.result()
            return None if answer is None else await buffer.finish(answer)
    finally:
        work.cancel()
        await asyncio.wait((work,))
    await back()  # what was stopped while it was away did not take the place again
    return buffer.report


def _with_earlier(report: RailsReport, earlier: RailsReport | None) -> RailsReport:
    """Returns one record for each rail: its verdict on the text that decided, and the time of all its runs.

    A rail that watched, or that changed something, keeps what it said of an earlier beginning.
    """
    before = {record.name: record for record in earlier.records} if earlier else {}
    return replace(report, records=tuple(_merged(record, before.get(record.name)) for record in report.records))


def _merged(record: RailRecord, before: RailRecord | None) -> RailRecord:
    if before is None or record.status is RailStatus.NOT_RUN:
        return record
    spent_ms = record.duration_ms + before.duration_ms
    if record.status is RailStatus.PASSED and before.status is not RailStatus.NOT_RUN:
        return replace(before, duration_ms=spent_ms)
    return replace(record, duration_ms=spent_ms)


def _stopped(report: RailsReport | None, text: str, status: RailStatus, reason: str) -> RailsReport:
    """Returns a report in which the buffer itself stopped the answer."""
    own = RailRecord(BUFFER, Stage.OUTPUT, status, f"{BUFFER}.{reason}", 0.0)
    return RailsReport(Stage.OUTPUT, text, (*(report.records if report else ()), own))
