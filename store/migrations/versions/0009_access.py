"""People who sign in, their sessions and identities; keys have clients, owners and rates; replies are kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _extend_keys()
    op.create_table(
        "users",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("folded_mail", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.Column("assistants", sa.JSON(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed", sa.Boolean(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("folded_name", name="uq_users_folded_name"),
        sa.UniqueConstraint("folded_mail", name="uq_users_folded_mail"),
    )
    _create_what_belongs_to_users()
    _create_what_belongs_to_requests()


def downgrade() -> None:
    for table in ("kept_replies", "sign_in_attempts", "setup_tokens", "sessions", "identities", "recovery_codes"):
        op.drop_table(table)
    op.drop_table("users")
    op.drop_index("ix_api_keys_client", "api_keys")
    for column in ("last_used_at", "rate_class", "owner", "client"):
        op.drop_column("api_keys", column)


def _extend_keys() -> None:
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("client", sa.Text(), nullable=True))
        keys.add_column(sa.Column("owner", sa.String(64), nullable=True))
        keys.add_column(sa.Column("rate_class", sa.String(40), nullable=True))
        keys.add_column(sa.Column("last_used_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE api_keys SET client = name, rate_class = 'standard'")
    with op.batch_alter_table("api_keys") as keys:
        keys.alter_column("client", existing_type=sa.Text(), nullable=False)
        keys.alter_column("rate_class", existing_type=sa.String(40), nullable=False)
    op.create_index("ix_api_keys_client", "api_keys", ["client"])


def _user(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    name = f"fk_{table}_user_id_users"
    return (
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE"),
    )


def _create_what_belongs_to_users() -> None:
    op.create_table(
        "recovery_codes",
        *_user("recovery_codes"),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        *_user("identities"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identities"),
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        *_user("sessions"),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sa.UniqueConstraint("id", name="uq_sessions_id"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "setup_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        *_user("setup_tokens"),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_setup_tokens"),
        sa.UniqueConstraint("user_id", name="uq_setup_tokens_user_id"),
    )


def _create_what_belongs_to_requests() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_expires_at", "sign_in_attempts", ["expires_at"])
    op.create_table(
        "kept_replies",
        sa.Column("credential", sa.String(80), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("credential", "key_hash", name="pk_kept_replies"),
    )
    op.create_index("ix_kept_replies_begun_at", "kept_replies", ["begun_at"])
