"""Stores one decision for every message that gets one, and writes one canonical log line with the same fields."""

from collections import deque
from contextlib import suppress
from typing import Protocol

import structlog
from anyio import CapacityLimiter, to_thread

from gateway.errors import NotServing
from store.errors import Conflict, StoreUnavailable
from store.types import Decision

BUFFERED = 1000
"""Decisions kept in memory while the database does not answer; one more and nothing is answered."""


class DecisionStore(Protocol):
    """Where decisions are kept."""

    def add(self, decision: Decision) -> None:
        """Stores a decision. Raises `Conflict` for one that is stored already, and `StoreUnavailable`."""

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        """Returns the newest decision of a principal's conversation."""


class DecisionLog:
    """Records decisions in order; a database that is away for a while loses none of them."""

    def __init__(self, store: DecisionStore) -> None:
        self._store = store
        self._waiting: deque[Decision] = deque()
        self._one_writer = CapacityLimiter(1)
        self._log = structlog.get_logger("canongate.decision")

    async def record(self, decision: Decision, *, error: str | None = None) -> None:
        """Stores the decision and logs it. Raises `NotServing` when it can be kept nowhere."""
        await to_thread.run_sync(self._write, decision, limiter=self._one_writer)
        self._log.info("decision", **_fields(decision), error=error)

    def note_none(self, turn_id: str, assistant: str, principal: str, *, reason: str) -> None:
        """Logs that a message ended without a decision: it was not acceptable, or its caller left."""
        self._log.info("no_decision", id=turn_id, assistant=assistant, principal=principal, reason=reason)

    def previous(self, conversation: str, principal: str, assistant: str) -> Decision | None:
        """Returns the decision before this one, for follow-up questions; waiting ones count. Blocks: use a thread."""
        found = self._store.last_of_conversation(conversation, principal)
        for decision in tuple(self._waiting):
            if (decision.conversation, decision.principal) == (conversation, principal):
                found = decision
        return found if found and found.assistant == assistant else None

    @property
    def waiting(self) -> int:
        """Decisions that are not in the database yet."""
        return len(self._waiting)

    def _write(self, decision: Decision) -> None:
        if len(self._waiting) >= BUFFERED:
            self._flush_or_refuse()
        self._waiting.append(decision)
        try:
            self._flush()
        except StoreUnavailable as error:
            self._log.warning("decisions_waiting", waiting=len(self._waiting), reason=str(error))

    def _flush_or_refuse(self) -> None:
        try:
            self._flush()
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "Decisions cannot be recorded, so nothing is answered.") from error

    def _flush(self) -> None:
        while self._waiting:
            # A conflict means that it is stored: an earlier try arrived, and the database was lost before it said so.
            with suppress(Conflict):
                self._store.add(self._waiting[0])
            self._waiting.popleft()


def _fields(decision: Decision) -> dict[str, object]:
    """The log line: identifiers and numbers, never words of the person or of the answer."""
    return {
        "id": decision.id,
        "assistant": decision.assistant,
        "principal": decision.principal,
        "outcome": decision.outcome.value,
        "source": decision.source,
        "prompt": decision.prompt_key,
        "version": decision.prompt_version,
        "score": decision.score,
        "gate": decision.gate,
        "stopped_by": decision.stopped_by,
        "store_revision": decision.store_revision,
        "matcher": decision.matcher,
        "policy_revision": decision.policy_revision,
        "prompt_tokens": decision.prompt_tokens,
        "completion_tokens": decision.completion_tokens,
        "cached_from": decision.cached_from,
        "timings_ms": dict(decision.timings_ms),
        "failed": decision.failed,
    }
