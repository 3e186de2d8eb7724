"""Lets lists be sorted and searched by columns of their own rows, with indexes over them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TOTAL = {
    "sqlite": "json_extract(timings_ms, '$.total')",
    "postgresql": "CAST(timings_ms ->> 'total' AS double precision)",
}

_LISTED: dict[str, tuple[sa.types.TypeEngine[Any], str]] = {
    "folded_title": (sa.Text(), ""),
    "owner": (sa.Text(), ""),
    "review_by": (sa.Date(), "1970-01-01"),
    "phrasings": (sa.Integer(), "0"),
    "searched": (sa.Text(), ""),
}
"""Columns of prompts with their types and what they hold at first."""
_FILTERED = ("assistant", "outcome", "prompt_key", "stopped_by", "principal", "at")
_INDEXED = ("folded_title", "owner", "review_by", "phrasings")
_PROMPTS = sa.table(
    "prompts",
    sa.column("id", sa.Uuid),
    sa.column("key", sa.String),
    sa.column("live_version", sa.Integer),
    *(sa.column(name, kind) for name, (kind, _) in _LISTED.items()),
)
_VERSIONS = sa.table(
    "prompt_versions",
    sa.column("prompt_id", sa.Uuid),
    sa.column("number", sa.Integer),
    sa.column("folded_title", sa.Text),
    sa.column("owner", sa.Text),
    sa.column("review_by", sa.Date),
)
_SENTENCES = sa.table(
    "phrasings",
    sa.column("prompt_id", sa.Uuid),
    sa.column("version", sa.Integer),
    sa.column("kind", sa.String),
    sa.column("position", sa.Integer),
    sa.column("folded", sa.Text),
)
_BATCH = 1000


def upgrade() -> None:
    for name, (kind, first) in _LISTED.items():
        op.add_column("prompts", sa.Column(name, kind, nullable=False, server_default=first))
    _fill()
    for name in _INDEXED:
        op.create_index(f"ix_prompts_{name}_key", "prompts", [name, "key"])
    op.add_column("decisions", sa.Column("total_ms", sa.Double(), nullable=False, server_default="0"))
    op.add_column("decisions", sa.Column("sorted_score", sa.Double(), nullable=False, server_default="-1"))
    total = _TOTAL[op.get_bind().dialect.name]
    filled = f"total_ms = coalesce({total}, 0), sorted_score = coalesce(score, -1)"
    op.execute(f"UPDATE decisions SET {filled}")  # noqa: S608 -- ours # nosec B608
    op.create_index("ix_decisions_total_ms_id", "decisions", ["total_ms", "id", *_FILTERED])
    op.create_index("ix_decisions_sorted_score_id", "decisions", ["sorted_score", "id", *_FILTERED])
    op.create_index("ix_feedback_verdict_decision", "feedback", ["verdict", "decision"])
    op.create_index("ix_audit_action_number", "audit", ["action", "number"])
    op.create_index("ix_audit_actor_number", "audit", ["actor", "number"])


def downgrade() -> None:
    op.drop_index("ix_audit_actor_number", "audit")
    op.drop_index("ix_audit_action_number", "audit")
    op.drop_index("ix_feedback_verdict_decision", "feedback")
    op.drop_index("ix_decisions_sorted_score_id", "decisions")
    op.drop_index("ix_decisions_total_ms_id", "decisions")
    op.drop_column("decisions", "sorted_score")
    op.drop_column("decisions", "total_ms")
    for name in _INDEXED:
        op.drop_index(f"ix_prompts_{name}_key", "prompts")
    for name in reversed(_LISTED):
        op.drop_column("prompts", name)


def _fill() -> None:
    """Copies what lists need of the live versions; one that is not live gets it when it is published again."""
    connection = op.get_bind()
    live = (_SENTENCES.c.prompt_id == _PROMPTS.c.id) & (_SENTENCES.c.version == _PROMPTS.c.live_version)
    order = (_SENTENCES.c.prompt_id, _SENTENCES.c.kind, _SENTENCES.c.position)
    query = sa.select(_SENTENCES.c.prompt_id, _SENTENCES.c.kind, _SENTENCES.c.folded).join(_PROMPTS, live)
    said: dict[object, list[str]] = {}
    asked: dict[object, int] = {}
    for prompt, kind, folded in connection.execute(query.order_by(*order)):
        said.setdefault(prompt, []).append(folded)
        asked[prompt] = asked.get(prompt, 0) + (kind == "phrasing")
    columns = (_PROMPTS.c.id, _PROMPTS.c.key, _VERSIONS.c.folded_title, _VERSIONS.c.owner, _VERSIONS.c.review_by)
    number = (_VERSIONS.c.prompt_id == _PROMPTS.c.id) & (_VERSIONS.c.number == _PROMPTS.c.live_version)
    rows = [
        {
            "one": prompt,
            "folded_title": title,
            "owner": owner,
            "review_by": day,
            "phrasings": asked.get(prompt, 0),
            "searched": "\n".join((key, title, *said.get(prompt, ()))),
        }
        for prompt, key, title, owner, day in connection.execute(sa.select(*columns).join(_VERSIONS, number))
    ]
    change = _PROMPTS.update().where(_PROMPTS.c.id == sa.bindparam("one"))
    change = change.values({name: sa.bindparam(name) for name in _LISTED})
    for start in range(0, len(rows), _BATCH):
        connection.execute(change, rows[start : start + _BATCH])
