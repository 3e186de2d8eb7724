"""What people thought of answers, and the files that were imported."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class FeedbackRow(Base):
    """A verdict on a decision, without words: it stays as a figure when the decision is gone."""

    __tablename__ = "feedback"
    __table_args__ = (
        Index(None, "changed_at", "decision"),
        Index(None, "assistant", "changed_at", "decision"),
        Index(None, "prompt_key", "prompt_version"),
        Index(None, "verdict", "decision"),
    )

    decision: Mapped[str] = mapped_column(String(64), primary_key=True)
    """No foreign key: decisions are deleted when they are old."""
    given_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    principal: Mapped[str]
    assistant: Mapped[str]
    prompt_key: Mapped[str | None] = mapped_column(String(80))
    prompt_version: Mapped[int | None]
    verdict: Mapped[str] = mapped_column(String(8))
    reasons: Mapped[list[Any]]


class FeedbackTextRow(Base):
    """What was said beside a verdict, where the assistant keeps it; goes with its decision, or before."""

    __tablename__ = "feedback_texts"

    decision: Mapped[str] = mapped_column(String(64), ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True)
    kept: Mapped[str] = mapped_column(String(16))
    comment: Mapped[str]
    better: Mapped[str]
    """The answer as it should have been, empty when nobody said."""


class ImportRow(Base):
    """A file of rows that was sent, and what became of it."""

    __tablename__ = "imports"
    __table_args__ = (Index(None, "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    actor: Mapped[str]
    person: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    order: Mapped[dict[str, Any]] = mapped_column("ordered")
    """What should be made of it."""
    report: Mapped[dict[str, Any] | None]
    problem: Mapped[str]
    change: Mapped[str | None] = mapped_column(String(36))
    """The change that the drafts were put into."""
