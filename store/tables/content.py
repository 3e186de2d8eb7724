"""What may be said: prompts with their versions, assistants, policies, revisions."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class PromptRow(Base):
    """A prompt's identity; what it says is in its versions."""

    __tablename__ = "prompts"
    __table_args__ = (
        Index(None, "folded_title", "key"),
        Index(None, "owner", "key"),
        Index(None, "review_by", "key"),
        Index(None, "phrasings", "key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    area: Mapped[str] = mapped_column(String(40), index=True)
    """The area of the latest version."""
    created_at: Mapped[dt.datetime]
    live_version: Mapped[int | None]
    """None when it is not published, or no longer."""
    folded_title: Mapped[str] = mapped_column(server_default="")
    """Of the latest version, as what follows: lists are sorted and searched by it without reading versions."""
    owner: Mapped[str] = mapped_column(server_default="")
    review_by: Mapped[dt.date] = mapped_column(server_default="1970-01-01")
    phrasings: Mapped[int] = mapped_column(server_default="0")
    """How many sentences people ask it with."""
    searched: Mapped[str] = mapped_column(server_default="")
    """Key, title and all sentences, folded, a line each."""


class PromptVersionRow(Base):
    """A version of a prompt. Never updated, never deleted: triggers refuse both."""

    __tablename__ = "prompt_versions"

    prompt_id: Mapped[UUID] = mapped_column(ForeignKey("prompts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str]
    folded_title: Mapped[str] = mapped_column(server_default="")
    """As it is searched."""
    area: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str]
    audience: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(2))
    review_by: Mapped[dt.date]
    reply: Mapped[dict[str, Any]]
    slots: Mapped[list[Any]]
    follows: Mapped[list[Any]]
    sha256: Mapped[str] = mapped_column(String(64))
    author: Mapped[str]
    created_at: Mapped[dt.datetime]
    note: Mapped[str]


class PhrasingRow(Base):
    """A sentence of a version: phrasing, counterexample or follow-up. Never updated, never deleted."""

    __tablename__ = "phrasings"
    __table_args__ = (
        ForeignKeyConstraint(["prompt_id", "version"], ["prompt_versions.prompt_id", "prompt_versions.number"]),
    )

    prompt_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    canonical: Mapped[str] = mapped_column(index=True)
    folded: Mapped[str] = mapped_column(server_default="")
    """As it is searched."""


class AssistantRow(Base):
    """An assistant as it is now, and the revision that made it so."""

    __tablename__ = "assistants"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    document: Mapped[dict[str, Any]]
    revision: Mapped[int]


class AssistantStateRow(Base):
    """An assistant as it was from a revision on. Never updated, never deleted: triggers refuse both."""

    __tablename__ = "assistant_states"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]]


class PolicyRow(Base):
    """A state of a policy; the one with the highest revision is live."""

    __tablename__ = "policies"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any] | None]
    """None when this revision removed the policy."""
    created_at: Mapped[dt.datetime]


class RevisionRow(Base):
    """A publish; the highest number is live."""

    __tablename__ = "revisions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    kind: Mapped[str] = mapped_column(String(16))
    author: Mapped[str]
    note: Mapped[str]
    change_id: Mapped[UUID | None]
    """The change that was published; None for what an operator published on the machine."""
    is_emergency: Mapped[bool] = mapped_column(server_default=false())
