"""Ends a person's visits of the widget, when what there is of them is purged."""

from collections.abc import Mapping

from gateway.access.sessions import Now, utc_now
from store.database import Transaction
from store.repositories.widget_sessions import WidgetSessions
from store.repositories.widget_turns import WidgetTurns


class VisitPurger:
    """What gateways share of what was said goes at once; without a visit nobody reads what one has in memory."""

    def __init__(self, sessions: WidgetSessions, turns: WidgetTurns, *, now: Now = utc_now) -> None:
        self._sessions = sessions
        self._turns = turns
        self._now = now

    def purge(self, person: str, *, among: frozenset[str], session: Transaction) -> Mapping[str, int]:
        ended = self._sessions.cut_loose(person, now=self._now(), session=session)
        return {"widget_sessions": ended, "widget_turns": self._turns.purge(person, session=session)}
