"""Hands messages that nobody got a good answer to over to the review queue, after the reply and beside serving."""

import datetime as dt
import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import anyio
from anyio import CapacityLimiter, to_thread

from store.errors import StoreError
from store.pauses import give_way
from store.review.intake import Intake
from store.review.types import Noted, Reason
from store.types import Decision, Outcome

HELD = 1000
"""Messages held in memory until they are written; one more is counted as lost."""
BATCH = 100
WRITE_S = 1.0
"""How often what has come is written."""
RETRY_S = 10.0

_REASONS = {
    Outcome.NO_MATCH: Reason.NO_MATCH,
    Outcome.CLARIFY: Reason.CLARIFY,
    Outcome.BLOCKED_INPUT: Reason.BLOCKED,
    Outcome.BLOCKED_OUTPUT: Reason.BLOCKED,
}
_LOG = logging.getLogger(__name__)

Redact = Callable[[str], str | None]
"""Returns a text that may be kept, or None."""


class DecisionListener(Protocol):
    """Is told of each decision once it is recorded. Must return at once and never raise."""

    def decided(self, decision: Decision, message: str) -> None:
        """`message` is canonical and as the person sent it; empty when it was refused before it had that form."""


class NobodyListens:
    """Keeps nothing: for a gateway without a review queue."""

    def decided(self, decision: Decision, message: str) -> None:
        pass


NOBODY = NobodyListens()


@dataclass(frozen=True, slots=True)
class _Held:
    """A message that is not yet redacted: in memory only."""

    decision: Decision
    reason: Reason
    text: str
    at: dt.datetime


class QuestionRecorder:
    """Holds messages for some moments and writes them, redacted, from its own task."""

    def __init__(self, intake: Intake, redact: Redact, keeps: Callable[[str], bool]) -> None:
        """`keeps` says of an assistant whether its questions are kept; without that they are not even held."""
        self._intake = intake
        self._redact = redact
        self._keeps = keeps
        self._held: deque[_Held] = deque()
        self._ready: list[Noted] = []
        """Redacted, and not written because the database did not answer."""
        self._lost: Counter[tuple[dt.date, str]] = Counter()
        self._thread = CapacityLimiter(1)

    def decided(self, decision: Decision, message: str) -> None:
        """Takes a decision's message if it belongs into the queue."""
        reason = _REASONS.get(decision.outcome)
        # A message that a broken check stopped says nothing about the content, and one that is asked for a value
        # has found its prompt.
        if reason is None or decision.failed or decision.needs_slot is not None:
            return
        self._hold(_Held(decision, reason, message, decision.at))

    def disliked(self, decision: Decision, message: str, *, at: dt.datetime) -> None:
        """Takes a message whose answer got a thumbs down; `message` is empty where its text was not kept."""
        self._hold(_Held(decision, Reason.THUMBS_DOWN, message, at))

    @property
    def waiting(self) -> int:
        """Messages that are not in the database yet."""
        return len(self._held) + len(self._ready)

    async def follow(self) -> None:
        """Writes what comes, for ever; what is left when it is stopped is written before it ends."""
        try:
            while True:
                await anyio.sleep(WRITE_S)
                if not await self.write():
                    await anyio.sleep(RETRY_S)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5.0, shield=True):
                await self.write()

    async def write(self) -> bool:
        """Writes everything that is held; returns False, with everything still held, when the database is away."""
        lost, self._lost = self._lost, Counter()  # counted on the loop alone: two threads would lose some
        try:
            return await to_thread.run_sync(self._write, lost, limiter=self._thread)
        finally:
            self._lost.update(lost)

    def _hold(self, held: _Held) -> None:
        if not self._keeps(held.decision.assistant):
            return
        if self.waiting >= HELD:
            self._lost[held.at.astimezone(dt.UTC).date(), held.decision.assistant] += 1
            return
        self._held.append(held)

    def _write(self, lost: Counter[tuple[dt.date, str]]) -> bool:
        """Writes all; what was written of `lost` is taken out of it."""
        try:
            while self._ready or self._held or lost:
                while self._held and len(self._ready) < BATCH:
                    self._ready.append(self._noted(self._held[0]))
                    self._held.popleft()
                    give_way()
                self._intake.take(self._ready, lost=lost)
                self._ready = []
                lost.clear()
        except StoreError as error:
            _LOG.warning("questions_waiting: %d, %s", self.waiting, error)
            return False
        return True

    def _noted(self, held: _Held) -> Noted:
        decision = held.decision
        return Noted(
            decision=decision.id,
            at=held.at,
            assistant=decision.assistant,
            reason=held.reason,
            text=self._redacted(held.text),
            gate=decision.gate,
            score=decision.score,
            prompt_key=decision.prompt_key,
            is_of_person=decision.person is not None,
        )

    def _redacted(self, text: str) -> str | None:
        try:
            return self._redact(text) if text else None
        except Exception:  # noqa: BLE001 - whatever it is, a text that could not be redacted is not kept
            _LOG.warning("question_not_redacted")
            return None
