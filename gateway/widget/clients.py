"""Administers the places that embed the widget, within what an administrator's tenant may do."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import msgspec
import uuid_utils

from gateway.access.sealing import Purpose, Seals, new_token
from gateway.access.sessions import Now, utc_now
from gateway.access.tenancy import is_visible, require_everywhere
from gateway.widget.identity import import_public
from store.audit import AuditTrail
from store.database import Database, Transaction
from store.errors import Conflict, InvalidContent, NotFound
from store.people import Actor, Role
from store.readable import require_readable
from store.repositories.widget_clients import PLAIN_ID, WidgetClients
from store.repositories.widget_sessions import WidgetSessions
from store.widgets import Algorithm, SignIn, WidgetClient, WidgetSecret, WidgetSettings

LONGEST_OVERLAP = dt.timedelta(days=90)
HEARD = dt.timedelta(minutes=10)
"""How far back a client's pages are looked for: a visit is kept no shorter."""
_NONE = "there is no such widget client"
_MOST_CLIENTS = 1000
_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*")
"""Language, script, region and variants (BCP 47), with which browsers write dates; they fail at a name that is none."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A client at the one moment when the secret is known that its site signs with; None for one that needs none."""

    client: WidgetClient
    secret: str | None


class WidgetClientService:
    """What administrators do with widget clients: the route table sees to it that they are some. All methods block.

    Those that write raise `Refused` for an administrator of some areas: a site opens all that its assistant answers.
    `changed` is called after each change, so that it counts in this process at once.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        seals: Seals,
        *,
        live: Callable[[], Collection[str]],
        changed: Callable[[], None] = lambda: None,
        now: Now = utc_now,
    ) -> None:
        """`live` says the assistants that there are."""
        self._database = database
        self._audit = audit
        self._seals = seals
        self._live = live
        self._changed = changed
        self._now = now
        self._clients = WidgetClients(database)
        self._sessions = WidgetSessions(database)

    def all(self, actor: Actor) -> tuple[WidgetClient, ...]:
        """Returns the clients of the actor's tenant, by id."""
        return tuple(one for one in self._clients.all() if is_visible(actor, (one.settings.assistant,)))

    def get(self, actor: Actor, client_id: str, transaction: Transaction | None = None) -> WidgetClient:
        """Returns a client of the actor's tenant. Raises `NotFound`."""
        found = self._clients.get(client_id, transaction)
        if not is_visible(actor, (found.settings.assistant,)):
            raise NotFound(_NONE)
        return found

    def answering(self, actor: Actor) -> tuple[WidgetClient, ...]:
        """Returns the clients whose widget answers whoever sees it, of the actor's tenant, by id.

        Anybody who asks at all may know them: what is shown of them stands in the markup of their pages.
        """
        return tuple(one for one in self.all(actor) if one.is_active and one.settings.sign_in is not SignIn.REQUIRED)

    def heard(self, actor: Actor, client_id: str) -> Mapping[str, dt.datetime | None]:
        """Returns when the last visit began at each origin of a client, None for one without within `HEARD`.

        Visits of the gateway's own pages say nothing of the site. Raises `NotFound`.
        """
        found = self.get(actor, client_id)
        begun = self._sessions.begun(client_id, since=self._now() - HEARD)
        return {origin: begun.get(origin) for origin in found.settings.origins}

    def may_rotate(self, client: WidgetClient) -> bool:
        """Whether there is a secret of ours that its site signs with."""
        return _signs(client.settings)

    def create(self, actor: Actor, client_id: str, settings: WidgetSettings) -> NewSecret:
        """Makes a client, with a secret where it signs with one. Raises `InvalidContent`, `Conflict` for a taken id."""
        require_everywhere(actor, Role.ADMIN)
        self._require_good(actor, client_id, settings)
        now = self._now()
        secret, sealed = self._secret(now) if _signs(settings) else (None, ())
        made = WidgetClient(id=client_id, settings=settings, secrets=sealed, created_at=now, disabled_at=None)
        with self._database.writing() as transaction:
            known = self._clients.all(transaction)
            if any(one.id == client_id for one in known):
                raise Conflict("there is a widget client with this id. Choose another one.")
            if len(known) >= _MOST_CLIENTS:
                raise Conflict(f"there are {_MOST_CLIENTS} widget clients, which is as many as can be.")
            self._clients.add(made, transaction)
            self._note(actor, "widget.created", client_id, _told(settings), transaction)
        self._changed()
        return NewSecret(made, secret)

    def change(self, actor: Actor, client_id: str, given: Mapping[str, object], *, rev: int) -> NewSecret:
        """Puts these settings, by their names, in place of those before. One that needs a secret gets one.

        Raises `NotFound`, `InvalidContent`, `Conflict` when somebody else was quicker.
        """
        with self._database.writing() as transaction:
            before = self._administered(actor, client_id, transaction)
            settings = _with(before.settings, given)
            self._require_good(actor, client_id, settings, before.settings.languages)
            secret, sealed = None, before.secrets
            if _signs(settings) and not before.secrets:
                secret, sealed = self._secret(self._now())
            elif not _signs(settings):
                sealed = ()
            wanted = replace(before, settings=settings, secrets=sealed, rev=rev)
            after = self._clients.change(wanted, session=transaction)
            details: dict[str, object] = {"before": _told(before.settings), "after": _told(settings)}
            self._note(actor, "widget.changed", client_id, details, transaction)
        self._changed()
        return NewSecret(after, secret)

    def rotate(self, actor: Actor, client_id: str, *, overlap: dt.timedelta) -> NewSecret:
        """Gives a client another secret; the one before counts for `overlap` longer, and those before it end.

        Raises `NotFound`, `Conflict` for one that does not sign with a secret, `InvalidContent`.
        """
        if not dt.timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidContent(f"overlap: 0 to {LONGEST_OVERLAP.days} days.")
        now = self._now()
        with self._database.writing() as transaction:
            before = self._administered(actor, client_id, transaction)
            if not _signs(before.settings):
                raise Conflict("this client signs with no secret of ours, so there is none to rotate.")
            last = [replace(one, ends_at=now + overlap) for one in before.secrets if one.ends_at is None]
            secret, made = self._secret(now)
            wanted = replace(before, secrets=(*(last if overlap else ()), *made))
            after = self._clients.change(wanted, session=transaction)
            details = {"secret": made[0].id, "overlap_s": int(overlap.total_seconds())}
            self._note(actor, "widget.rotated", client_id, details, transaction)
        self._changed()
        return NewSecret(after, secret)

    def disable(self, actor: Actor, client_id: str) -> WidgetClient:
        """Ends a client's sessions and serves it no more, within a second in every process. Raises `NotFound`."""
        return self._set(actor, client_id, "widget.disabled", self._now())

    def enable(self, actor: Actor, client_id: str) -> WidgetClient:
        """Serves a client again. Raises `NotFound`."""
        return self._set(actor, client_id, "widget.enabled", None)

    def _set(self, actor: Actor, client_id: str, action: str, disabled_at: dt.datetime | None) -> WidgetClient:
        with self._database.writing() as transaction:
            before = self._administered(actor, client_id, transaction)
            if before.is_active is (disabled_at is None):
                return before
            after = self._clients.change(replace(before, disabled_at=disabled_at), session=transaction)
            self._note(actor, action, client_id, {}, transaction)
        self._changed()
        return after

    def _administered(self, actor: Actor, client_id: str, transaction: Transaction) -> WidgetClient:
        found = self.get(actor, client_id, transaction)
        require_everywhere(actor, Role.ADMIN)
        return found

    def _require_good(
        self, actor: Actor, client_id: str, settings: WidgetSettings, spoken: Collection[str] = ()
    ) -> None:
        if not PLAIN_ID.fullmatch(client_id):
            raise InvalidContent("id: small letters, digits and hyphens, such as hr-portal; at most 40.")
        require_readable(f"widget client {client_id}", settings)
        if not actor.may_see(settings.assistant) or settings.assistant not in self._live():
            raise InvalidContent(f"assistant: {settings.assistant!r} is not live, or is not yours.")
        for language in settings.languages:
            if language not in spoken and not _LANGUAGE.fullmatch(language):
                raise InvalidContent(f"languages: browsers know no {language!r}. Write one as en, pt-BR or zh-Hant-TW.")
        for key in settings.keys.keys if settings.keys else ():
            import_public(key, settings.algorithm)

    def _secret(self, now: dt.datetime) -> tuple[str, tuple[WidgetSecret, ...]]:
        secret, secret_id = new_token(), str(uuid_utils.uuid7())
        sealed = self._seals.seal(Purpose.WIDGET, secret.encode(), place=secret_id)
        return secret, (WidgetSecret(secret_id, sealed, now, None),)

    def _note(
        self, actor: Actor, action: str, client_id: str, details: dict[str, object], transaction: Transaction
    ) -> None:
        self._audit.append(actor, action, f"widget {client_id}", details, session=transaction, at=self._now())


def _with(settings: WidgetSettings, given: Mapping[str, object]) -> WidgetSettings:
    try:
        return msgspec.structs.replace(settings, **given)
    except (ValueError, TypeError) as error:
        raise InvalidContent(f"{error}.") from error


def _signs(settings: WidgetSettings) -> bool:
    return settings.sign_in is not SignIn.NONE and settings.algorithm is Algorithm.HS256


def _told(settings: WidgetSettings) -> dict[str, object]:
    """What the audit trail has of settings: what decides who may ask and how often, not how it looks."""
    return {
        "assistant": settings.assistant,
        "origins": list(settings.origins),
        "sign_in": settings.sign_in.value,
        "algorithm": settings.algorithm.value,
        "keys": [one.kid for one in settings.keys.keys] if settings.keys else [],
        "calls_api": settings.calls_api,
        "rate_session": settings.rates.session,
        "rate_address": settings.rates.address,
        "rate_origin": settings.rates.origin,
    }
