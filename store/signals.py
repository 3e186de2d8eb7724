"""Signals between gateways on one PostgreSQL: whoever publishes wakes the others, and one of them leads."""

import time
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from store.advisory import LEADING, is_held
from store.database import Database, Seam
from store.engines import translated
from store.errors import StoreError, StoreUnavailable

CHANNEL = "canongate_revision"


def announce(session: Session, revision: int) -> None:
    """Wakes whoever waits for a revision when the session's transaction is committed; SQLite has no such means."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_notify(:channel, :revision)"), {"channel": CHANNEL, "revision": str(revision)})


def is_served(database: Database) -> bool:
    """Whether a gateway works on the database now; of SQLite nobody knows, and it says no."""
    if database.is_sqlite:
        return False
    with database.reading() as session:
        return is_held(session.connection(), LEADING)


class RevisionSignal:
    """Waits for a publish by any gateway on a PostgreSQL. One can be missed: whoever waits looks anyway, in between."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def wait(self, seconds: float) -> bool:
        """Returns whether a publish was announced within `seconds`; False also while the database is gone.

        Blocks, in one thread at a time. A connection that broke is opened again at the next call.
        """
        until = time.monotonic() + seconds
        try:
            return self._heard(seconds)
        except StoreError:
            self.close()
        time.sleep(max(0.0, until - time.monotonic()))
        return False

    def _heard(self, seconds: float) -> bool:
        self._database.meet(Seam.HELD)
        if self._connection is None:
            self._connection = self._database.hold()
            with translated():
                self._connection.execute(text(f"LISTEN {CHANNEL}"))
        with translated():
            driver: Any = self._connection.connection.driver_connection
            try:
                return next(iter(driver.notifies(timeout=seconds, stop_after=1)), None) is not None
            except self._database.driver_error as error:
                raise StoreUnavailable(f"the database ended a connection: {error}") from error

    def close(self) -> None:
        """Gives the connection back. Nobody may be waiting."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class Lead:
    """Which of the gateways on a database does what one of them is to do. On SQLite there is one gateway: it leads.

    The lead is a lock of a connection, so it goes with its holder, also when that is killed or cut off. Whoever was cut
    off may work on for the moment until it notices: what is done under the lead must bear being done twice.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def look(self) -> bool:
        """Takes the lead where nobody has it, or confirms it. Blocks, in one thread at a time; never raises."""
        if self._database.is_sqlite:
            return True
        try:
            if self._connection is None:
                return self._take()
            with translated():
                self._connection.execute(text("SELECT 1"))
        except StoreError:
            self._drop()
            return False
        return True

    def release(self) -> None:
        """Lets another gateway lead at once."""
        self._drop()

    def _take(self) -> bool:
        connection = self._database.hold()
        try:
            with translated():
                taken = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LEADING}))
        except BaseException:
            connection.close()
            raise
        if taken:
            self._connection = connection
        else:
            connection.close()
        return taken

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # not back into the pool: the lock belongs to the connection
            connection.close()
