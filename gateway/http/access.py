"""Who may call what: every route needs a key, except those in one table; one parser reads the key."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from gateway.credentials import KeyRing, Principal
from gateway.errors import InvalidRequest, NotAllowed, NotServing
from gateway.http.admin.guard import Authenticator, is_admin_route, require_role
from gateway.http.bearer import bearer_token
from gateway.http.pages.guard import PageGuard, is_page, takes_upload
from gateway.http.pages.uploads import MULTIPART
from gateway.http.widget.guard import WidgetGuard, is_widget_route
from store.errors import StoreUnavailable
from store.types import KeyScope

PUBLIC_ROUTES = frozenset(
    {
        "/",
        "/try",
        "/static/{name:str}",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/embed/chat",
        "/embed/{version:str}/{name:str}",
        "/docs",
        "/docs/guides/{name:str}",
    }
)
"""Path templates that answer without a key. A route that is not listed here is closed."""

FORM_ROUTES = frozenset({"/try"})
"""Path templates that take a form; every other body is JSON, so that no foreign page can post one unasked."""

FILE_ROUTES = frozenset({"/v1/admin/imports"})
"""Path templates that take a file as the body: octets, which no foreign page can post unasked."""

ROUTE_SCOPES = {
    "/v1/chat/completions": KeyScope.CHAT,
    "/v1/chat": KeyScope.CHAT,
    "/v1/feedback": KeyScope.CHAT,
    "/v1/models": KeyScope.CHAT,
    "/v1/models/{model:str}": KeyScope.CHAT,
    "/v1/checks": KeyScope.CHECKS,
    "/v1/match": KeyScope.DEBUG,
    "/v1/embeddings": KeyScope.EMBEDDINGS,
    "/metrics": KeyScope.METRICS,
}
"""Path templates that a key opens, and the scope that it needs. A route in no table is closed to every key."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]
_LOOK_UP_S = 5.0
"""Whoever waits longer for a key to be looked up is told to come again."""
_ADMIN, _PAGES, _WIDGET = "admin surface", "pages", "widget"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def require_key(
    keys: KeyRing,
    authenticator: Authenticator | None,
    pages: PageGuard | None,
    widget: WidgetGuard | None = None,
    *,
    unknown: Callable[[ASGIConnection[Any, Any, Any, Any]], Awaitable[None]],
) -> Guard:
    """Makes the guard of the whole application; admin routes ask `authenticator`, pages `pages`, widgets `widget`.

    `unknown` counts a request whose key has to be looked up. It runs before a body is read, but for the forms of
    pages, which hold the session's token.
    """
    threads = CapacityLimiter(4)
    rooms: dict[str, Guard | None] = {
        _ADMIN: None if authenticator is None else partial(require_role, authenticator),
        _PAGES: None if pages is None else pages.admit,
        _WIDGET: None if widget is None else widget.admit,
    }

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if handler.paths and handler.paths <= PUBLIC_ROUTES:
            return
        if (room := _room(handler)) is not None:
            admit = rooms[room]
            if admit is None:
                raise NotServing("store_unavailable", f"This gateway runs without its {room}.")
            await admit(connection, handler)
            return
        token = bearer_token(connection)
        wanted = {ROUTE_SCOPES.get(path) for path in handler.paths or {""}}
        try:
            principal = keys.known(token)
            if principal is None:
                await unknown(connection)
                with anyio.fail_after(_LOOK_UP_S):
                    principal = await to_thread.run_sync(keys.principal, token, limiter=threads)
        except (StoreUnavailable, TimeoutError) as error:
            principal = keys.scraper(token) if wanted == {KeyScope.METRICS} else None
            if principal is None:
                raise NotServing("store_unavailable", "API keys cannot be checked, so nothing is answered.") from error
        for scope in wanted - principal.scopes:
            missing = f"lacks the scope `{scope.value}`" if scope else "does not open this"
            raise NotAllowed("insufficient_scope", f"This API key {missing}.")
        connection.scope["user"] = principal

    return guard


def _room(handler: BaseRouteHandler) -> str | None:
    """Returns which surface with a guard of its own the handler belongs to."""
    if is_admin_route(handler):
        return _ADMIN
    if is_page(handler):
        return _PAGES
    return _WIDGET if is_widget_route(handler) else None


async def require_media_type(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuses a body of another type than the route takes. Raises `InvalidRequest`."""
    if connection.scope.get("method") not in _WITH_BODY or _has_no_body(connection):
        return
    wanted = "application/json"
    if takes_upload(connection, handler):
        wanted = MULTIPART
    elif handler.paths <= FORM_ROUTES or is_page(handler):
        wanted = "application/x-www-form-urlencoded"
    elif handler.paths <= FILE_ROUTES:
        wanted = "application/octet-stream"
    sent = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != wanted:
        raise InvalidRequest("unsupported_media_type", f"This address takes bodies of type {wanted} only.")


def principal_of(request: Request[Any, Any, Any]) -> Principal:
    """Returns who the request speaks for, as the guard found out."""
    principal = request.scope.get("user")
    if not isinstance(principal, Principal):
        raise TypeError("a route without the key guard asked for a principal. This is a bug.")
    return principal


def _has_no_body(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether nothing is sent, which has no type: a DELETE, or the order to undo something."""
    headers = connection.headers
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
