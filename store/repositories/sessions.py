"""Sessions of signed-in people, and sign-ins on their way to a provider, in the database."""

import datetime as dt

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DatabaseSession

from store.accounts import Session, SignInAttempt
from store.database import Database
from store.tables import SessionRow, SignInAttemptRow


class Sessions:
    """Keeps sessions by the hash of their token. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token_hash: bytes, made: Session, *, session: DatabaseSession) -> None:
        """Stores a new session, and forgets all that are over."""
        session.execute(delete(SessionRow).where(SessionRow.expires_at <= made.created_at))
        fields = {name: getattr(made, name) for name in Session.__slots__}
        session.add(SessionRow(token_hash=token_hash, **fields))
        session.flush()

    def find(self, token_hash: bytes, session: DatabaseSession | None = None) -> Session | None:
        """Returns the session with that token, whether or not it is over."""
        with self._database.reading(session) as opened:
            row = opened.get(SessionRow, token_hash)
            return None if row is None else _load(row)

    def of_user(self, user_id: str, session: DatabaseSession | None = None) -> tuple[Session, ...]:
        """Returns the user's sessions, newest first, those that are over too."""
        query = select(SessionRow).where(SessionRow.user_id == user_id)
        query = query.order_by(SessionRow.created_at.desc(), SessionRow.id.desc())
        with self._database.reading(session) as opened:
            return tuple(map(_load, opened.scalars(query)))

    def touch(self, token_hash: bytes, *, at: dt.datetime) -> None:
        """Notes that the session was used; a loss of power may lose it."""
        with self._database.writing(waits_for_disk=False) as opened:
            opened.execute(update(SessionRow).where(SessionRow.token_hash == token_hash).values(seen_at=at))

    def end(self, token_hash: bytes, *, session: DatabaseSession) -> Session | None:
        """Ends the session with that token; returns it as it was, None when there is none."""
        row = session.get(SessionRow, token_hash)
        if row is None:
            return None
        session.delete(row)
        session.flush()
        return _load(row)

    def end_one(self, session_id: str, *, user_id: str, session: DatabaseSession) -> bool:
        """Ends one of the user's sessions; returns whether it was there."""
        query = delete(SessionRow).where(SessionRow.id == session_id, SessionRow.user_id == user_id)
        return len(session.execute(query.returning(SessionRow.id)).all()) > 0

    def end_all(self, user_id: str, *, but: str | None = None, session: DatabaseSession) -> int:
        """Ends the user's sessions, except the one with the id `but`; returns how many."""
        query = delete(SessionRow).where(SessionRow.user_id == user_id)
        if but is not None:
            query = query.where(SessionRow.id != but)
        return len(session.execute(query.returning(SessionRow.id)).all())

    def add_attempt(self, attempt: SignInAttempt, *, now: dt.datetime) -> None:
        """Stores a sign-in that goes to a provider, and forgets those that never came back."""
        with self._database.writing(waits_for_disk=False) as opened:
            opened.execute(delete(SignInAttemptRow).where(SignInAttemptRow.expires_at <= now))
            opened.add(SignInAttemptRow(**{name: getattr(attempt, name) for name in SignInAttempt.__slots__}))

    def take_attempt(self, state_hash: bytes) -> SignInAttempt | None:
        """Uses up what was kept under that state; None when it is unknown or was used before."""
        with self._database.writing() as opened:
            query = delete(SignInAttemptRow).where(SignInAttemptRow.state_hash == state_hash)
            row = opened.execute(query.returning(SignInAttemptRow)).scalar_one_or_none()
            if row is None:
                return None
            return SignInAttempt(**{name: getattr(row, name) for name in SignInAttempt.__slots__})


def _load(row: SessionRow) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.__slots__})
