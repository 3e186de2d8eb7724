"""Edits under review, what was found about them, and the test sets that they are judged by."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class ChangeRow(Base):
    """A change without its documents."""

    __tablename__ = "changes"
    __table_args__ = (Index(None, "state", "publish_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    note: Mapped[str]
    state: Mapped[str] = mapped_column(String(24))
    rev: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    content_hash: Mapped[str] = mapped_column(String(64))
    submitted_at: Mapped[dt.datetime | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[dt.datetime | None]
    approved_hash: Mapped[str | None] = mapped_column(String(64))
    publish_at: Mapped[dt.datetime | None]
    scheduled_by: Mapped[str | None]
    schedule_problem: Mapped[str]
    published_at: Mapped[dt.datetime | None]
    published_by: Mapped[str | None]
    published_revision: Mapped[int | None] = mapped_column(index=True)
    is_emergency: Mapped[bool]
    reverts: Mapped[UUID | None] = mapped_column(ForeignKey("changes.id"))
    purpose: Mapped[str] = mapped_column(String(200), server_default="")
    """What it was made to gather; empty for one that a person began."""


class ChangeAuthorRow(Base):
    """A person who edited the change. Never updated, never deleted: triggers refuse both."""

    __tablename__ = "change_authors"

    change_id: Mapped[UUID] = mapped_column(ForeignKey("changes.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(255), primary_key=True)


class ChangeEditRow(Base):
    """A document as a change would have it."""

    __tablename__ = "change_edits"
    __table_args__ = (Index(None, "kind", "name"),)

    change_id: Mapped[UUID] = mapped_column(ForeignKey("changes.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    document: Mapped[dict[str, Any] | None]
    """None removes the document."""
    document_hash: Mapped[str] = mapped_column(String(64))
    """Empty for a removal."""
    base: Mapped[str] = mapped_column(String(64))
    base_document: Mapped[dict[str, Any] | None]


class ChangeEventRow(Base):
    """A step of a change, or a comment. Never updated, never deleted: triggers refuse both."""

    __tablename__ = "change_events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID] = mapped_column(ForeignKey("changes.id"), index=True)
    at: Mapped[dt.datetime]
    kind: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str]
    name: Mapped[str]
    person: Mapped[str]
    text: Mapped[str]
    place: Mapped[str]


class GateRunRow(Base):
    """A run of the evidence for one content of a change."""

    __tablename__ = "gate_runs"
    __table_args__ = (Index(None, "change_id", "content_hash"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID] = mapped_column(ForeignKey("changes.id"))
    content_hash: Mapped[str] = mapped_column(String(64))
    live_revision: Mapped[int]
    """What the content was laid over and compared with."""
    state: Mapped[str] = mapped_column(String(16))
    started_by: Mapped[str]
    started_at: Mapped[dt.datetime]
    beat_at: Mapped[dt.datetime]
    """When whoever runs it last said so."""
    finished_at: Mapped[dt.datetime | None]
    phase: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    result: Mapped[dict[str, Any] | None]


class SuiteRow(Base):
    """A state of a test set; the one with the highest revision is live."""

    __tablename__ = "suites"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any] | None]
    """None when this revision removed the suite."""
    created_at: Mapped[dt.datetime]


class SuiteRunRow(Base):
    """A test set asked of what was live."""

    __tablename__ = "suite_runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    suite: Mapped[str] = mapped_column(String(40), index=True)
    assistant: Mapped[str] = mapped_column(String(40))
    live_revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    started_by: Mapped[str]
    started_at: Mapped[dt.datetime]
    beat_at: Mapped[dt.datetime]
    """When whoever runs it last said so."""
    finished_at: Mapped[dt.datetime | None]
    done: Mapped[int]
    total: Mapped[int]
    cases: Mapped[list[Any] | None]
    """What each came to; None until the end."""
