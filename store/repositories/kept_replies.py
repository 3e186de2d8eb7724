"""Replies kept for requests that may be sent again, in the database."""

import datetime as dt

from sqlalchemy import delete

from store.accounts import KeptReply
from store.database import Database
from store.errors import Conflict
from store.tables import KeptReplyRow


class KeptReplies:
    """Keeps one reply for each credential and key. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        credential: str,
        key_hash: bytes,
        fingerprint: bytes,
        *,
        now: dt.datetime,
        kept: dt.timedelta,
        at_work: dt.timedelta,
    ) -> KeptReply | None:
        """Takes the key for a request that starts, and returns None; or returns what is kept under it.

        What was begun longer than `kept` ago is forgotten, and what is at work for longer than `at_work`. Of two that
        begin at once only one gets None.
        """
        try:
            with self._database.writing() as opened:
                row = opened.get(KeptReplyRow, (credential, key_hash), with_for_update=True)
                if row is not None and now - row.begun_at < (at_work if row.status is None else kept):
                    return _load(row)
                if row is not None:
                    opened.delete(row)
                    opened.flush()
                opened.add(
                    KeptReplyRow(
                        credential=credential,
                        key_hash=key_hash,
                        fingerprint=fingerprint,
                        begun_at=now,
                        status=None,
                        headers=[],
                        body=b"",
                    )
                )
                return None
        except Conflict:  # on PostgreSQL, another process took the key between our look and our write
            return KeptReply(fingerprint=fingerprint, begun_at=now, status=None, headers=(), body=b"")

    def finish(
        self, credential: str, key_hash: bytes, *, status: int, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> None:
        """Stores the reply of the request that took the key."""
        with self._database.writing() as opened:
            row = opened.get(KeptReplyRow, (credential, key_hash), with_for_update=True)
            if row is not None:
                row.status, row.headers, row.body = status, [list(one) for one in headers], body

    def release(self, credential: str, key_hash: bytes) -> None:
        """Gives the key back: nothing was done under it."""
        where = (KeptReplyRow.credential == credential, KeptReplyRow.key_hash == key_hash)
        with self._database.writing() as opened:
            opened.execute(delete(KeptReplyRow).where(*where, KeptReplyRow.status.is_(None)))

    def forget(self, *, before: dt.datetime) -> int:
        """Deletes what was begun before that moment; returns how many."""
        query = delete(KeptReplyRow).where(KeptReplyRow.begun_at < before).returning(KeptReplyRow.credential)
        with self._database.writing(waits_for_disk=False) as opened:
            return len(opened.execute(query).all())


def _load(row: KeptReplyRow) -> KeptReply:
    return KeptReply(
        fingerprint=row.fingerprint,
        begun_at=row.begun_at,
        status=row.status,
        headers=tuple((str(name), str(value)) for name, value in row.headers),
        body=row.body,
    )
