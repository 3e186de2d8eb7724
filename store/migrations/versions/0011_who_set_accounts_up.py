"""Keeps with each account who gave it its password, authenticator or roles, as the audit trail tells it so far."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ACTIONS = ("user.created", "user.granted", "user.password_reset", "user.totp_reset")
_USERS = sa.table("users", sa.column("id", sa.String), sa.column("set_up_by", sa.JSON))
_AUDIT = sa.table(
    "audit",
    sa.column("number", sa.Integer),
    sa.column("at", UtcDateTime()),
    sa.column("person", sa.String),
    sa.column("action", sa.String),
    sa.column("target", sa.String),
)


def upgrade() -> None:
    # Not by a batch: on SQLite it makes the table anew, and what belongs to users would go with the old one.
    op.add_column("users", sa.Column("set_up_by", sa.JSON(), nullable=False, server_default="[]"))
    connection = op.get_bind()
    told = (
        sa.select(_AUDIT.c.at, _AUDIT.c.person, _AUDIT.c.target)
        .where(_AUDIT.c.action.in_(_ACTIONS), _AUDIT.c.person.like("user:%"))
        .order_by(_AUDIT.c.number)
    )
    found: dict[str, dict[str, str]] = {}
    for at, person, target in connection.execute(told):
        user = str(target).removeprefix("user ")
        if person != f"user:{user}":
            found.setdefault(user, {})[person] = at.isoformat()
    for user, by in found.items():
        rows = [{"by": one, "at": at} for one, at in sorted(by.items())]
        connection.execute(sa.update(_USERS).where(_USERS.c.id == user).values(set_up_by=rows))


def downgrade() -> None:
    op.drop_column("users", "set_up_by")
