"""Creates changes with their evidence, stored test sets, and says of a revision which change it was."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.migrations.frozen import freeze
from store.tables import UtcDateTime

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _create_changes()
    _create_edits()
    op.create_table(
        "gate_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("live_revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_gate_runs"),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name="fk_gate_runs_change_id_changes"),
    )
    op.create_index("ix_gate_runs_change_id_content_hash", "gate_runs", ["change_id", "content_hash"])
    op.create_table(
        "suites",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "revision", name="pk_suites"),
    )
    op.add_column("revisions", sa.Column("change_id", sa.Uuid(), nullable=True))
    op.add_column("revisions", sa.Column("is_emergency", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("revisions", "is_emergency")
    op.drop_column("revisions", "change_id")
    for table in ("suites", "gate_runs", "change_events", "change_edits", "change_authors", "changes"):
        op.drop_table(table)


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_hash", sa.String(64), nullable=True),
        sa.Column("publish_at", UtcDateTime(), nullable=True),
        sa.Column("scheduled_by", sa.Text(), nullable=True),
        sa.Column("schedule_problem", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("published_revision", sa.Integer(), nullable=True),
        sa.Column("is_emergency", sa.Boolean(), nullable=False),
        sa.Column("reverts", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
        sa.ForeignKeyConstraint(["reverts"], ["changes.id"], name="fk_changes_reverts_changes"),
    )
    op.create_index("ix_changes_state_publish_at", "changes", ["state", "publish_at"])
    op.create_index("ix_changes_published_revision", "changes", ["published_revision"])


def _create_edits() -> None:
    op.create_table(
        "change_authors",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("change_id", "person", name="pk_change_authors"),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name="fk_change_authors_change_id_changes"),
    )
    op.create_table(
        "change_edits",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("document_hash", sa.String(64), nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("base_document", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("change_id", "kind", "name", name="pk_change_edits"),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name="fk_change_edits_change_id_changes"),
    )
    op.create_index("ix_change_edits_kind_name", "change_edits", ["kind", "name"])
    op.create_table(
        "change_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_events"),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name="fk_change_events_change_id_changes"),
    )
    op.create_index("ix_change_events_change_id", "change_events", ["change_id"])
    for table in ("change_authors", "change_events"):
        freeze(table)
