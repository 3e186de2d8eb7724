"""A policy whose output rails go by single words, and that remembers every text it judged."""

import asyncio
from dataclasses import dataclass, field

from rails.policy import Streaming
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage

BLOCKED, BLOCKED_WHOLE, BROKEN, MASKED, SHOUTED = "bad", "missing", "boom", "code", "late"
"""Words that block, block the whole answer only, break a rail, are masked, and make a rail rewrite everything."""


@dataclass
class ScriptedPolicy:
    """Stands in for a compiled policy that lets sentences out as they pass."""

    streaming: Streaming = Streaming.CHECKED_SENTENCES
    slow_s: float = 0.0
    judged: list[tuple[str, RailsReport]] = field(default_factory=list)
    """Beginnings and whole answers, in the order in which they were judged."""
    name: str = "desk"
    revision: int = 3

    def asks_again(self, _stage: Stage, _rail: str) -> bool:
        return False

    def refusal(self, _language: str, _rail: str, *, default: str) -> str:
        return "That was stopped by a check."

    async def check(self, stage: Stage, text: str, context: RailContext) -> RailsReport:
        await asyncio.sleep(self.slow_s)
        if stage is Stage.INPUT:
            return RailsReport(stage, text, (RailRecord("scripted", stage, RailStatus.PASSED, None, 0.1),))
        status, said = RailStatus.PASSED, text
        if BROKEN in text:
            status = RailStatus.ERROR
        elif BLOCKED in text or (BLOCKED_WHOLE in text and context.is_whole):
            status = RailStatus.BLOCKED
        elif MASKED in text or SHOUTED in text:
            status, said = RailStatus.MODIFIED, text.replace(MASKED, "****")
            said = said.upper() if SHOUTED in said else said
        report = RailsReport(stage, said, (RailRecord("scripted", stage, status, f"scripted.{status.value}", 0.1),))
        self.judged.append((text, report))
        return report
