"""What nobody got an answer to, how it is grouped, what was done about it, and what was proposed for prompts."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base

_ID = String(36)


class QuestionClusterRow(Base):
    """Questions that mean about the same."""

    __tablename__ = "question_clusters"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    assistant: Mapped[str] = mapped_column(index=True)
    made_at: Mapped[dt.datetime]
    label: Mapped[str | None] = mapped_column(_ID)
    """The most central question. No foreign key: questions point here, and a purge takes both."""
    centre: Mapped[bytes | None]
    """Mean of its questions' vectors, float16; None until they have some."""
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    """Of the embedder that made the vectors."""
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("question_clusters.id"), index=True)
    """Where a person put its questions; it stays for the undo and gets no new ones."""
    rev: Mapped[int]


class QuestionRow(Base):
    """A message, redacted, that nobody got a good answer to; the same words once more only count up."""

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("assistant", "canonical_sha256"),
        Index(None, "assistant", "state", "last_seen", "id"),
        Index(None, "last_seen", "id"),
    )

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    assistant: Mapped[str]
    text: Mapped[str]
    canonical: Mapped[str]
    canonical_sha256: Mapped[bytes]
    state: Mapped[str] = mapped_column(String(16))
    snoozed_until: Mapped[dt.datetime | None]
    action: Mapped[str | None] = mapped_column(_ID)
    """The action that put it into its state."""
    count: Mapped[int]
    reasons: Mapped[dict[str, Any]]
    first_seen: Mapped[dt.datetime]
    last_seen: Mapped[dt.datetime]
    last_decision: Mapped[str] = mapped_column(String(64))
    gate: Mapped[str | None] = mapped_column(String(16))
    score: Mapped[float | None]
    prompt_key: Mapped[str | None] = mapped_column(String(80))
    """What the last decision said."""
    cluster: Mapped[str | None] = mapped_column(ForeignKey("question_clusters.id"), index=True)
    vector: Mapped[bytes | None] = mapped_column(deferred=True)
    """float16, of the embedder `fingerprint`."""
    fingerprint: Mapped[str | None] = mapped_column(String(64), index=True)
    rev: Mapped[int]
    """Goes up with its state, not with its count."""


class QuestionSightingRow(Base):
    """One decision that made a question or counted one up; told twice it counts once."""

    __tablename__ = "question_sightings"
    __table_args__ = (Index(None, "question", "day"),)

    decision: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(16), primary_key=True)
    question: Mapped[str] = mapped_column(ForeignKey("questions.id", ondelete="CASCADE"))
    day: Mapped[dt.date]


class QuestionActionRow(Base):
    """What somebody did about questions, with what there was before."""

    __tablename__ = "question_actions"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    kind: Mapped[str] = mapped_column(String(24))
    assistants: Mapped[list[Any]]
    before: Mapped[list[Any]]
    edit: Mapped[dict[str, Any] | None]
    change: Mapped[str | None] = mapped_column(String(64))
    undone_at: Mapped[dt.datetime | None]


class QuestionCountRow(Base):
    """How many messages came to the queue in a day, and what became of them there."""

    __tablename__ = "question_counts"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    assistant: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int]


class SuggestionJobRow(Base):
    """A search for new phrasings or counterexamples of one prompt."""

    __tablename__ = "suggestion_jobs"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    prompt: Mapped[str] = mapped_column(String(80), index=True)
    actor: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    done: Mapped[int]
    total: Mapped[int]
    proposed: Mapped[int]
    dropped: Mapped[dict[str, Any]]
    """Reason to number."""
    problem: Mapped[str | None]


class SuggestionRow(Base):
    """A sentence that was proposed for a prompt; a declined one stays, so that it is not proposed again."""

    __tablename__ = "suggestions"
    __table_args__ = (UniqueConstraint("prompt", "kind", "canonical"), Index(None, "prompt", "state", "id"))

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    prompt: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str]
    canonical: Mapped[str]
    provenance: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    job: Mapped[str] = mapped_column(ForeignKey("suggestion_jobs.id"))
    made_at: Mapped[dt.datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    change: Mapped[str | None] = mapped_column(String(64))
    rev: Mapped[int]
