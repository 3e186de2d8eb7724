"""An INSERT that is compiled once: for rows that come one by one SQLAlchemy takes longer over each than SQLite does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import JSON, ColumnElement, Connection, Dialect, FromClause
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from store.engines import driver_translated

Rows = Sequence[Mapping[str, Any]]
"""Each with a value for every column by its name."""


class PreparedInsert:
    """Adds rows to a table, all columns of each; those that are there already stay as they are."""

    def __init__(self, table: FromClause, dialect: Dialect) -> None:
        kind = sqlite if dialect.name == "sqlite" else postgresql
        names = [column.name for column in table.columns]
        statement = kind.insert(table).on_conflict_do_nothing()
        compiled = cast("SQLCompiler", statement.compile(dialect=dialect, column_keys=names))
        self.statement = str(compiled)
        self._is_positional = compiled.positional
        binds = {column.name: _bind_of(column, dialect) for column in table.columns}
        self._binds = [(name, binds[name]) for name in compiled.positiontup or names]

    def bound(self, rows: Rows) -> list[Any]:
        """Returns rows as the driver takes them."""
        if self._is_positional:
            return [tuple([bind(row[name]) if bind else row[name] for name, bind in self._binds]) for row in rows]
        return [{name: bind(row[name]) if bind else row[name] for name, bind in self._binds} for row in rows]


def _bind_of(column: ColumnElement[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    usual = column.type.dialect_impl(dialect).bind_processor(dialect)
    if usual is None or dialect.name != "sqlite" or not isinstance(column.type, JSON):
        return usual

    def as_json(value: object) -> Any:
        # A sixth of the time that the standard library's takes, which in turn takes a lone surrogate.
        try:
            return msgspec.json.encode(value).decode()
        except UnicodeEncodeError:
            return usual(value)

    return as_json


def add_together(connection: Connection, batches: Sequence[tuple[PreparedInsert, Rows]]) -> None:
    """Adds the rows of several tables in one transaction, on a connection that `Database.keeping` gave.

    Raises SQLAlchemy's errors, or `StoreUnavailable` and `Conflict`.
    """
    bound = [(insert.statement, insert.bound(rows)) for insert, rows in batches if rows]
    if connection.dialect.name == "sqlite":
        _add_past_sqlalchemy(connection.connection.driver_connection, bound)
        return
    with connection.begin():
        for statement, rows in bound:
            connection.exec_driver_sql(statement, rows)


def _add_past_sqlalchemy(driver: Any, bound: Sequence[tuple[str, list[Any]]]) -> None:
    # What SQLAlchemy does around each of four short statements takes longer than SQLite takes for all of them.
    with driver_translated():
        driver.execute("BEGIN IMMEDIATE")
        try:
            for statement, rows in bound:
                driver.executemany(statement, rows)
            driver.execute("COMMIT")
        except BaseException:
            driver.rollback()
            raise
