"""Gives API keys a budget of tokens a day, and decisions an index by which it is counted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("tokens_per_day", sa.BigInteger(), nullable=True))
    op.create_index("ix_decisions_principal_at", "decisions", ["principal", "at"])


def downgrade() -> None:
    op.drop_index("ix_decisions_principal_at", "decisions")
    op.drop_column("api_keys", "tokens_per_day")
