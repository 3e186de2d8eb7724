"""By what a database knows the keys beside it, and what of it was made with each."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import delete, exists, insert, literal, select
from sqlalchemy.orm import Session

from store.advisory import NOTING_KEYS, hold
from store.database import Database
from store.tables import ApiKeyRow, AuditRow, DecisionRow, KeyFingerprintRow, UserRow, WidgetClientRow


class KeyFingerprints:
    """Notes and reads fingerprints. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, session: Session | None = None) -> dict[str, bytes]:
        """Returns what is noted, by the key's name; nothing for a database that no key was noted for."""
        with self._database.reading(session) as opened:
            return {row.name: row.fingerprint for row in opened.scalars(select(KeyFingerprintRow))}

    def hold(self, session: Session) -> None:
        """Lets nobody else note keys until the session's transaction ends."""
        hold(session, NOTING_KEYS)

    def put(self, fingerprints: Mapping[str, bytes], *, at: dt.datetime, session: Session) -> None:
        """Notes these in place of what was noted under the same names."""
        session.execute(delete(KeyFingerprintRow).where(KeyFingerprintRow.name.in_(fingerprints)))
        rows = [{"name": name, "fingerprint": one, "noted_at": at} for name, one in fingerprints.items()]
        if rows:
            session.execute(insert(KeyFingerprintRow), rows)

    def uses(self, session: Session) -> frozenset[str]:
        """Returns which rows are there that are worth nothing without a key: `audit`, `people`, `widgets`."""
        found = {
            "audit": select(literal(1)).where(exists(select(AuditRow.number))),
            "people": select(literal(1)).where(
                exists(select(ApiKeyRow.id)) | exists(select(UserRow.id)) | exists(select(DecisionRow.id))
            ),
            "widgets": select(literal(1)).where(exists(select(WidgetClientRow.id)) | exists(select(UserRow.id))),
        }
        return frozenset(name for name, query in found.items() if session.scalar(query))
