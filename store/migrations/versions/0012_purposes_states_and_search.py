"""Changes say what they gather, assistants keep their earlier states, and texts are searched in every script."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from store.folding import folded
from store.migrations.frozen import freeze, thaw

revision = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_VERSIONS = sa.table("prompt_versions", sa.column("title", sa.Text), sa.column("folded_title", sa.Text))
_PHRASINGS = sa.table("phrasings", sa.column("text", sa.Text), sa.column("folded", sa.Text))
_ASSISTANTS = sa.table(
    "assistants", sa.column("name", sa.String), sa.column("document", sa.JSON), sa.column("revision", sa.Integer)
)
_STATES = sa.table(
    "assistant_states", sa.column("name", sa.String), sa.column("revision", sa.Integer), sa.column("document", sa.JSON)
)
_REVISIONS = sa.table("revisions", sa.column("number", sa.Integer), sa.column("change_id", sa.Uuid))
_CHANGES = sa.table("changes", sa.column("id", sa.Uuid), sa.column("published_revision", sa.Integer))
_EDITS = sa.table(
    "change_edits",
    sa.column("change_id", sa.Uuid),
    sa.column("kind", sa.String),
    sa.column("name", sa.String),
    sa.column("document", sa.JSON),
    sa.column("base_document", sa.JSON),
)
_BATCH = 1000


def upgrade() -> None:
    op.add_column("changes", sa.Column("purpose", sa.String(200), nullable=False, server_default=""))
    op.add_column("prompt_versions", sa.Column("folded_title", sa.Text(), nullable=False, server_default=""))
    op.add_column("phrasings", sa.Column("folded", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "assistant_states",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", "revision", name="pk_assistant_states"),
    )
    _fold(_VERSIONS, "title", "folded_title")
    _fold(_PHRASINGS, "text", "folded")
    _remember_states()
    freeze("assistant_states")


def downgrade() -> None:
    op.drop_table("assistant_states")
    op.drop_column("phrasings", "folded")
    op.drop_column("prompt_versions", "folded_title")
    op.drop_column("changes", "purpose")


def _fold(table: sa.TableClause, source: str, column: str) -> None:
    """Fills the column by distinct text: most sentences are in many versions."""
    connection, text = op.get_bind(), table.c[source]
    texts = connection.scalars(sa.select(text).distinct()).all()
    thaw(table.name)
    # A table of its own, joined once: an update for each of 20,000 sentences would read all of them each time.
    connection.execute(sa.text("CREATE TEMPORARY TABLE folding (text TEXT PRIMARY KEY, folded TEXT NOT NULL)"))
    folding = sa.table("folding", sa.column("text", sa.Text), sa.column("folded", sa.Text))
    for start in range(0, len(texts), _BATCH):
        rows = [{"text": one, "folded": folded(one)} for one in texts[start : start + _BATCH]]
        connection.execute(folding.insert(), rows)
    same = sa.select(folding.c.folded).where(folding.c.text == text).scalar_subquery()
    connection.execute(table.update().values({column: same}))
    connection.execute(sa.text("DROP TABLE folding"))
    freeze(table.name)


def _remember_states() -> None:
    """Puts together what is still known of earlier states: what changes made and replaced, and what is live."""
    connection = op.get_bind()
    states: dict[tuple[str, int], Any] = {}
    columns = (_CHANGES.c.published_revision, _EDITS.c.name, _EDITS.c.document, _EDITS.c.base_document)
    edits = connection.execute(
        sa.select(*columns)
        .join_from(_EDITS, _CHANGES, _EDITS.c.change_id == _CHANGES.c.id)
        .where(_EDITS.c.kind == "assistant", _CHANGES.c.published_revision.is_not(None))
        .order_by(_CHANGES.c.published_revision)
    ).all()
    rows = connection.execute(sa.select(_ASSISTANTS.c.name, _ASSISTANTS.c.revision, _ASSISTANTS.c.document)).all()
    states |= {(name, number): document for number, name, document, _ in edits if document is not None}
    states |= {(name, number): document for name, number, document in rows}
    by_hand = connection.scalars(sa.select(_REVISIONS.c.number).where(_REVISIONS.c.change_id.is_(None))).all()
    for number, name, _, before in edits:
        earlier = [known for owner, known in states if owner == name and known < number]
        if before is None or (earlier and states[name, max(earlier)] == before):
            continue
        # No change made it, so a folder did: the last one before, which is exact where there was one.
        made = [one for one in by_hand if max(earlier, default=0) < one < number]
        if made:
            states[name, max(made)] = before
    if states:
        found = [{"name": name, "revision": number, "document": one} for (name, number), one in states.items()]
        connection.execute(_STATES.insert(), found)
