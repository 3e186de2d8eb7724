"""Creates who has a draft open, and runs of test sets against what is live."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "presences",
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_presences_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("place", "user_id", name="pk_presences"),
    )
    op.create_index("ix_presences_until", "presences", ["until"])
    op.create_table(
        "suite_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("suite", sa.String(40), nullable=False),
        sa.Column("assistant", sa.String(40), nullable=False),
        sa.Column("live_revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cases", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_suite_runs"),
    )
    op.create_index("ix_suite_runs_suite", "suite_runs", ["suite"])


def downgrade() -> None:
    op.drop_table("suite_runs")
    op.drop_table("presences")
