"""Creates the review queue and the proposals for prompts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _queue()
    _proposals()


def _queue() -> None:
    op.create_table(
        "question_clusters",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("assistant", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("label", sa.String(36), nullable=True),
        sa.Column("centre", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(64), nullable=True),
        sa.Column("merged_into", sa.String(36), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["question_clusters.id"], name="fk_question_clusters_merged_into_question_clusters"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_question_clusters"),
    )
    op.create_index("ix_question_clusters_assistant", "question_clusters", ["assistant"])
    op.create_index("ix_question_clusters_merged_into", "question_clusters", ["merged_into"])
    op.create_table(
        "questions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("assistant", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("canonical_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("snoozed_until", UtcDateTime(), nullable=True),
        sa.Column("action", sa.String(36), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("last_decision", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(16), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("prompt_key", sa.String(80), nullable=True),
        sa.Column("cluster", sa.String(36), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(64), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["question_clusters.id"], name="fk_questions_cluster_question_clusters"),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
        sa.UniqueConstraint("assistant", "canonical_sha256", name="uq_questions_assistant_canonical_sha256"),
    )
    op.create_index("ix_questions_assistant_state_last_seen_id", "questions", ["assistant", "state", "last_seen", "id"])
    op.create_index("ix_questions_cluster", "questions", ["cluster"])
    op.create_index("ix_questions_fingerprint", "questions", ["fingerprint"])
    op.create_index("ix_questions_last_seen_id", "questions", ["last_seen", "id"])
    op.create_table(
        "question_sightings",
        sa.Column("decision", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("question", sa.String(36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question"], ["questions.id"], name="fk_question_sightings_question_questions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("decision", "reason", name="pk_question_sightings"),
    )
    op.create_index("ix_question_sightings_question_day", "question_sightings", ["question", "day"])
    op.create_table(
        "question_actions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("assistants", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("edit", sa.JSON(), nullable=True),
        sa.Column("change", sa.String(64), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_question_actions"),
    )
    op.create_table(
        "question_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("assistant", sa.Text(), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "assistant", "what", name="pk_question_counts"),
    )


def _proposals() -> None:
    op.create_table(
        "suggestion_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("prompt", sa.String(80), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Integer(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_suggestion_jobs"),
    )
    op.create_index("ix_suggestion_jobs_prompt", "suggestion_jobs", ["prompt"])
    op.create_table(
        "suggestions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("prompt", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("job", sa.String(36), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("change", sa.String(64), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["suggestion_jobs.id"], name="fk_suggestions_job_suggestion_jobs"),
        sa.PrimaryKeyConstraint("id", name="pk_suggestions"),
        sa.UniqueConstraint("prompt", "kind", "canonical", name="uq_suggestions_prompt_kind_canonical"),
    )
    op.create_index("ix_suggestions_prompt_state_id", "suggestions", ["prompt", "state", "id"])


def downgrade() -> None:
    op.drop_table("suggestions")
    op.drop_table("suggestion_jobs")
    op.drop_table("question_counts")
    op.drop_table("question_actions")
    op.drop_table("question_sightings")
    op.drop_table("questions")
    op.drop_table("question_clusters")
