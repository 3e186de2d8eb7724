"""Keeps beside a decision's words what the page said of itself, and what was said in widgets for all gateways."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("decision_texts", sa.Column("context", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "widget_turns",
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(64), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("ended", sa.LargeBinary(), nullable=True),
        sa.Column("may_come_again", sa.Boolean(), nullable=False),
        sa.Column("is_stopped", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "key", name="pk_widget_turns"),
    )
    op.create_index("ix_widget_turns_conversation_holder_number", "widget_turns", ["conversation", "holder", "number"])
    op.create_index("ix_widget_turns_person", "widget_turns", ["person"])
    op.create_index("ix_widget_turns_at", "widget_turns", ["at"])


def downgrade() -> None:
    op.drop_table("widget_turns")
    op.drop_column("decision_texts", "context")
