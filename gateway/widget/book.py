"""The widget clients as they are now: read again at most once a second, and only when one was changed."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.access.sealing import Purpose, Seals
from gateway.access.sessions import Now, utc_now
from gateway.credentials import TRUSTED_S
from gateway.errors import SettingsInvalid
from gateway.widget.identity import Verifier
from store.database import Database
from store.errors import InvalidContent
from store.repositories.widget_clients import WidgetClients
from store.widgets import Algorithm, SignIn, WidgetClient


@dataclass(frozen=True, slots=True)
class Known:
    """A client, with what believes its visitors' tokens."""

    client: WidgetClient
    seals: Seals = field(repr=False)

    def verifier(self, now: dt.datetime) -> Verifier | None:
        """Returns what believes tokens now; None where nothing can: a key that does not open lets nobody in."""
        settings = self.client.settings
        if settings.sign_in is SignIn.NONE:
            return None
        try:
            if settings.algorithm is not Algorithm.HS256:
                return Verifier.of_keys(self.client.id, settings.algorithm, settings.keys.keys if settings.keys else ())
            active = [one for one in self.client.secrets if one.is_active(now)]
            secrets = [self.seals.unseal(Purpose.WIDGET, one.sealed, place=one.id) for one in active]
            return Verifier.of_secrets(self.client.id, secrets) if secrets else None
        except (InvalidContent, SettingsInvalid):
            return None


@dataclass(frozen=True, slots=True)
class Page:
    """All active clients at one moment."""

    clients: Mapping[str, Known]
    origins: frozenset[str]
    """Those of any of them."""
    api_origins: frozenset[str] = frozenset()
    """Those whose pages may call `/v1` with an API key."""


class ClientBook:
    """Believes what it has read for `TRUSTED_S`: a client that was disabled is served no longer than that.

    A database that is away ends the widget with it.
    """

    def __init__(
        self, database: Database, seals: Seals, *, clock: Callable[[], float] = time.monotonic, now: Now = utc_now
    ) -> None:
        self._clients = WidgetClients(database)
        self._database = database
        self._seals = seals
        self._clock = clock
        self.now = now
        self._lock = threading.Lock()
        self._page = Page(MappingProxyType({}), frozenset())
        self._state: tuple[int, int] | None = None
        self._until_s = -1.0

    def known(self) -> Page | None:
        """Returns the clients if they were looked at a moment ago, else None. Never blocks."""
        return self._page if self._clock() < self._until_s else None

    @property
    def last(self) -> Page:
        """The clients as they were read last, however long ago: for replies that give nothing away. Never blocks."""
        return self._page

    def page(self) -> Page:
        """Returns the clients. Blocks on the database: call it in a thread. Raises `StoreUnavailable`."""
        with self._lock:
            if (known := self.known()) is not None:
                return known
            asked_s = self._clock()
            with self._database.reading() as transaction:
                state = self._clients.state(transaction)
                if state != self._state:
                    found = {one.id: Known(one, self._seals) for one in self._clients.all(transaction) if one.is_active}
                    settings = [one.client.settings for one in found.values()]
                    origins = frozenset(origin for one in settings for origin in one.origins)
                    calling = frozenset(origin for one in settings if one.calls_api for origin in one.origins)
                    self._page, self._state = Page(MappingProxyType(found), origins, calling), state
            self._until_s = asked_s + TRUSTED_S
            return self._page

    def forget(self) -> None:
        """Believes nothing without another look; called after a client was changed in this process."""
        self._until_s = -1.0
