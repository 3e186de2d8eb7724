"""Creates the places that embed the widget, their secrets, and visits."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "widget_clients",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_widget_clients"),
    )
    op.create_table(
        "widget_secrets",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["client"], ["widget_clients.id"], name="fk_widget_secrets_client_widget_clients"),
        sa.PrimaryKeyConstraint("id", name="pk_widget_secrets"),
    )
    op.create_index("ix_widget_secrets_client", "widget_secrets", ["client"])
    op.create_table(
        "widget_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("token_id", sa.LargeBinary(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("person", sa.String(64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("kept_until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["widget_clients.id"], name="fk_widget_sessions_client_widget_clients"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_widget_sessions"),
        sa.UniqueConstraint("client", "token_id", name="uq_widget_sessions_client_token_id"),
    )
    op.create_index("ix_widget_sessions_person", "widget_sessions", ["person"])
    op.create_index("ix_widget_sessions_kept_until", "widget_sessions", ["kept_until"])


def downgrade() -> None:
    op.drop_table("widget_sessions")
    op.drop_table("widget_secrets")
    op.drop_table("widget_clients")
