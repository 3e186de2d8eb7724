"""Adds decisions, many at once, on a connection that is kept: a person waits for each."""

import logging
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from sqlalchemy import Connection

from store.database import Database
from store.engines import translated
from store.errors import StoreUnavailable
from store.repositories.decisions import Decisions, row_values
from store.repositories.prepared import PreparedInsert, add_together
from store.tables import DecisionRow, DecisionTextRow
from store.types import Decision, Recorded

CHECKPOINT_COMMITS = 100
"""Commits after which SQLite's journal is moved into the file, by a thread for which nobody waits: a commit that did it
itself took up to 100 ms on a busy disk, and so did one answer in a hundred."""
_LOG = logging.getLogger(__name__)
_NO_NUL = str.maketrans({"\x00": "\ufffd"})
"""PostgreSQL keeps no NUL in a text, and one such message must not hold up those behind it."""


class DecisionWriter:
    """Writes batches of decisions; one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = Decisions(database)
        self._held = ExitStack()
        self._connection: Connection | None = None
        self._guard = threading.Lock()
        self._commits = 0
        self._checkpoint: threading.Thread | None = None
        self._inserts: tuple[PreparedInsert, PreparedInsert] | None = None
        """Of decisions and of their texts, in the words of the database."""

    def add_all(self, rows: Sequence[Recorded]) -> None:
        """Stores all of them in one transaction, or none; those that are there already stay as they are.

        When this returns they survive a crash of the process; like `Database.writing` without `waits_for_disk`, it
        does not wait for SQLite's disk. Raises `StoreUnavailable`; `Conflict` when a row itself is refused.
        """
        decisions = [row_values(row) for row in rows]
        texts = [_texts(row) for row in rows if row.words is not None]
        with self._guard:
            try:
                with translated():
                    connection = self._open()
                    into_decisions, into_texts = self._inserts_of(connection)
                    add_together(connection, ((into_decisions, decisions), (into_texts, texts)))
            except BaseException:
                self._close()
                raise
            self._commits += 1
            if self._commits >= CHECKPOINT_COMMITS and not self._is_at_checkpoint:
                checkpoint = threading.Thread(target=self._empty_journal, name="checkpoint", daemon=True)
                with suppress(RuntimeError):  # no thread can be started; the next commit tries again
                    checkpoint.start()
                    self._checkpoint, self._commits = checkpoint, 0

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        """Returns the newest decision of a principal's conversation, but for failures."""
        return self._reader.last_of_conversation(conversation, principal)

    def close(self) -> None:
        """Gives the connection back; the next batch takes another."""
        with self._guard:
            self._close()
        if self._checkpoint is not None:
            self._checkpoint.join()

    @property
    def _is_at_checkpoint(self) -> bool:
        return self._checkpoint is not None and self._checkpoint.is_alive()

    def _empty_journal(self) -> None:
        try:
            self._database.checkpoint()
        except StoreUnavailable as error:  # the next one moves it all
            _LOG.warning("wal_checkpoint_failed", extra={"error": str(error)})

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._held.enter_context(self._database.keeping())
        return self._connection

    def _inserts_of(self, connection: Connection) -> tuple[PreparedInsert, PreparedInsert]:
        if self._inserts is None:
            tables = (DecisionRow.__table__, DecisionTextRow.__table__)
            decisions, texts = (PreparedInsert(table, connection.dialect) for table in tables)
            self._inserts = decisions, texts
        return self._inserts

    def _close(self) -> None:
        self._connection = None
        held, self._held = self._held, ExitStack()
        held.close()


def _texts(row: Recorded) -> dict[str, Any]:
    assert row.words is not None  # noqa: S101 - asked by the caller
    words = row.words
    return {
        "decision": row.decision.id,
        "kept": words.kept.value,
        "message": words.message.translate(_NO_NUL),
        "answer": words.answer.translate(_NO_NUL),
        "context": words.context.translate(_NO_NUL),
    }
