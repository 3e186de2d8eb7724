"""Lets pages of listed origins call `/v1` with an API key: no origin is listed unless a widget client says so."""

import re

from anyio import CapacityLimiter, to_thread
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, HTTPScope, Receive, Scope, Send

from gateway.errors import NotServing
from gateway.widget.book import ClientBook
from store.errors import StoreUnavailable

_ORIGIN = "api_origin"
_PATH = re.compile(r"/v1/(?!admin(?:/|\Z))")
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, x-canongate-on-block, "
    "x-canongate-timeout-ms, x-request-id",
    "access-control-max-age": "600",
}
_EXPOSED = (
    "retry-after, x-request-id, x-should-retry, x-canongate-outcome, x-canongate-prompt, x-canongate-policy-version, "
    "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests"
)


class LetPagesIn:
    """Middleware that answers preflight requests of listed origins, and notes the origin for the reply's headers.

    It opens nothing: each request needs its key as it does from anywhere else.
    """

    def __init__(self, app: ASGIApp, book: ClientBook) -> None:
        self._app = app
        self._book = book
        self._threads = CapacityLimiter(4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on everything but preflight requests that are answered here. Raises `NotServing`."""
        if scope["type"] != ScopeType.HTTP or not _PATH.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        origin = await self._listed(scope)
        if origin is not None:
            scope["state"][_ORIGIN] = origin
        if origin is None or not _is_preflight(scope):
            await self._app(scope, receive, send)
            return
        headers = [(name.encode(), value.encode()) for name, value in _PREFLIGHT.items()]
        await send(HTTPResponseStartEvent(type="http.response.start", status=204, headers=headers))
        await send(HTTPResponseBodyEvent(type="http.response.body", body=b"", more_body=False))

    async def _listed(self, scope: Scope) -> str | None:
        """Returns the origin that a request names, if exactly that one is in the list."""
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        if len(sent) != 1:
            return None
        try:
            page = self._book.known()
            if page is None:
                page = await to_thread.run_sync(self._book.page, limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "The origins of pages cannot be read.") from error
        return sent[0] if sent[0] in page.api_origins else None


def add_api_origin(headers: MutableScopeHeaders, scope: Scope) -> None:
    """Lets the one page read a reply that it asked for, and no cache give it to another."""
    if not _PATH.match(scope["path"]):
        return
    headers.extend_header_value("vary", "origin")
    origin = scope["state"].get(_ORIGIN)
    if isinstance(origin, str):
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = _EXPOSED


def _is_preflight(scope: HTTPScope) -> bool:
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )
