"""Marks by which several gateways count calls together, each in one atomic step, in the database that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, LifoQueue

from sqlalchemy import Connection, text

from store.database import Database
from store.engines import translated

_STATEMENT_S = 1.0
"""Nobody waits for an answer that long; it frees the connection."""
_TAKE = text("SELECT is_taken, aheads FROM canongate_take(:names, :steps, :rooms)")
_PURGE = text("DELETE FROM rate_marks WHERE full_at_us < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


@dataclass(frozen=True, slots=True)
class Mark:
    """A name to count one call under: its mark moves on by a step, and may be ahead of now by its room."""

    name: str
    step_us: int
    room_us: int


@dataclass(frozen=True, slots=True)
class Marked:
    """Whether the call was counted, under each name or under none."""

    is_taken: bool
    ahead_us: tuple[int, ...]
    """How far each mark is ahead of now; when nothing was counted, how far it would be."""


class RateMarks:
    """The marks of gateways on one PostgreSQL. Thread-safe; holds as many connections as threads call it at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: LifoQueue[Connection] = LifoQueue()

    def take(self, marks: Sequence[Mark]) -> Marked:
        """Counts a call under each name, or under none, in one round trip. Raises `StoreUnavailable`."""
        order = sorted(range(len(marks)), key=lambda at: marks[at].name)
        given = [marks[at] for at in order]
        values = {
            "names": [mark.name for mark in given],
            "steps": [mark.step_us for mark in given],
            "rooms": [mark.room_us for mark in given],
        }
        connection = self._connection()
        try:
            with translated():
                found = connection.execute(_TAKE, values).one()
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._idle.put(connection)
        aheads = dict(zip(order, found.aheads, strict=True))
        return Marked(found.is_taken, tuple(aheads[at] for at in range(len(marks))))

    def purge(self) -> None:
        """Removes the marks that are past, which say nothing any more. Raises `StoreUnavailable`."""
        with self._database.writing() as session:
            session.execute(_PURGE)

    def close(self) -> None:
        """Ends the connections. Nobody may be counting."""
        while not self._idle.empty():
            connection = self._idle.get()
            connection.invalidate()
            connection.close()

    def _connection(self) -> Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            connection = self._database.hold()
        with translated():
            limit = {"limit": f"{_STATEMENT_S:g}s"}
            connection.execute(text("SELECT set_config('statement_timeout', :limit, false)"), limit)
        return connection
