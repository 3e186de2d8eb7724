"""The database: one engine, one way to read, one way to write, and migrations under a lock."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Executable, Row, text
from sqlalchemy.orm import Session

from store.advisory import LEADING, MIGRATING, RESTORING, is_held
from store.engines import (
    BEGIN_ALONE,
    BEGIN_AND_SYNC,
    BEGIN_TO_READ,
    BEGIN_TO_WRITE,
    SQLITE_BEGIN,
    STATEMENT_S,
    WAIT_S,
    driver_translated,
    engine_of,
    parse_url,
    translated,
)
from store.errors import StoreUnavailable
from store.schema import SchemaGap
from store.single_statements import SingleStatements

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_WAIT_S = 60
"""Processes that start at once migrate one after the other, and on a busy machine each takes seconds."""
_JOURNAL_PAGES = 1000
"""SQLite's own: so long the journal gets before the commit that makes it so moves it into the file, and syncs that."""


Transaction = Session
"""What `reading` and `writing` give, under a name for those who pass it on without knowing SQLAlchemy."""


class Seam(StrEnum):
    """Where somebody comes to the database."""

    TRANSACTION = auto()
    HELD = auto()
    """A connection that is waited on, or that holds a lock."""


class Database:
    """An open database. Thread-safe; lives as long as the process, closed by whoever opened it."""

    trouble: Callable[[Seam], object] | None = None
    """What a trial does there before it goes on; nothing is here but in trials."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._single = SingleStatements(self.hold)

    def meet(self, seam: Seam) -> None:
        """Lets a trial have its way. Raises what it raises."""
        if self.trouble is not None:
            self.trouble(seam)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file beside the process, and not a server."""
        return self._engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """Where its file is; None for a server's."""
        return Path(self._engine.url.database or "") if self.is_sqlite else None

    @contextmanager
    def reading(self, session: Session | None = None) -> Iterator[Session]:
        """Gives a session that sees one consistent state; or `session` itself, when already inside a transaction.

        Raises `StoreUnavailable`.
        """
        with self._session(session, BEGIN_TO_READ, "REPEATABLE READ") as opened:
            yield opened

    @contextmanager
    def writing(self, session: Session | None = None, *, waits_for_disk: bool = True) -> Iterator[Session]:
        """Gives a session whose changes are committed together at the end, or not at all.

        Without `waits_for_disk` a commit in SQLite survives the death of this process and not a loss of power: the
        system writes it out within some seconds, or before the next commit that waits. An fsync took 7 ms of 11 ms.
        A `session` that is passed in is used as it is: whoever began its transaction ends it. Raises `Conflict` when a
        constraint refuses, `StoreUnavailable` when the database does not answer, is locked or full.
        """
        begin = BEGIN_AND_SYNC if waits_for_disk else BEGIN_TO_WRITE
        with self._session(session, begin, "READ COMMITTED") as opened:
            yield opened
            if session is None:
                opened.flush()

    def run_alone(self, statement: Executable, values: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        """Runs one statement as a transaction of its own, quickly, and returns its rows. It must bear being run twice.

        What it wrote survives the death of this process, not that of a server in the second after. Raises as `writing`.
        """
        if self.is_sqlite:
            with self.writing(waits_for_disk=False) as session:
                result = session.connection().execute(statement, values or {})
                return result.all() if result.returns_rows else []
        self.meet(Seam.TRANSACTION)
        with translated():
            return self._single.run(statement, values or {})

    @contextmanager
    def keeping(self) -> Iterator[Connection]:
        """Gives a connection to write on again and again, each time in a transaction of its own.

        In SQLite what it commits survives the death of this process and not a loss of power, as `writing` explains, and
        no commit empties the journal: whoever writes calls `checkpoint` now and then, elsewhere. Raises
        `StoreUnavailable`, also for what fails inside; the connection is not to be used again after that.
        """
        begin: dict[str, Any] = {SQLITE_BEGIN: BEGIN_TO_WRITE} if self.is_sqlite else {}
        with translated(), self._engine.connect() as connection:
            if self.is_sqlite:
                _run_past_sqlalchemy(connection, "PRAGMA wal_autocheckpoint=0")
                # Once: until it goes back to the pool, whose transactions each say it again, it is nobody else's.
                _run_past_sqlalchemy(connection, "PRAGMA synchronous=NORMAL")
            try:
                yield connection.execution_options(**begin)
            finally:
                if self.is_sqlite and not connection.invalidated:
                    _run_past_sqlalchemy(connection, f"PRAGMA wal_autocheckpoint={_JOURNAL_PAGES}")

    def checkpoint(self) -> None:
        """Moves what SQLite's journal holds into its file; nobody waits for that but the caller. Nothing elsewhere.

        Raises `StoreUnavailable`.
        """
        if self.is_sqlite:
            with translated(), self._engine.connect() as connection:
                _run_past_sqlalchemy(connection, "PRAGMA wal_checkpoint(PASSIVE)")

    def hold(self) -> Connection:
        """Returns a connection without transactions, for locks and signals that live as long as it does. Close it.

        Raises `StoreUnavailable`.
        """
        self.meet(Seam.HELD)
        with translated():
            return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    @property
    def driver_error(self) -> type[Exception]:
        """What the driver raises when it is asked past SQLAlchemy, which would have translated it."""
        return self._engine.dialect.loaded_dbapi.Error

    def close(self) -> None:
        """Gives all connections back."""
        self._single.close()
        self._engine.dispose()

    @contextmanager
    def _session(self, session: Session | None, begin: tuple[str, ...], isolation: str) -> Iterator[Session]:
        if session is not None:
            yield session
            return
        self.meet(Seam.TRANSACTION)
        options: dict[str, Any] = {SQLITE_BEGIN: begin} if self.is_sqlite else {"isolation_level": isolation}
        with translated(), Session(self._engine, expire_on_commit=False) as opened, opened.begin():
            opened.connection(execution_options=options)
            yield opened


def _run_past_sqlalchemy(connection: Connection, statement: str) -> None:
    """Runs what belongs in no transaction, which SQLAlchemy would begin."""
    driver: Any = connection.connection.driver_connection
    with driver_translated():
        driver.execute(statement)


def open_database(url: str) -> Database:
    """Opens the database at `url`: `sqlite:///path/to/file.db` or `postgresql://user@host/name`.

    A SQLite file is made when it is missing, readable by its owner alone. Raises `StoreUnavailable`.
    """
    parsed = parse_url(url)
    with translated():
        database = Database(engine_of(parsed))
        try:
            with database._engine.connect() as connection:  # noqa: SLF001 -- fails here and not at the first message
                connection.execute(text("SELECT 1"))
        except BaseException:
            database.close()
            raise
    return database


def migrate(url: str, *, is_restoring: bool = False) -> None:
    """Brings the schema up to this version, under a lock that lets one process in at a time.

    One that is a step newer than this version is left as it is, and may be served from. Raises `StoreUnavailable`, also
    for one that is newer still, for one that is several steps older while a gateway serves from it, and during a
    restore for everybody but that.
    """
    _run_migrations(url, "head", is_restoring=is_restoring)


def migrate_down(url: str, target: str = "base") -> None:
    """Takes the schema back to `target`, with everything in the tables that this drops."""
    _run_migrations(url, target)


def _run_migrations(url: str, target: str, *, is_restoring: bool = False) -> None:
    engine = engine_of(parse_url(url), wait_s=_MIGRATION_WAIT_S)
    try:
        with translated(), engine.connect() as connection:
            is_sqlite = engine.dialect.name == "sqlite"
            locked = connection.execution_options(**{SQLITE_BEGIN: BEGIN_ALONE}) if is_sqlite else connection
            with locked.begin():
                if not is_sqlite:
                    _take_migration_lock(locked)
                    if not is_restoring and is_held(locked, RESTORING):
                        raise StoreUnavailable("a backup is being restored into the database. Start when that is done.")
                gap = _gap(locked)
                if gap.is_newer and not (target == "head" and gap.is_near):
                    raise StoreUnavailable(gap.told)
                if gap.is_newer:
                    return
                if target == "head" and not is_sqlite:
                    _require_small_step(locked, gap)
                config = _config()
                config.attributes["connection"] = locked
                run = command.upgrade if target == "head" else command.downgrade
                run(config, target)
    finally:
        engine.dispose()


def _take_migration_lock(connection: Connection) -> None:
    limits = text("SELECT set_config('lock_timeout', :lock, true), set_config('statement_timeout', :statement, true)")
    connection.execute(limits, {"lock": f"{_MIGRATION_WAIT_S}s", "statement": f"{_MIGRATION_WAIT_S}s"})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
    # A table is waited for no longer than elsewhere: whoever waits to change it keeps everybody from reading it.
    connection.execute(limits, {"lock": f"{WAIT_S}s", "statement": f"{STATEMENT_S}s"})


def _require_small_step(connection: Connection, gap: SchemaGap) -> None:
    """Raises `StoreUnavailable` where a gateway that serves would find a schema that it was not made for."""
    if not gap.bears_migration and is_held(connection, LEADING):
        raise StoreUnavailable(
            f"the database has schema {gap.found}, this canongate makes {gap.ours}, and a gateway of an older version "
            "serves from it, which bears one step at a time. Stop it first, or start the versions between."
        )


def schema_gap(database: Database) -> SchemaGap:
    """Returns how far the schema is from ours now: another version may have changed it since the start.

    Raises `StoreUnavailable`.
    """
    with database.reading() as session:
        return _gap(session.connection())


def _gap(connection: Connection) -> SchemaGap:
    return SchemaGap(MigrationContext.configure(connection).get_current_revision() or "", _newest_schema())


@cache
def _newest_schema() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def known_schemas() -> frozenset[str]:
    """Returns the revisions of the schema that this version of canongate can bring up to date."""
    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())
