"""Ends a person's visits of the widget, when what there is of them is purged."""

from collections.abc import Mapping

from gateway.access.sessions import Now, utc_now
from store.database import Transaction
from store.repositories.widget_sessions import WidgetSessions


class VisitPurger:
    """What was said is in memory alone, for half an hour at most; without a visit nobody reads it any more."""

    def __init__(self, sessions: WidgetSessions, *, now: Now = utc_now) -> None:
        self._sessions = sessions
        self._now = now

    def purge(self, person: str, *, among: frozenset[str], session: Transaction) -> Mapping[str, int]:
        ended = self._sessions.cut_loose(person, now=self._now(), session=session)
        return {"widget_sessions": ended}
