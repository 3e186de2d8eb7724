"""Who has a draft open, in the database: several gateways serve the same people."""

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from store.database import Database
from store.tables import PresenceRow


class Presences:
    """Notes and reads presences. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = sqlite if database.is_sqlite else postgresql
        made = dialect.insert(PresenceRow.__table__)
        keys = ["place", "user_id"]
        self._note = made.on_conflict_do_update(index_elements=keys, set_={"until": made.excluded.until})

    def note(self, place: str, user_id: str, *, until: dt.datetime, now: dt.datetime) -> None:
        """Says that somebody is at a place, and forgets who is nowhere any more. Need not survive a loss of power."""
        with self._database.writing(waits_for_disk=False) as session:
            session.execute(delete(PresenceRow).where(PresenceRow.until <= now))
            session.execute(self._note, {"place": place, "user_id": user_id, "until": until})

    def at(self, place: str, *, now: dt.datetime) -> tuple[str, ...]:
        """Returns the ids of those who are at a place."""
        query = select(PresenceRow.user_id).where(PresenceRow.place == place, PresenceRow.until > now)
        with self._database.reading() as session:
            return tuple(session.scalars(query.order_by(PresenceRow.user_id)))
