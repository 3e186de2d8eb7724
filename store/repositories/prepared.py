"""An INSERT that is compiled once: for rows that come one by one SQLAlchemy takes longer over each than SQLite does."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Dialect, FromClause
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler


class PreparedInsert:
    """Adds rows to a table, all columns of each; those that are there already stay as they are."""

    def __init__(self, table: FromClause, dialect: Dialect) -> None:
        kind = sqlite if dialect.name == "sqlite" else postgresql
        names = [column.name for column in table.columns]
        statement = kind.insert(table).on_conflict_do_nothing()
        compiled = cast("SQLCompiler", statement.compile(dialect=dialect, column_keys=names))
        self._statement = str(compiled)
        self._is_positional = compiled.positional
        binds = {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns}
        self._binds = [(name, binds[name]) for name in compiled.positiontup or names]

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds rows, each with a value for every column by its name."""
        bound = [{name: bind(row[name]) if bind else row[name] for name, bind in self._binds} for row in rows]
        if self._is_positional:
            connection.exec_driver_sql(self._statement, [tuple(row.values()) for row in bound])
        else:
            connection.exec_driver_sql(self._statement, bound)
