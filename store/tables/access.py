"""Who may ask and who may change things: keys, people, their sessions, and replies kept for repeated requests."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


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
    client: Mapped[str] = mapped_column(index=True)
    owner: Mapped[str | None] = mapped_column(String(64))
    rate_class: Mapped[str] = mapped_column(String(40))
    tokens_per_day: Mapped[int | None] = mapped_column(BigInteger)
    last_used_at: Mapped[dt.datetime | None]


class UserRow(Base):
    """Somebody who may sign in."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str]
    folded_name: Mapped[str] = mapped_column(unique=True)
    mail: Mapped[str | None]
    folded_mail: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    """None for somebody who has not set one, or signs in elsewhere."""
    grants: Mapped[list[Any]]
    assistants: Mapped[list[Any]]
    disabled_at: Mapped[dt.datetime | None]
    totp_secret: Mapped[bytes | None]
    """Encrypted under a key from outside the database."""
    totp_confirmed: Mapped[bool]
    totp_step: Mapped[int] = mapped_column(BigInteger)
    """The last time step whose code was used: it and all before it are worth nothing."""
    created_at: Mapped[dt.datetime]
    rev: Mapped[int]
    set_up_by: Mapped[list[Any]]
    """Who else gave it its password, authenticator or roles, and when the last time."""


class RecoveryCodeRow(Base):
    """A code that replaces the authenticator once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)


class IdentityRow(Base):
    """Somebody as a provider of sign-in knows them: by issuer and subject, and by nothing else."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)


class SessionRow(Base):
    """A signed-in browser; its token is known by its hash alone."""

    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    method: Mapped[str] = mapped_column(String(16))
    agent: Mapped[str]
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class SetupTokenRow(Base):
    """A token with which somebody sets a password, once."""

    __tablename__ = "setup_tokens"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    expires_at: Mapped[dt.datetime]


class SignInAttemptRow(Base):
    """A sign-in that was sent to a provider and has not come back."""

    __tablename__ = "sign_in_attempts"

    state_hash: Mapped[bytes] = mapped_column(primary_key=True)
    browser_hash: Mapped[bytes]
    nonce: Mapped[str]
    verifier: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class KeptReplyRow(Base):
    """What a request with an `Idempotency-Key` was answered, so that it is not done twice."""

    __tablename__ = "kept_replies"

    credential: Mapped[str] = mapped_column(String(80), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    begun_at: Mapped[dt.datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    """None while the first request is at work."""
    headers: Mapped[list[Any]]
    body: Mapped[bytes]
    """Encrypted under a key from outside the database: a reply may hold a secret that is shown once."""


class PresenceRow(Base):
    """Somebody who has a draft open, for as long as their page says so."""

    __tablename__ = "presences"

    place: Mapped[str] = mapped_column(String(200), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    until: Mapped[dt.datetime] = mapped_column(index=True)


class KeyFingerprintRow(Base):
    """By what one of the keys in the data folder is known: a gateway with another one must not work here."""

    __tablename__ = "key_fingerprints"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Of the key's file."""
    fingerprint: Mapped[bytes]
    """HMAC-SHA256 of a fixed text under the key."""
    noted_at: Mapped[dt.datetime]
