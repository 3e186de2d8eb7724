"""A place for every request before its body is parsed, and a no to those for whom there is no room, unread."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Scope, Send

from gateway.http.asking import READY_S, ClientGone
from gateway.limits import Lines
from gateway.lines import PLACE, Line, Place

_ADMIN = ("/admin", "/v1/admin")
_OPEN = ("/embed/", "/static/", "/docs")
_FREE = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json"})
"""Who watches the gateway never waits."""
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class GrantPlaces:
    """Middleware that gives each request a place once its body is there, so that a slow sender holds none."""

    def __init__(self, app: ASGIApp, lines: Lines, *, queue_s: float) -> None:
        self._app = app
        self._lines = lines
        self._queue_s = queue_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what has a place, or needs none. Raises `NotServing`."""
        line = self._line(scope)
        if line is None:
            await self._app(scope, receive, send)
            return
        line.require_room()
        place = Place(line)
        let_go = place.hold()
        arriving = _Arriving(receive, place, self._queue_s, scope["state"])

        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                let_go()  # the work is done, or holds the place itself: a slow reader holds none
            await send(message)

        token = PLACE.set(place)
        try:
            if _has_no_body(scope):
                await arriving.enter()
            await self._app(scope, arriving.receive, begin)
        finally:
            PLACE.reset(token)
            let_go()

    def _line(self, scope: Scope) -> Line | None:
        if scope["type"] != ScopeType.HTTP:
            return None
        path = scope["path"]
        if path in _FREE or path.startswith(_OPEN):
            return None
        if path in _ADMIN or path.startswith(tuple(f"{start}/" for start in _ADMIN)):
            return self._lines.admin
        # What only reads on the other surfaces is a line of text, or follows an answer for minutes.
        return None if scope["method"] in _READS else self._lines.chat


@dataclass(slots=True)
class _Arriving:
    """A request's body on its way: its last piece is handed on when the request has its place."""

    inner: Receive
    place: Place
    queue_s: float
    state: dict[str, object]
    _ahead: deque[ReceiveMessage] = field(default_factory=deque)
    _has_entered: bool = False

    async def receive(self) -> ReceiveMessage:
        """Gives the next message. Raises `ClientGone`, and `NotServing` when there is no place in time."""
        if self._ahead:
            return self._ahead.popleft()
        message = await self.inner()
        if self._has_entered:
            return message
        if message["type"] == "http.disconnect":
            raise ClientGone
        if not message.get("more_body", False):
            await self.enter()
        return message

    async def enter(self) -> None:
        """Takes the place. Raises `ClientGone`, and `NotServing` when there is none in time."""
        self._has_entered = True
        self.state[READY_S] = time.monotonic()
        if self.place.take_now():
            return
        taking = asyncio.create_task(self.place.take(within_s=self.queue_s))
        leaving = asyncio.create_task(self._until_gone())
        try:
            await asyncio.wait((taking, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                raise ClientGone
            taking.result()
        finally:
            taking.cancel()
            leaving.cancel()

    async def _until_gone(self) -> None:
        """Returns when the client has left; what else comes is kept for the application."""
        while True:
            message = await self.inner()
            self._ahead.append(message)
            if message["type"] == "http.disconnect":
                return


def _has_no_body(scope: Scope) -> bool:
    names = {name for name, value in scope["headers"] if value != b"0"}
    return b"content-length" not in names and b"transfer-encoding" not in names
