"""Connections to PostgreSQL for statements that come often: each is a transaction by itself, in one round trip."""

from collections.abc import Callable, Mapping, Sequence
from queue import Empty, LifoQueue
from typing import Any

from sqlalchemy import Connection, Executable, Row, text
from sqlalchemy.exc import DBAPIError

_NO_WAIT_FOR_DISK = text("SELECT set_config('synchronous_commit', 'off', false)")

Values = Mapping[str, object]


class SingleStatements:
    """Runs them on connections that it keeps. Thread-safe; holds as many as threads call it at once."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """`connect` gives a connection without transactions."""
        self._connect = connect
        self._idle: LifoQueue[Connection] = LifoQueue()

    def run(self, statement: Executable, values: Values) -> Sequence[Row[Any]]:
        """Runs a statement and returns its rows.

        A kept connection may have been ended since: then the statement runs on a new one, perhaps for the second time.
        """
        connection, is_new = self._taken()
        try:
            return self._run(connection, statement, values)
        except DBAPIError as error:
            if is_new or not error.connection_invalidated:
                raise
        self.close()  # the others are as old
        return self._run(self._opened(), statement, values)

    def close(self) -> None:
        """Ends the connections that nobody uses; they do not go back to where they came from as they are."""
        while True:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                return
            connection.invalidate()
            connection.close()

    def _run(self, connection: Connection, statement: Executable, values: Values) -> Sequence[Row[Any]]:
        try:
            result = connection.execute(statement, values)
            rows = result.all() if result.returns_rows else []
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._idle.put(connection)
        return rows

    def _taken(self) -> tuple[Connection, bool]:
        try:
            return self._idle.get_nowait(), False
        except Empty:
            return self._opened(), True

    def _opened(self) -> Connection:
        connection = self._connect()
        connection.execute(_NO_WAIT_FOR_DISK)
        return connection
