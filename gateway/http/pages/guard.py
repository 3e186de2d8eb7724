"""Lets people with a session to the pages that the table names, and takes forms from our own pages alone."""

from collections.abc import Iterable
from typing import Any

from anyio import CapacityLimiter, to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler

from gateway.access.services import Access
from gateway.access.sessions import SignedIn
from gateway.errors import NotAllowed, NotServing
from gateway.http.cookies import Cookies
from gateway.http.pages.forms import keep_form, read_form
from gateway.http.pages.page_table import OPEN_PAGES, PAGES, WAITING_PAGES
from gateway.http.pages.uploads import UPLOADS, drop_upload, is_multipart, read_upload
from gateway.http.same_origin import require_same_origin
from store.errors import StoreUnavailable

PREFIX = "/admin"
_READS = frozenset({"GET", "HEAD"})


class PageGuard:
    """Knows people by their session. A form without the session's token does nothing, whichever page it is for."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._cookies = Cookies(is_plain=access.has_plain_cookies)
        self._threads = CapacityLimiter(4)

    async def admit(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Puts who is signed in and the form into the request's scope. Raises `NotAllowed`, `NotServing`.

        The form is read before anything is refused: whoever's session ended meanwhile gets the text back. One with a
        file is read last, because nobody but those whom the page is for may fill the disk.
        """
        method = str(connection.scope.get("method"))
        names = names_of(handler, method)
        has_file = takes_upload(connection, handler)
        if method not in _READS:
            require_same_origin(connection)
            if not has_file:
                keep_form(connection, await read_form(Request(connection.scope, connection.receive)))
        if names and OPEN_PAGES.issuperset(names):
            return
        signed_in = await self._signed_in(connection)
        connection.scope["auth"] = signed_in
        if method not in _READS and not has_file:
            self._require_csrf(connection, signed_in)
        self._require_role(signed_in, names)
        if has_file:
            keep_form(connection, await read_upload(Request(connection.scope, connection.receive)))
            try:
                self._require_csrf(connection, signed_in)
            except NotAllowed:
                await drop_upload(connection)
                raise
        connection.scope["user"] = signed_in.user.actor

    def _require_csrf(self, connection: ASGIConnection[Any, Any, Any, Any], signed_in: SignedIn) -> None:
        if not self._access.keeper.is_csrf(signed_in, keep_form(connection).csrf):
            raise NotAllowed("wrong_csrf", "The form is from another session. Open the page again.")

    def _require_role(self, signed_in: SignedIn, names: list[str]) -> None:
        if self._access.profiles.must_enrol(signed_in) and not WAITING_PAGES.issuperset(names):
            raise NotAllowed("totp_enrolment_required", "Your role needs an authenticator. Enrol one first.")
        wanted = [PAGES.get(name, frozenset()) for name in names]
        actor = signed_in.user.actor
        if not wanted or not all(any(actor.may(role) for role in roles) for roles in wanted):
            raise NotAllowed("insufficient_role", "Your roles do not allow this.")

    async def _signed_in(self, connection: ASGIConnection[Any, Any, Any, Any]) -> SignedIn:
        token = self._cookies.read(connection, self._cookies.session)
        try:
            found = await to_thread.run_sync(self._access.keeper.find, token or "", limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "Sessions cannot be checked, so nothing is answered.") from error
        if found is None:
            raise NotAllowed("session_ended", "The session is over. Sign in again.")
        return found


def takes_upload(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> bool:
    """Whether a form with a file is sent to a page that takes one."""
    names = names_of(handler, str(connection.scope.get("method")))
    return bool(names) and UPLOADS.issuperset(names) and is_multipart(connection)


def is_page(handler: BaseRouteHandler) -> bool:
    """Whether the handler is one of the pages."""
    return bool(handler.paths) and all(map(is_page_path, handler.paths))


def is_page_path(path: str) -> bool:
    """Whether the address is one of the pages', if there is such a page."""
    return path == PREFIX or path.startswith(PREFIX + "/")


def names_of(handler: BaseRouteHandler, method: str) -> list[str]:
    """Returns the names of a handler in the table."""
    method = "GET" if method == "HEAD" else method
    return [f"{method} {path}" for path in handler.paths]


def require_page_table(handlers: Iterable[HTTPRouteHandler]) -> None:
    """Raises `TypeError` when the table and the handlers do not name the same pages."""
    named = {name for handler in handlers for method in handler.http_methods for name in names_of(handler, str(method))}
    if differing := named ^ (PAGES.keys() | OPEN_PAGES):
        raise TypeError(f"page table and handlers differ: {sorted(differing)}. This is a bug.")
    if contradicting := (PAGES.keys() & OPEN_PAGES) | (WAITING_PAGES - PAGES.keys()):
        raise TypeError(f"the page table contradicts itself: {sorted(contradicting)}. This is a bug.")
