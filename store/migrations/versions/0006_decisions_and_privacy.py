"""Decisions know whose they are and which rail stopped them; their texts, where they are kept, have a table."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_DECISIONS = sa.table(
    "decisions", sa.column("id", sa.String), sa.column("rails", sa.JSON), sa.column("stopped_by", sa.String)
)
_BATCH = 1000


def upgrade() -> None:
    op.add_column("decisions", sa.Column("person", sa.String(64), nullable=True))
    op.add_column("decisions", sa.Column("stopped_by", sa.String(64), nullable=True))
    op.create_index("ix_decisions_assistant_at_id", "decisions", ["assistant", "at", "id"])
    op.create_index("ix_decisions_person", "decisions", ["person"])
    op.create_table(
        "decision_texts",
        sa.Column("decision", sa.String(64), nullable=False),
        sa.Column("kept", sa.String(16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision", name="pk_decision_texts"),
        sa.ForeignKeyConstraint(
            ["decision"], ["decisions.id"], name="fk_decision_texts_decision_decisions", ondelete="CASCADE"
        ),
    )
    _tell_what_stopped_them()


def downgrade() -> None:
    op.drop_table("decision_texts")
    op.drop_index("ix_decisions_person", "decisions")
    op.drop_index("ix_decisions_assistant_at_id", "decisions")
    op.drop_column("decisions", "stopped_by")
    op.drop_column("decisions", "person")


def _tell_what_stopped_them() -> None:
    connection, after = op.get_bind(), ""
    query = sa.select(_DECISIONS.c.id, _DECISIONS.c.rails).order_by(_DECISIONS.c.id).limit(_BATCH)
    change = _DECISIONS.update().where(_DECISIONS.c.id == sa.bindparam("key")).values(stopped_by=sa.bindparam("rail"))
    while rows := connection.execute(query.where(_DECISIONS.c.id > after)).all():
        found = [{"key": key, "rail": rail} for key, rails in rows if (rail := _stopped_by(rails))]
        if found:
            connection.execute(change, found)
        after = rows[-1][0]


def _stopped_by(rails: Sequence[dict[str, object]]) -> str | None:
    acting = (rail for rail in rails if not rail.get("is_monitored"))
    return next((str(rail["name"]) for rail in acting if rail["status"] in ("blocked", "error")), None)
