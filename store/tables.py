"""The tables of the database, as SQLAlchemy classes."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""A constraint without a name cannot be dropped by a migration."""


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A point in time, in UTC; SQLite, which knows no zones, gets it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turns an aware time into the database's."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a zone. This is a bug.")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turns the database's time into an aware one."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """What all tables share: names of constraints and the types of columns."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads this name from the class
        dt.datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        str: Text(),
        bytes: LargeBinary(),
        float: Double(),
        UUID: Uuid(),
    }


class PromptRow(Base):
    """A prompt's identity; what it says is in its versions."""

    __tablename__ = "prompts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    area: Mapped[str] = mapped_column(String(40), index=True)
    """The area of the latest version."""
    created_at: Mapped[dt.datetime]
    live_version: Mapped[int | None]
    """None when it is not published, or no longer."""


class PromptVersionRow(Base):
    """A version of a prompt. Never updated, never deleted: triggers refuse both."""

    __tablename__ = "prompt_versions"

    prompt_id: Mapped[UUID] = mapped_column(ForeignKey("prompts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str]
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


class AssistantRow(Base):
    """An assistant as it is now, and the revision that made it so."""

    __tablename__ = "assistants"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    document: Mapped[dict[str, Any]]
    revision: Mapped[int]


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


class ApiKeyRow(Base):
    """A credential without its secret."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[Any]]
    assistants: Mapped[list[Any]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class DecisionRow(Base):
    """What happened to one message."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "at", "id"), Index(None, "conversation", "principal", "at"))

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
