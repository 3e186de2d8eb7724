"""Makes the table in which several gateways on a PostgreSQL count calls together, and the function that counts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Rows are locked in the order of the names they are given in; callers sort them, so that none waits for another in a
# circle. A mark further ahead than a burst is what a clock that was set back left: it counts as a burst.
_TAKE = """
CREATE FUNCTION canongate_take(names text[], steps bigint[], rooms bigint[])
RETURNS TABLE (is_taken boolean, aheads bigint[]) LANGUAGE plpgsql AS $$
DECLARE
    now_us bigint;
    full_us bigint;
    marks bigint[] := '{}';
BEGIN
    is_taken := true;
    aheads := '{}';
    FOR i IN 1 .. cardinality(names) LOOP
        INSERT INTO rate_marks AS mark (name, full_at_us) VALUES (names[i], 0)
            ON CONFLICT (name) DO UPDATE SET full_at_us = mark.full_at_us
            RETURNING mark.full_at_us INTO full_us;
        now_us := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
        aheads := aheads || least(greatest(full_us - now_us, 0), rooms[i]) + steps[i];
        marks := marks || now_us + aheads[i];
        is_taken := is_taken AND aheads[i] <= rooms[i];
    END LOOP;
    IF is_taken THEN
        UPDATE rate_marks SET full_at_us = mark.at
            FROM unnest(names, marks) AS mark (of, at) WHERE rate_marks.name = mark.of;
    END IF;
    RETURN NEXT;
END
$$
"""


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "rate_marks",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("full_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rate_marks"),
        prefixes=["UNLOGGED"] if is_postgres else [],  # a crash of the server gives new bursts, and no write waits
    )
    if is_postgres:
        op.execute(_TAKE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION canongate_take")
    op.drop_table("rate_marks")
