"""The schema of a version that does not exist yet: whatever the rule for migrations lets the next one do."""

from sqlalchemy import NullPool, create_engine, inspect, make_url, text


def next_schema(url: str, *, steps: int = 1, changed: tuple[str, ...] = ()) -> str:
    """Brings a database that far beyond today's schema; returns the number that it then has.

    All tables get columns, or those that are named: each is locked until all is done, as by a real migration.
    """
    driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    with engine.begin() as connection:
        number = int(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()) + steps
        for table in changed or sorted(set(inspect(connection).get_table_names()) - {"alembic_version"}):
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN of_the_next_version TEXT NOT NULL DEFAULT 'new'"))
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN empty_in_the_next_version INTEGER"))
        connection.execute(
            text("CREATE TABLE next_things (id INTEGER PRIMARY KEY, of VARCHAR(36) REFERENCES users(id))")
        )
        connection.execute(text("CREATE INDEX next_index ON decisions (of_the_next_version, at)"))
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": f"{number:04}"})
    return f"{number:04}"
