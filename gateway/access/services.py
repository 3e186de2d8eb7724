"""The services behind sign-in, people and keys, as one value."""

from dataclasses import dataclass

from gateway.access.keys import KeyService
from gateway.access.oidc import OidcSignIn
from gateway.access.oidc_provider import Provider
from gateway.access.passwords import Passwords
from gateway.access.profiles import ProfileService
from gateway.access.repeats import Repeats
from gateway.access.sealing import Seals
from gateway.access.sessions import Now, SessionKeeper, utc_now
from gateway.access.signing_in import SignIn
from gateway.access.tickets import Tickets
from gateway.access.tries import Tries
from gateway.access.users import UserService
from gateway.access_settings import AccessSettings, OidcSettings
from gateway.credentials import KeyRing
from gateway.proxies import TrustedProxies
from store.audit import AuditTrail
from store.database import Database

OIDC_PER_MINUTE = 30
"""Each start of a sign-in at a provider is a row for ten minutes."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the admin surface needs to know who is who."""

    keeper: SessionKeeper
    sign_in: SignIn
    tickets: Tickets
    users: UserService
    profiles: ProfileService
    keys: KeyService
    repeats: Repeats
    oidc: OidcSignIn | None
    oidc_tries: Tries
    has_plain_cookies: bool
    now: Now
    proxies: TrustedProxies
    """Whose word about a client's address is believed."""


def access_of(
    database: Database,
    audit: AuditTrail,
    ring: KeyRing,
    *,
    access_key: bytes,
    pepper: bytes,
    settings: AccessSettings,
    oidc: OidcSettings,
    passwords: Passwords,
    proxies: TrustedProxies | None = None,
    now: Now = utc_now,
) -> Access:
    """Makes the services over one database."""
    seals, tries = Seals(access_key), Tries()
    keeper = SessionKeeper(database, audit, seals, now=now)
    return Access(
        keeper=keeper,
        sign_in=SignIn(database, audit, seals, keeper, passwords=passwords, tries=tries, now=now),
        tickets=Tickets(seals, now=now),
        users=UserService(database, audit, keeper, now=now),
        profiles=ProfileService(
            database,
            audit,
            seals,
            keeper,
            passwords=passwords,
            tries=tries,
            totp_required_for=settings.totp_roles,
            now=now,
        ),
        keys=KeyService(database, audit, ring, pepper, now=now),
        repeats=Repeats(database, seals, now=now),
        oidc=OidcSignIn(database, audit, keeper, Provider(oidc), oidc, now=now) if oidc.issuer else None,
        oidc_tries=Tries(per_minute=OIDC_PER_MINUTE),
        has_plain_cookies=settings.plain_http,
        now=now,
        proxies=proxies or TrustedProxies(),
    )
