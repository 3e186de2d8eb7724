"""Decisions name the adapter that was added to the weights."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("model_adapter", sa.String(100), nullable=True))


def downgrade() -> None:
    op.drop_column("decisions", "model_adapter")
