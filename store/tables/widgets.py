"""Places that embed the widget, what they sign with, and visits."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class WidgetClientRow(Base):
    """A place that embeds the widget; it is disabled and never deleted, so that the sum of `rev` only grows."""

    __tablename__ = "widget_clients"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    document: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime]
    disabled_at: Mapped[dt.datetime | None]
    rev: Mapped[int]


class WidgetSecretRow(Base):
    """A secret that a site signs with, encrypted under a key from outside the database."""

    __tablename__ = "widget_secrets"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    client: Mapped[str] = mapped_column(String(40), ForeignKey("widget_clients.id"), index=True)
    sealed: Mapped[bytes]
    created_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]


class WidgetSessionRow(Base):
    """A visit; its token, and the id of the token that it was exchanged for, are known by their hashes alone."""

    __tablename__ = "widget_sessions"
    __table_args__ = (UniqueConstraint("client", "token_id"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(36))
    client: Mapped[str] = mapped_column(String(40), ForeignKey("widget_clients.id"))
    token_id: Mapped[bytes | None]
    """Null for visits without a token: those are all different."""
    origin: Mapped[str]
    person: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    kept_until: Mapped[dt.datetime] = mapped_column(index=True)
    """As long as the token that it was exchanged for could come again."""


class WidgetTurnRow(Base):
    """A question of a visitor and what it ended in, encrypted, for all gateways and as long as its conversation."""

    __tablename__ = "widget_turns"
    __table_args__ = (Index(None, "conversation", "holder", "number"), Index(None, "at"))

    holder: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(36), primary_key=True)
    conversation: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    """In its conversation, from 1: clocks of gateways differ."""
    person: Mapped[str | None] = mapped_column(String(64), index=True)
    fingerprint: Mapped[bytes]
    message: Mapped[bytes]
    ended: Mapped[bytes | None]
    """Its last event; null while a gateway works on it."""
    may_come_again: Mapped[bool]
    is_stopped: Mapped[bool]
    """Whether somebody asked another gateway to stop the work."""
    at: Mapped[dt.datetime]
