"""Replaces the assistants' hand-set limits by the false-match rate that they now follow from; names the matcher."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ASSISTANTS = sa.table("assistants", sa.column("name", sa.String), sa.column("document", sa.JSON))
_DEFAULT_RATE = 0.01
_OLD_LIMITS = {"limit": 0.58, "margin": 0.08, "suggest": 0.45}
"""What the example store had; the limits of before cannot be told from a rate."""


def upgrade() -> None:
    op.add_column("decisions", sa.Column("matcher", sa.String(64), nullable=True))
    _replace_match({"false_match_rate": _DEFAULT_RATE})


def downgrade() -> None:
    _replace_match(_OLD_LIMITS)
    op.drop_column("decisions", "matcher")


def _replace_match(match: Mapping[str, Any]) -> None:
    connection = op.get_bind()
    for name, document in connection.execute(sa.select(_ASSISTANTS.c.name, _ASSISTANTS.c.document)).all():
        changed = {**document, "match": dict(match)}
        connection.execute(_ASSISTANTS.update().where(_ASSISTANTS.c.name == name).values(document=changed))
