"""Lets pages of listed origins call `/v1` with an API key: no origin is listed unless a widget client says so."""

import re

from anyio import CapacityLimiter, to_thread
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, HTTPScope, Receive, Scope, Send

from gateway.errors import NotServing
from gateway.http.widget.origins import is_widget_path, note_reader, sent_origin
from gateway.widget.book import ClientBook
from store.errors import StoreUnavailable

_ORIGIN = "api_origin"
_PATH = re.compile(r"/v1/(?!admin(?:/|\Z))")
_OF_OPENAI = (
    "openai-organization, openai-project, user-agent, x-stainless-arch, x-stainless-async, x-stainless-helper-method, "
    "x-stainless-lang, x-stainless-os, x-stainless-package-version, x-stainless-read-timeout, x-stainless-retry-count, "
    "x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout"
)
"""What OpenAI's clients send along, without effect here. `*` would not do: it does not stand for `authorization`."""
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, x-canongate-on-block, "
    f"x-canongate-timeout-ms, x-request-id, {_OF_OPENAI}",
    "access-control-max-age": "600",
}
_EXPOSED = (
    "idempotency-replayed, retry-after, x-request-id, x-should-retry, x-canongate-outcome, x-canongate-prompt, "
    "x-canongate-policy-version, x-canongate-duration-ms, x-canongate-overhead-ms, x-ratelimit-limit-requests, "
    "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, "
    "x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)


class LetPagesIn:
    """Middleware that answers preflight requests of listed origins, and notes the origin for the reply's headers.

    Of the widget's surface it notes who may read that there is no room; its guard looks further in at everything else.

    It opens nothing: each request needs its key as it does from anywhere else.
    """

    def __init__(self, app: ASGIApp, book: ClientBook) -> None:
        self._app = app
        self._book = book
        self._threads = CapacityLimiter(4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on everything but preflight requests that are answered here. Raises `NotServing`."""
        if scope["type"] == ScopeType.HTTP and is_widget_path(scope["path"]):
            note_reader(scope, self._book.last)
        if scope["type"] != ScopeType.HTTP or not is_api_path(scope["path"]):
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
        origin = sent_origin(scope)
        if origin is None:
            return None
        try:
            page = self._book.known()
            if page is None:
                page = await to_thread.run_sync(self._book.page, limiter=self._threads)
        except StoreUnavailable as error:
            if origin in self._book.last.api_origins:
                scope["state"][_ORIGIN] = origin  # it may read why it gets nothing
            raise NotServing("store_unavailable", "The origins of pages cannot be read.") from error
        return origin if origin in page.api_origins else None


def is_api_path(path: str) -> bool:
    """Whether pages of listed origins may call it with an API key."""
    return _PATH.match(path) is not None


def add_api_origin(headers: MutableScopeHeaders, scope: Scope) -> None:
    """Lets the one page read a reply that it asked for, and no cache give it to another."""
    if not is_api_path(scope["path"]):
        return
    headers.extend_header_value("vary", "origin")
    origin = scope["state"].get(_ORIGIN)
    if isinstance(origin, str):
        for name, value in readable_by(origin).items():
            headers[name] = value


def readable_by(origin: str) -> dict[str, str]:
    """Returns the headers by which a browser lets pages of that origin read a reply."""
    return {"access-control-allow-origin": origin, "access-control-expose-headers": _EXPOSED}


def _is_preflight(scope: HTTPScope) -> bool:
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )
