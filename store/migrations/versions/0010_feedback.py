"""Creates feedback, its texts, and the imports of files."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("decision", sa.String(64), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("assistant", sa.Text(), nullable=False),
        sa.Column("prompt_key", sa.String(80), nullable=True),
        sa.Column("prompt_version", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("decision", name="pk_feedback"),
    )
    op.create_index("ix_feedback_changed_at_decision", "feedback", ["changed_at", "decision"])
    op.create_index("ix_feedback_assistant_changed_at_decision", "feedback", ["assistant", "changed_at", "decision"])
    op.create_index("ix_feedback_prompt_key_prompt_version", "feedback", ["prompt_key", "prompt_version"])
    op.create_table(
        "feedback_texts",
        sa.Column("decision", sa.String(64), nullable=False),
        sa.Column("kept", sa.String(16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("better", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision"], ["decisions.id"], name="fk_feedback_texts_decision_decisions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("decision", name="pk_feedback_texts"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ordered", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("change", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_index("ix_imports_created_at_id", "imports", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("imports")
    op.drop_table("feedback_texts")
    op.drop_table("feedback")
