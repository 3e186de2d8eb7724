"""Engines on SQLite and PostgreSQL: how they connect, how long they wait, how they begin, and what their errors say."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from store.bounded import bound_waits
from store.errors import Conflict, StoreUnavailable

WAIT_S = 5
"""For a lock that another process holds."""
STATEMENT_S = 30
"""For one statement, on a server."""
_BEYOND_S = 5
"""How much later than the server would have we end what it does not end."""
_SQLITE_SETTINGS = (
    "PRAGMA synchronous=FULL",  # what was confirmed survives power loss, at one fsync a commit
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # else REPLACE would delete a version without its trigger
)
_CONNECTING = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""So that neither side waits for ever for the other; seconds, and tries."""
SQLITE_BEGIN = "sqlite_begin"
"""Option of a connection: the statements that its transactions in SQLite begin with."""
BEGIN_TO_READ = ("BEGIN DEFERRED",)
BEGIN_TO_WRITE = ("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE")
BEGIN_AND_SYNC = ("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE")
BEGIN_ALONE = ("PRAGMA synchronous=FULL", "BEGIN EXCLUSIVE")
"""The next transaction on a pooled connection says again how it syncs."""
_RETRY_S = 0.05


def parse_url(url: str) -> URL:
    """Returns the URL with the driver that is used for it. Raises `StoreUnavailable`."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise StoreUnavailable("the database URL cannot be read. Write sqlite:///path or postgresql://...") from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreUnavailable("the database URL must name a SQLite file or a PostgreSQL database.")
    return parsed


def address_of(url: str) -> str:
    """Returns a server's URL as it may be shown: without the password and what else is given for connecting.

    Raises `StoreUnavailable`.
    """
    return parse_url(url).set(drivername="postgresql", password=None, query={}).render_as_string()


def engine_of(url: URL, *, wait_s: float = WAIT_S) -> Engine:
    """Makes an engine that waits so long for locks, and for nothing without end. Raises `StoreUnavailable`."""
    with translated():
        if url.get_backend_name() == "sqlite":
            _make_private(Path(url.database or ""))
            engine = create_engine(
                url, hide_parameters=True, connect_args={"timeout": wait_s, "check_same_thread": False}
            )
            event.listen(engine, "connect", partial(_prepare_sqlite, wait_s=wait_s))
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        timeouts = f"-c statement_timeout={STATEMENT_S}s -c lock_timeout={WAIT_S}s"
        timeouts += " -c idle_in_transaction_session_timeout=60s"
        # The server notices within half a minute that a gateway is gone: its locks, and the lead, are free then.
        timeouts += " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
        connecting = {**_CONNECTING, "options": timeouts}
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=connecting)
        bound_waits(engine, max(wait_s, STATEMENT_S) + _BEYOND_S)
        return engine


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreUnavailable(f"the database file {path} cannot be opened: {error.strerror}") from error


def _prepare_sqlite(connection: Any, _: object, *, wait_s: float) -> None:
    connection.isolation_level = None  # the driver would begin transactions at moments of its own choosing
    _write_ahead(connection, until_s=time.monotonic() + wait_s)
    for setting in _SQLITE_SETTINGS:
        connection.execute(setting)


def _write_ahead(connection: Any, *, until_s: float) -> None:
    # Of two processes that open a new file at once and switch its journal, SQLite tells one that the database is
    # locked, at once and whatever its busy timeout: each holds the file for reading, and neither could ever write.
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    for statement in connection.get_execution_options().get(SQLITE_BEGIN, BEGIN_TO_READ):
        connection.exec_driver_sql(statement)


_REFUSED = (
    "what is stored does not go with this: it is there already, or was taken away meanwhile. Look, and try again."
)
"""In place of what a driver says of a broken constraint: that names tables and columns, and may hold what was typed."""


@contextmanager
def translated() -> Iterator[None]:
    """Lets no exception of the database libraries out; their texts stay in the cause, statements may hold content."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(_REFUSED, rule="stored_differs") from error
    except DBAPIError as error:
        raise StoreUnavailable(f"the database failed: {_plain_words(error)}") from error
    except (PoolTimeoutError, NoSuchModuleError) as error:
        raise StoreUnavailable(f"the database cannot be reached: {error}") from error


@contextmanager
def driver_translated() -> Iterator[None]:
    """Does the same for what SQLite's driver raises where it is asked past SQLAlchemy."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Conflict(_REFUSED, rule="stored_differs") from error
    except sqlite3.Error as error:
        is_about_it = isinstance(error, sqlite3.OperationalError | sqlite3.InterfaceError)
        raise StoreUnavailable(f"the database failed: {error if is_about_it else type(error).__name__}") from error


def _plain_words(error: DBAPIError) -> str:
    """Returns what the driver says about the database; what it says about rows and values may quote them."""
    if not isinstance(error, OperationalError | InterfaceError):
        return type(error.orig).__name__
    told = getattr(error.orig, "diag", None)  # of PostgreSQL: the message without details and statement
    return (told and told.message_primary) or str(error.orig)
