"""Stores one decision for every message that gets one, and writes one canonical log line with the same fields."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import anyio
import structlog

from gateway.batch_thread import BatchThread
from gateway.errors import NotServing
from gateway.privacy import UNLINKED, Privacy
from gateway.telemetry import UNREAD, Telemetry
from gateway.trace_context import CURRENT
from gateway.turn import Turn
from rails.types import RailStatus
from store.content import KeepsText
from store.errors import Conflict, StoreUnavailable
from store.types import Decision, Outcome, Recorded, Words

BUFFERED = 1000
"""Decisions kept in memory while the database does not answer; one more and nothing is answered."""


_FIRED = frozenset({RailStatus.MODIFIED.value, RailStatus.BLOCKED.value, RailStatus.ERROR.value})


RECORD_S = 5.0
"""How long an answer waits for its decision to be kept; a database that is busy takes some milliseconds."""

CLOSING_S = 5.0
"""How long the end waits for the database to take what waits."""
_LOOK_S = 0.02


class DecisionStore(Protocol):
    """Where decisions are kept."""

    def add_all(self, rows: Sequence[Recorded]) -> None:
        """Stores all of them or none; those that are stored already stay as they are. Raises `StoreUnavailable`."""

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        """Returns the newest decision of a principal's conversation, but for failures."""


class DecisionStatus(StrEnum):
    """Whether the guard let a message through, stopped it, or could not say: a crash is no verdict."""

    SUCCESS = "success"
    INTERVENED = "guardrail_intervened"
    NO_VERDICT = "guardrail_failed_to_respond"


@dataclass(frozen=True, slots=True)
class Said:
    """What a decision was about, before anything is known of what may be kept."""

    message: str
    answer: str
    keeps: KeepsText
    user: str | None
    """The person as the caller names them."""
    context: str = ""
    """What the page said of itself, as JSON."""

    @classmethod
    def of(cls, turn: Turn, answer: str) -> "Said":
        """Returns what was asked in a turn, and what was shown of it: all, where `answer` took the place of some."""
        seen = answer if answer.startswith(turn.shown) else f"{turn.shown}\n\n{answer}"
        return cls(turn.question.text, seen, turn.assistant.keeps_text, turn.question.user, turn.question.context)


class DecisionLog:
    """Records decisions in order; a database that is away for a while loses none of them. Close it before the store.

    One thread masks and writes. Whatever came while it wrote the last ones goes into one transaction.
    """

    def __init__(
        self,
        store: DecisionStore,
        privacy: Privacy = UNLINKED,
        telemetry: Telemetry = UNREAD,
        *,
        within_s: float = RECORD_S,
    ) -> None:
        self._store = store
        self._within_s = within_s
        self._telemetry = telemetry
        self._privacy = privacy
        self._waiting: tuple[Recorded, ...] = ()
        self._writer = BatchThread(self._write, idle=self._flush, name="decisions")
        self._log = structlog.get_logger("canongate.decision")

    async def record(self, decision: Decision, said: Said | None = None, *, error: str | None = None) -> Decision:
        """Stores the decision, logs it, and returns it as it is kept.

        Raises `NotServing` when it can be nowhere, or is nowhere for so long: then it is kept when the database goes
        on, and whoever asked has no answer.
        """
        if said is not None and said.user:
            decision = replace(decision, person=self._privacy.pseudonym(said.user))
        try:
            with anyio.fail_after(self._within_s):
                await self._writer.put((decision, said))
        except TimeoutError as late:
            raise _refused() from late
        self._telemetry.decided(decision)
        self._log.info("decision", **_request(), **_fields(decision), error=error)
        return decision

    def require_room(self) -> None:
        """Raises `NotServing` when a decision can be kept nowhere: then nothing may be shown that needs one."""
        if len(self._waiting) >= BUFFERED:
            raise _refused()

    def note_none(self, turn_id: str, assistant: str, principal: str, *, reason: str) -> None:
        """Logs that a message ended without a decision: it was not acceptable, or its caller left."""
        self._telemetry.undecided(reason)
        fields = {"id": turn_id, "assistant": assistant, "principal": principal, "reason": reason}
        self._log.info("no_decision", **_request(), **fields)

    def previous(self, conversation: str, principal: str, assistant: str) -> Decision | None:
        """Returns the decision before this one, for follow-up questions, but for failures: people try again.

        Waiting ones count. Blocks: use a thread.
        """
        found = self._store.last_of_conversation(conversation, principal)
        for decision in (row.decision for row in self._waiting):
            if (decision.conversation, decision.principal) == (conversation, principal) and not decision.failed:
                found = decision
        return found if found and found.assistant == assistant else None

    @property
    def waiting(self) -> int:
        """Decisions that are not in the database yet."""
        return len(self._waiting)

    def close(self, *, within_s: float = CLOSING_S) -> None:
        """Waits until everything is stored, so long at most; what is not is lost, and told in the log. Blocks."""
        until = time.monotonic() + within_s
        while (self._writer.left or self._waiting) and time.monotonic() < until:
            time.sleep(_LOOK_S)
        # In this order: from the one it goes to the other, and for a moment it is in both.
        unanswered = [decision.id for decision, _ in self._writer.left]
        ids = [row.decision.id for row in self._waiting]
        unanswered = [one for one in unanswered if one not in ids]
        if ids or unanswered:
            count = len(ids) + len(unanswered)
            self._log.critical("decisions_lost", count=count, ids=ids, unanswered=unanswered)

    def _write(self, decided: Sequence[tuple[Decision, Said | None]]) -> Sequence[Exception | None]:
        """Stores what waited and what came; returns for each that came why it could be kept nowhere."""
        rows = [Recorded(decision, self._words(said)) for decision, said in decided]
        try:
            self._store_all([*self._waiting, *rows])
        except StoreUnavailable as error:
            room = max(0, BUFFERED - len(self._waiting))
            self._waiting += tuple(rows[:room])
            self._log.warning("decisions_waiting", waiting=len(self._waiting), reason=str(error))
            return [None] * len(rows[:room]) + [_refused()] * len(rows[room:])
        self._waiting = ()
        return [None] * len(rows)

    def _words(self, said: Said | None) -> Words | None:
        if said is None or said.keeps is KeepsText.OFF:
            return None
        return self._privacy.words_blocking(said.keeps, said.message, said.answer, said.context)

    def _flush(self) -> bool:
        """Stores what waits; returns whether some still does."""
        if self._waiting:
            with suppress(StoreUnavailable):
                self._store_all(self._waiting)
                self._waiting = ()
        return bool(self._waiting)

    def _store_all(self, rows: Sequence[Recorded]) -> None:
        try:
            self._store.add_all(rows)
        except Conflict:
            # One that the database refuses must not hold up the others.
            for row in rows:
                try:
                    self._store.add_all([row])
                except Conflict as error:
                    self._log.error("decision_refused", id=row.decision.id, reason=str(error))


def status_of(decision: Decision) -> DecisionStatus:
    """Returns what the guard did about a message."""
    if decision.failed:
        return DecisionStatus.NO_VERDICT
    is_stopped = decision.outcome in (Outcome.BLOCKED_INPUT, Outcome.BLOCKED_OUTPUT) or decision.stopped_by is not None
    return DecisionStatus.INTERVENED if is_stopped else DecisionStatus.SUCCESS


def _request() -> dict[str, object]:
    """The request that is decided about; a message of the gateway's own has none."""
    trace = CURRENT.get()
    return {"request_id": trace.request_id, "trace_id": trace.trace_id} if trace else {}


def _refused() -> NotServing:
    return NotServing("store_unavailable", "Decisions cannot be recorded, so nothing is answered.")


def _fields(decision: Decision) -> dict[str, object]:
    """The log line: identifiers and numbers, never words of the person or of the answer."""
    return {
        "id": decision.id,
        "assistant": decision.assistant,
        "principal": decision.principal,
        "status": status_of(decision).value,
        "outcome": decision.outcome.value,
        "source": decision.source,
        "prompt": decision.prompt_key,
        "version": decision.prompt_version,
        "score": decision.score,
        "gate": decision.gate,
        "stopped_by": decision.stopped_by,
        "fired": [f"{one['stage']}.{one['name']}:{one['status']}" for one in decision.rails if one["status"] in _FIRED],
        "store_revision": decision.store_revision,
        "matcher": decision.matcher,
        "policy": decision.policy,
        "policy_revision": decision.policy_revision,
        "prompt_sha256": decision.prompt_sha256,
        "sent_sha256": decision.sent_sha256,
        "model_sha256": decision.model_sha256,
        "model_adapter": decision.model_adapter,
        "prompt_tokens": decision.prompt_tokens,
        "completion_tokens": decision.completion_tokens,
        "cached_from": decision.cached_from,
        "timings_ms": dict(decision.timings_ms),
        "failed": decision.failed,
    }
