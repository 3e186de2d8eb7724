"""Decisions name the one whose checked answer they used again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("cached_from", sa.String(64), nullable=True))
    op.add_column("decisions", sa.Column("cached_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("decisions", "cached_at")
    op.drop_column("decisions", "cached_from")
