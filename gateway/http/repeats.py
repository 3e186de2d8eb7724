"""`Idempotency-Key` over HTTP: for chat, and for every write of the admin surface that has a credential."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from gateway.access.repeats import Answered, Held, Repeats
from gateway.credentials import Principal
from gateway.errors import InvalidRequest
from gateway.http.problems import STREAM_ENDED
from store.people import Actor

IDEMPOTENCY_KEY: Final = "idempotency-key"
REPLAYED: Final = "idempotency-replayed"
_HELD: Final = "held_idempotency_key"
_KEY = re.compile(r'"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOTHING_DONE = frozenset({401, 403, 408, 413, 415, 429, 499})
"""Replies of requests that were turned away before they could do anything: they may come again."""
_SERVER_ERRORS = 500
_MOST_BYTES = 1024 * 1024
_KEPT_HEADERS = frozenset({"content-type", "etag", "location", "x-canongate-outcome", "x-canongate-prompt"})

BeforeRequest = Callable[[Request[Any, Any, Any]], Awaitable[Response[bytes] | None]]


def hold_repeats(repeats: Repeats) -> BeforeRequest:
    """Makes the hook that runs after the guards: it answers a repeated request, or holds its key while it is at work.

    The replies of a handler with `is_kept=False` are never kept: each request is done, and told in the audit trail. One
    with `changes_nothing=True` makes a reply again that is too large to be kept.
    It raises `InvalidRequest`: 409 while the first one is at work and where its reply is gone, 422 for a key of another
    request.
    """
    threads = CapacityLimiter(4)

    async def hold(request: Request[Any, Any, Any]) -> Response[bytes] | None:
        sent = request.headers.getall(IDEMPOTENCY_KEY, [])
        credential = _credential(request.scope)
        is_kept = request.route_handler.opt.get("is_kept", True)
        if not sent or credential is None or request.method not in _WRITES or not is_kept:
            return None
        key = _key(sent)
        parts = _parts(request.scope, await _content(request))
        found = await to_thread.run_sync(repeats.begin, credential, key, parts, limiter=threads)
        if isinstance(found, Answered):
            headers = {**dict(found.headers), REPLAYED: "true"}
            media = headers.pop("content-type", "application/json")
            return Response(found.body, status_code=found.status, headers=headers, media_type=media)
        request.scope["state"][_HELD] = found
        return None

    return hold


class KeepReplies:
    """Middleware that keeps the reply of a request whose key is held, before its last byte is sent."""

    def __init__(self, app: ASGIApp, repeats: Repeats) -> None:
        self._app = app
        self._repeats = repeats
        self._threads = CapacityLimiter(4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on."""
        if scope["type"] != ScopeType.HTTP or not any(name == IDEMPOTENCY_KEY.encode() for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        reply = _Reply(scope)

        async def keep(message: Message) -> None:
            if reply.takes(message) and (held := _held(scope)) is not None:
                await self._settle(held, reply)
            await send(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            if not reply.is_whole and (held := _held(scope)) is not None:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(self._repeats.release, held, limiter=self._threads)

    async def _settle(self, held: Held, reply: "_Reply") -> None:
        if reply.did_nothing:
            await to_thread.run_sync(self._repeats.release, held, limiter=self._threads)
        else:
            finish = self._repeats.finish if reply.may_be_kept else self._repeats.finish_without
            await to_thread.run_sync(finish, held, reply.answered, limiter=self._threads)


class _Reply:
    """A reply on its way out."""

    def __init__(self, scope: Scope) -> None:
        self.is_whole = False
        self._scope = scope
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._sets_cookies = False
        self._body = bytearray()
        self._is_too_large = False

    def takes(self, message: Message) -> bool:
        """Adds a message; returns whether it was the last one."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            told = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"]]
            self._headers = tuple((name, value) for name, value in told if name in _KEPT_HEADERS)
            self._sets_cookies = any(name == "set-cookie" for name, _ in told)
        elif message["type"] == "http.response.body":
            self._is_too_large |= len(self._body) + len(message["body"]) > _MOST_BYTES
            if not self._is_too_large:
                self._body += message["body"]
            self.is_whole = not message["more_body"]
        return self.is_whole

    @property
    def did_nothing(self) -> bool:
        """Whether the request may come again as if for the first time: a stream is judged by what ended it."""
        status: int = self._scope["state"].get(STREAM_ENDED, self._status)
        if status in _NOTHING_DONE or status >= _SERVER_ERRORS:
            return True
        return not self.may_be_kept and bool(self._scope["route_handler"].opt.get("changes_nothing"))

    @property
    def may_be_kept(self) -> bool:
        """Whether it can be given again. Of one that cannot is kept that it was given: nothing is done twice."""
        return not (self._sets_cookies or self._is_too_large)

    @property
    def answered(self) -> Answered:
        """The reply as it is kept."""
        return Answered(self._status, self._headers, bytes(self._body))


def _held(scope: Scope) -> Held | None:
    found = scope["state"].get(_HELD)
    return found if isinstance(found, Held) else None


def _credential(scope: Scope) -> str | None:
    caller = scope.get("user")
    if isinstance(caller, Actor):
        return caller.id
    return f"key:{caller.id}" if isinstance(caller, Principal) else None


def _key(sent: list[str]) -> str:
    found = _KEY.fullmatch(sent[0].strip()) if len(sent) == 1 else None
    if found is None:
        raise InvalidRequest(
            "invalid_idempotency_key",
            "Idempotency-Key takes 1 to 255 printable characters, once.",
            param=IDEMPOTENCY_KEY,
        )
    return found[1] or found[2]


async def _content(request: Request[Any, Any, Any]) -> bytes:
    """The body; of one that its handler reads piece by piece, only how long it says that it is."""
    if request.route_handler.resolve_request_max_body_size() is None:
        return request.headers.get("content-length", "").encode()
    return await request.body()


def _parts(scope: HTTPScope, content: bytes) -> tuple[bytes, ...]:
    """What makes two requests the same: also what they accept and which state they have read."""
    headers = {name: value for name, value in scope["headers"] if name in (b"if-match", b"accept", b"content-type")}
    named = tuple(headers.get(name, b"") for name in (b"if-match", b"accept", b"content-type"))
    return (str(scope["method"]).encode(), scope["raw_path"], scope["query_string"], *named, content)
