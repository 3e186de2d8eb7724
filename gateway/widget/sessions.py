"""Visits: what a signed-in or an unknown visitor's token opens, for ten minutes, at the origin that it was made for."""

import datetime as dt
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import uuid_utils

from gateway.access.sealing import hash_of, new_token
from gateway.credentials import TRUSTED_S, Principal
from gateway.errors import NotAllowed
from gateway.widget.book import ClientBook, Known, Page
from gateway.widget.identity import unidentified
from store.database import Database
from store.errors import Conflict
from store.repositories.widget_sessions import WidgetSessions
from store.types import KeyScope
from store.widgets import SignIn, WidgetClient, WidgetSession

SIGNED_IN = dt.timedelta(minutes=10)
UNKNOWN = dt.timedelta(hours=2)
"""A visitor who is not known can only begin again as somebody else, and nobody vouches for them anyway."""
_MARK = "cgw_"
_TOKEN_CHARS = len(_MARK) + 43
_MOST_KNOWN = 10_000


def expired() -> NotAllowed:
    """Returns the refusal of a session that is over, or never was one."""
    return NotAllowed("session_expired", "The session is over, or is not one. Begin a new one.")


def foreign() -> NotAllowed:
    """Returns the refusal of a page that is in no list: also of one that asks for a client that there is not."""
    return NotAllowed("origin_not_allowed", "This page may not use the assistant. Its origin is not in the list.")


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is behind a call of the widget, as of this moment."""

    client: WidgetClient
    session: WidgetSession
    principal: Principal
    """As whom its questions are asked. Of a client's unknown visitors all are one: what they have, they know by ids
    that cannot be guessed."""

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody says who it is."""
        return self.session.person is None

    @property
    def holder(self) -> str:
        """Whose conversations and answers are this visit's."""
        return self.principal.id


@dataclass(frozen=True, slots=True)
class NewVisit:
    """A visit at the one moment when its token is known."""

    token: str
    visit: Visit
    name: str | None


class VisitKeeper:
    """Begins and finds visits. `pseudonym` is how the rest of the gateway knows a person by their site's id."""

    def __init__(
        self,
        database: Database,
        book: ClientBook,
        pseudonym: Callable[[str], str | None],
        *,
        own_origins: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = WidgetSessions(database)
        self._book = book
        self._pseudonym = pseudonym
        self._own_origins = own_origins
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, WidgetSession]] = OrderedDict()

    def begin(self, known: Known, origin: str, token: str | None) -> NewVisit:
        """Begins a visit for a token that the client's site signed, or for an unknown visitor where those may come.

        Blocks on the database. Raises `NotAllowed`, `StoreUnavailable`.
        """
        self.require_embeds(known.client, origin)
        settings, now = known.client.settings, self._book.now()
        if token is None or settings.sign_in is SignIn.NONE:
            if settings.sign_in is SignIn.REQUIRED:
                raise unidentified()
            made = self._session(known.client, origin, None, now, now + UNKNOWN)
            return self._add(known.client, made, token_id=None, name=None, kept_until=made.expires_at)
        verifier = known.verifier(now)
        if verifier is None:
            raise unidentified()
        identity = verifier.identity(token, at=now)
        made = self._session(known.client, origin, self._pseudonym(identity.subject), now, now + SIGNED_IN)
        kept_until = max(made.expires_at, identity.ends_at)
        try:
            return self._add(known.client, made, token_id=identity.token_id, name=identity.name, kept_until=kept_until)
        except Conflict as error:  # the token was exchanged before, at this gateway or another
            raise unidentified() from error

    def known(self, token: str, page: Page, origin: str) -> Visit | None:
        """Returns whose visit a token is that was looked up a moment ago, else None. Never blocks."""
        found = self._known.get(hash_of(token))
        if found is None or self._clock() >= found[0]:
            return None
        return self._visit(found[1], page, origin)

    def find(self, token: str, page: Page, origin: str) -> Visit:
        """Returns whose visit it is. Blocks on the database.

        Raises `NotAllowed` for a token that is over, or for another origin, or whose client changed its mind.
        """
        if len(token) != _TOKEN_CHARS or not token.startswith(_MARK):
            raise expired()
        token_hash, asked_s = hash_of(token), self._clock()
        session = self._sessions.find(token_hash)
        if session is None:
            raise expired()
        self._known[token_hash] = (asked_s + TRUSTED_S, session)
        self._known.move_to_end(token_hash)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return self._visit(session, page, origin)

    def require_embeds(self, client: WidgetClient, origin: str) -> None:
        """Raises `NotAllowed` unless the client's list has exactly that origin, or it is the gateway's own."""
        if origin not in client.settings.origins and origin not in self._own_origins:
            raise foreign()

    def forget(self) -> None:
        """Deletes the visits that are over. Blocks on the database."""
        self._sessions.forget(before=self._book.now())

    def _visit(self, session: WidgetSession, page: Page, origin: str) -> Visit:
        known = page.clients.get(session.client)
        if known is None or self._book.now() >= session.expires_at:
            raise expired()
        is_welcome = session.person is not None or known.client.settings.sign_in is not SignIn.REQUIRED
        if not is_welcome:
            raise expired()
        self.require_embeds(known.client, origin)
        if origin != session.origin:
            raise foreign()
        return Visit(known.client, session, _principal(known.client, session.person))

    def _session(
        self, client: WidgetClient, origin: str, person: str | None, now: dt.datetime, expires_at: dt.datetime
    ) -> WidgetSession:
        return WidgetSession(
            id=str(uuid_utils.uuid7()),
            client=client.id,
            origin=origin,
            person=person,
            created_at=now,
            expires_at=expires_at,
        )

    def _add(
        self,
        client: WidgetClient,
        made: WidgetSession,
        *,
        token_id: bytes | None,
        name: str | None,
        kept_until: dt.datetime,
    ) -> NewVisit:
        token = _MARK + new_token()
        self._sessions.add(hash_of(token), made, token_id=token_id, kept_until=kept_until)
        return NewVisit(token, Visit(client, made, _principal(client, made.person)), name)


def _principal(client: WidgetClient, person: str | None) -> Principal:
    """Returns as whom a visit asks; nothing in it leads back to the person without the database and the pepper."""
    rates = client.settings.rates
    whose = hashlib.sha256(f"{client.id} {person}".encode()).hexdigest()[:32] if person else "anonymous"
    return Principal(
        id=f"widget:{client.id}:{whose}",
        name=client.settings.title,
        scopes=frozenset({KeyScope.CHAT}),
        assistants=frozenset({client.settings.assistant}),
        requests_per_minute=rates.session if person else rates.origin,
        trail_name=f"widget:{client.id}",
    )
