"""Signing in at an OpenID provider: authorization code with PKCE, and roles from what the provider says."""

import datetime as dt
import hmac
import re
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

from gateway.access.oidc_provider import Claims
from gateway.access.sealing import hash_of, new_token
from gateway.access.sessions import NewSession, Now, SessionKeeper, utc_now
from gateway.access.users import new_user, require_mail, require_name
from gateway.access_settings import OidcSettings
from gateway.errors import NotAllowed
from store.accounts import SignInAttempt, User
from store.audit import AuditTrail
from store.database import Database, Transaction
from store.errors import InvalidContent
from store.people import SYSTEM, Grant
from store.repositories.sessions import Sessions
from store.repositories.users import Users

_LIFETIME = dt.timedelta(minutes=10)
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


class ClaimSource(Protocol):
    """An OpenID provider."""

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Returns where a browser signs in."""

    def claims(self, code: str, *, nonce: str, verifier: str) -> Claims:
        """Returns whom a code speaks of. Raises `NotAllowed`."""


class OidcSignIn:
    """Lets people in whom the provider knows. All methods block."""

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        keeper: SessionKeeper,
        provider: ClaimSource,
        settings: OidcSettings,
        *,
        now: Now = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._keeper = keeper
        self._provider = provider
        self._settings = settings
        self._now = now
        self._sessions = Sessions(database)
        self._users = Users(database)

    @property
    def title(self) -> str:
        """What the button says."""
        return self._settings.title

    def start(self) -> tuple[str, str]:
        """Returns where the browser goes, and the token that it keeps meanwhile. Raises `NotServing`."""
        state, browser, nonce, verifier = (new_token() for _ in range(4))
        address = self._provider.address(state=state, nonce=nonce, verifier=verifier)
        attempt = SignInAttempt(
            state_hash=hash_of(state),
            browser_hash=hash_of(browser),
            nonce=nonce,
            verifier=verifier,
            expires_at=self._now() + _LIFETIME,
        )
        self._sessions.add_attempt(attempt, now=self._now())
        return address, browser

    def finish(self, *, state: str, code: str, browser: str, agent: str, old_token: str | None) -> NewSession:
        """Begins a session for whoever comes back. A state is good once, in the browser that began.

        Raises `NotAllowed`, `NotServing`.
        """
        attempt = self._sessions.take_attempt(hash_of(state))
        is_ours = attempt is not None and hmac.compare_digest(attempt.browser_hash, hash_of(browser))
        if attempt is None or not is_ours or self._now() >= attempt.expires_at:
            raise NotAllowed("sign_in_expired", "This sign-in was finished before, or took too long. Begin again.")
        claims = self._provider.claims(code, nonce=attempt.nonce, verifier=attempt.verifier)
        grants, assistants = self._granted(claims)
        with self._database.writing() as transaction:
            user = self._known(claims, grants, assistants, transaction)
            if user is not None and grants and user.disabled_at is None:
                made = self._keeper.begin(
                    user, method="oidc", agent=agent, old_token=old_token, transaction=transaction
                )
                details: dict[str, object] = {"session": made.signed_in.session.id, "method": "oidc"}
                self._tell("session.started", user, transaction, details)
                return made
            target = f"user {user.id}" if user else "unknown account"
            details = {"reason": "disabled" if user and user.disabled_at else "no grants", "method": "oidc"}
            self._audit.append(SYSTEM, "session.refused", target, details, session=transaction, at=self._now())
        raise NotAllowed(
            "no_grants",
            "The provider knows you, but your groups give nothing here, or different roles for different assistants, "
            "which one account cannot hold. Ask an administrator.",
        )

    def _granted(self, claims: Claims) -> tuple[frozenset[Grant], frozenset[str]]:
        """Returns roles and tenant; none where groups give different roles for different assistants."""
        said = claims.more.get(self._settings.claim)
        values = {said} if isinstance(said, str) else set(filter(_is_text, said)) if isinstance(said, list) else set()
        by_tenant: dict[frozenset[str], set[Grant]] = {}
        for one in self._settings.grants:
            if one.value in values:
                by_tenant.setdefault(frozenset(one.assistants), set()).add(Grant(one.role, frozenset(one.areas)))
        if (
            len(set(map(frozenset, by_tenant.values()))) > 1
        ):  # added up, a role would reach assistants that it is not of
            return frozenset(), frozenset()
        grants = frozenset[Grant]().union(*by_tenant.values())
        return grants, frozenset() if frozenset() in by_tenant else frozenset[str]().union(*by_tenant)

    def _known(
        self, claims: Claims, grants: frozenset[Grant], assistants: frozenset[str], transaction: Transaction
    ) -> User | None:
        """Returns the user of that issuer and subject, with the roles of today; somebody new is made."""
        user = self._users.with_identity(claims.issuer, claims.subject, transaction)
        if user is None:
            return self._made(claims, grants, assistants, transaction) if grants else None
        if (user.grants, user.assistants) == (grants, assistants):
            return user
        changed = self._users.change(replace(user, grants=grants, assistants=assistants), session=transaction)
        self._keeper.end_all(changed, transaction=transaction)
        self._tell("user.granted", changed, transaction, {"by": "provider"})
        return changed

    def _made(
        self, claims: Claims, grants: frozenset[Grant], assistants: frozenset[str], transaction: Transaction
    ) -> User:
        """An address that is somebody's already is left out: only issuer and subject say who somebody is."""
        mail = claims.more.get("email")
        is_free = isinstance(mail, str) and claims.more.get("email_verified") is True and _is_mail(mail)
        taken = self._users.named(str(mail), transaction) if is_free else None
        made = new_user(
            self._free_name(claims, transaction),
            str(mail) if is_free and taken is None else None,
            grants,
            assistants,
            at=self._now(),
        )
        self._users.add(made, transaction)
        self._users.link(made.id, claims.issuer, claims.subject, session=transaction)
        self._tell("user.created", made, transaction, {"by": "provider"})
        return made

    def _free_name(self, claims: Claims, transaction: Transaction) -> str:
        said = str(claims.more.get("preferred_username") or claims.more.get("name") or "")
        plain = _NOT_IN_NAMES.sub(" ", said.partition("@")[0])[:40].strip(" ._-")
        ending = sha256(f"{claims.issuer}\0{claims.subject}".encode(errors="replace")).hexdigest()[:10]
        for name in (plain, f"{plain} {ending}", f"person {ending}"):
            if _is_name(name) and self._users.named(name, transaction) is None:
                return name
        return f"person {new_token()[:20]}"

    def _tell(self, action: str, user: User, transaction: Transaction, details: dict[str, object]) -> None:
        self._audit.append(user.actor, action, f"user {user.id}", details, session=transaction, at=self._now())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_mail(text: str) -> bool:
    try:
        require_mail(text)
    except InvalidContent:
        return False
    return True


def _is_name(text: str) -> bool:
    try:
        require_name(text)
    except InvalidContent:
        return False
    return True
