"""Signed-in people on the admin surface, and the one parser of credentials: a cookie or a bearer token, never both."""

from typing import Any

from anyio import CapacityLimiter, to_thread
from litestar import Request
from litestar.connection import ASGIConnection

from gateway.access.profiles import ProfileService
from gateway.access.sessions import SessionKeeper, SignedIn
from gateway.errors import InvalidRequest, NotAllowed, NotServing
from gateway.http.admin.key_authenticator import KeyAuthenticator
from gateway.http.cookies import Cookies
from gateway.http.same_origin import require_same_origin
from store.errors import StoreUnavailable
from store.people import Actor

CSRF_HEADER = "x-canongate-csrf"
ENROLMENT_PATHS = frozenset(
    {"/v1/admin/session", "/v1/admin/profile", "/v1/admin/profile/totp", "/v1/admin/profile/totp/confirm"}
)
"""Path templates for somebody who must enrol an authenticator before anything else."""
_READS = frozenset({"GET", "HEAD"})


class SessionAuthenticator:
    """Knows people by their session."""

    def __init__(self, keeper: SessionKeeper, profiles: ProfileService, cookies: Cookies) -> None:
        self._keeper = keeper
        self._profiles = profiles
        self._cookies = cookies
        self._threads = CapacityLimiter(4)

    def token(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
        """Returns the session's token, None without a cookie. Raises `InvalidRequest` for two of them."""
        return self._cookies.read(connection, self._cookies.session)

    async def actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
        """Returns who is signed in. Raises `NotAllowed`, also for a write that does not prove to be from our page."""
        token = self.token(connection) or ""
        try:
            signed_in = await to_thread.run_sync(self._keeper.find, token, limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "Sessions cannot be checked, so nothing is answered.") from error
        if signed_in is None:
            raise NotAllowed("session_ended", "The session is over. Sign in again.")
        if connection.scope.get("method") not in _READS:
            require_same_origin(connection)
            if not self._keeper.is_csrf(signed_in, connection.headers.get(CSRF_HEADER, "")):
                raise NotAllowed("wrong_csrf", f"Send the session's `csrf` as {CSRF_HEADER} with each write.")
        if self._profiles.must_enrol(signed_in) and not connection.route_handler.paths <= ENROLMENT_PATHS:
            raise NotAllowed("totp_enrolment_required", "Your role needs an authenticator. Enrol one first.")
        connection.scope["auth"] = signed_in
        return signed_in.user.actor


class CredentialAuthenticator:
    """Reads the credential of a request, whichever kind it is."""

    def __init__(self, sessions: SessionAuthenticator, keys: KeyAuthenticator) -> None:
        self._sessions = sessions
        self._keys = keys

    async def actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
        """Returns who calls. Raises `NotAllowed`, `NotServing`, `InvalidRequest` for a cookie beside a token."""
        if self._sessions.token(connection) is None:
            return await self._keys.actor(connection)
        if "authorization" in connection.headers:
            raise InvalidRequest("two_credentials", "Send the session cookie or an Authorization header, not both.")
        return await self._sessions.actor(connection)


def signed_in_of(request: Request[Any, Any, Any]) -> SignedIn:
    """Returns whose session it is. The route table lets nobody else to these operations."""
    found = request.scope.get("auth")
    if not isinstance(found, SignedIn):
        raise NotAllowed("insufficient_role", "Only somebody who signed in with a session can do this.")
    return found
