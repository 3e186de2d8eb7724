"""What happened to messages."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base

FILTERED = ("assistant", "outcome", "prompt_key", "stopped_by", "principal", "at")
"""What lists are narrowed by, in the indexes by which they are sorted: no row is read that is not shown."""


class DecisionRow(Base):
    """What happened to one message."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "conversation", "principal", "at"),
        Index(None, "assistant", "at", "id"),
        Index(None, "principal", "at"),
        Index(None, "person"),
        Index("ix_decisions_total_ms_id", "total_ms", "id", *FILTERED),
        Index("ix_decisions_sorted_score_id", "sorted_score", "id", *FILTERED),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[dt.datetime]
    assistant: Mapped[str]
    principal: Mapped[str]
    conversation: Mapped[str | None]
    outcome: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    message_chars: Mapped[int]
    prompt_key: Mapped[str | None]
    prompt_version: Mapped[int | None]
    prompt_sha256: Mapped[str | None] = mapped_column(String(64))
    slots: Mapped[dict[str, Any]]
    needs_slot: Mapped[str | None]
    has_quoted_text: Mapped[bool]
    score: Mapped[float | None]
    margin: Mapped[float | None]
    method: Mapped[str | None] = mapped_column(String(16))
    gate: Mapped[str | None] = mapped_column(String(16))
    rails: Mapped[list[Any]]
    timings_ms: Mapped[dict[str, Any]]
    store_revision: Mapped[int]
    matcher: Mapped[str | None] = mapped_column(String(64))
    policy: Mapped[str]
    policy_revision: Mapped[int]
    model_sha256: Mapped[str | None] = mapped_column(String(64))
    sent_sha256: Mapped[str | None] = mapped_column(String(64))
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    failed: Mapped[bool]
    cached_from: Mapped[str | None] = mapped_column(String(64))
    cached_at: Mapped[dt.datetime | None]
    model_adapter: Mapped[str | None] = mapped_column(String(100))
    person: Mapped[str | None] = mapped_column(String(64))
    """HMAC of the user id that the caller gave, for a purge; None once purged."""
    stopped_by: Mapped[str | None] = mapped_column(String(64))
    """The rail that stopped the text, as `Decision.stopped_by` says, to look for."""
    total_ms: Mapped[float] = mapped_column(server_default="0")
    """How long it took altogether, as `Decision.total_ms` says, to sort by."""
    sorted_score: Mapped[float] = mapped_column(server_default="-1")
    """The score, and -1 for none, to sort by."""


class DecisionTextRow(Base):
    """What was said, where the assistant keeps it; goes with its decision, or before."""

    __tablename__ = "decision_texts"

    decision: Mapped[str] = mapped_column(String(64), ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True)
    kept: Mapped[str] = mapped_column(String(16))
    message: Mapped[str]
    answer: Mapped[str]
    context: Mapped[str] = mapped_column(server_default="")
