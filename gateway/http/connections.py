"""Connections that have to keep up: whoever is slow to send a request, or to take a reply, is cut off.

uvicorn waits for ever for the rest of a request, and for a client to take the rest of a reply; its parser takes headers
of any size.
"""

import asyncio
import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol

import uuid_utils
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

LEAST_RATE = 16 * 1024
"""Bytes a second from which on a request may take longer than `receive_s`: a large file on a slow line."""
_TEXT = "content-type: text/plain; charset=utf-8\r\nconnection: close\r\nx-request-id: {{number}}\r\n\r\n{said}\n"
_TOO_SLOW = "HTTP/1.1 408 Request Timeout\r\n" + _TEXT.format(said="The request came too slowly.")
_TOO_LARGE = "HTTP/1.1 431 Request Header Fields Too Large\r\n" + _TEXT.format(said="The headers are too large.")
_TOO_LONG = "HTTP/1.1 414 URI Too Long\r\n" + _TEXT.format(said="The address is too long.")
_NOT_HTTP = "HTTP/1.1 400 Bad Request\r\n" + _TEXT.format(said="This is no HTTP request.")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")


_SEPARATORS = 4
"""Bytes between and after the name and value of a header."""

_LOOKS = 4
"""In the time in which a client may take nothing, connections are looked at so many times, and each second at least."""


class ConnectionLimits(Protocol):
    """How slow and how large requests may come, and how slowly replies may be taken."""

    @property
    def receive_s(self) -> float:
        """Seconds in which a request must have arrived."""

    @property
    def header_bytes(self) -> int:
        """Largest request line and headers together."""


class Door(Protocol):
    """Who looks at a request before the application does."""

    def refusal(self, method: bytes, target: bytes, scope: Any) -> bytes | None:
        """Returns the whole reply to a request that is turned away, None for one that may go on."""


class Connection(HttpToolsProtocol):
    """A connection whose every request has `receive_s` seconds to arrive, and more as long as it comes steadily.

    It says whether its client takes what was written; who ends it when not is `cut_off_stalled`.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Callable[[], ConnectionLimits],
        door: Door | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door = door
        self._is_turned_away = False
        self._receive_s = limits().receive_s
        self._header_bytes = limits().header_bytes
        self._timer: asyncio.TimerHandle | None = None
        self._began_s = 0.0
        self._received = 0
        self._in_headers = True
        self._running: RequestResponseCycle | None = None
        self._untaken, self._taken_s = 0, self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)
        # uvicorn tells the request that came last; the one at work is another while requests were sent ahead.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def shutdown(self) -> None:
        """Ends when the request at work is answered: those sent ahead of their turn are another gateway's."""
        if self.pipeline and self._running is not None:
            self.pipeline.clear()
            self._running.keep_alive = False
        super().shutdown()

    def resume_writing(self) -> None:
        self._taken_s = self.loop.time()
        super().resume_writing()

    def stalled_s(self) -> float:
        """Returns for how long the client has taken nothing of what waits for it, as far as anybody looked."""
        untaken, now = self.transport.get_write_buffer_size(), self.loop.time()
        if not untaken or untaken < self._untaken:
            self._taken_s = now
        self._untaken = untaken
        return now - self._taken_s

    def data_received(self, data: bytes) -> None:
        if self._timer is None and not self._is_answering:
            self._begin()  # also for blank lines between two requests, which the parser takes for nothing
        self._received += len(data)
        super().data_received(data)
        if self._in_headers and self._received > self._header_bytes and not self.transport.is_closing():
            self._refuse(_TOO_LONG if self._is_address_most else _TOO_LARGE)

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: anybody may ask for WebSocket, and gets the plain reply. uvicorn advises to install one."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:
            self._begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        if self._turn_away():
            return
        # RFC 9112, 3.2.2: what a target names as its host counts. Beside another Host header it makes two of them,
        # which nobody answers.
        if (named := _ABSOLUTE.match(self.url)) and [value for name, value in self.headers if name == b"host"] != [
            named[1]
        ]:
            self.headers.append((b"host", named[1]))
        app, size = self.app, len(self.url) + sum(len(name) + len(value) + _SEPARATORS for name, value in self.headers)
        if size > self._header_bytes:  # of headers that came at once: those that drip are cut off before
            self.app = _tell_too_long if self._is_address_most else _tell_too_large
        super().on_headers_complete()
        self.app = app

    def on_body(self, body: bytes) -> None:
        if not self._is_turned_away:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop()
        if self._is_turned_away:
            self._is_turned_away = False
            self.on_response_complete()
        else:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _turn_away(self) -> bool:
        """Answers a request for which there is no room, unless that takes more than one write."""
        if self._door is None or self._is_answering or self.pipeline or self.flow.write_paused:
            return False
        if self.expect_100_continue or not self.parser.should_keep_alive() or self.transport.is_closing():
            return False
        reply = self._door.refusal(self.parser.get_method(), self.url, self.scope)
        if reply is None:
            return False
        self._is_turned_away = True
        self.transport.write(reply)
        return True

    def send_400_response(self, msg: str) -> None:
        """Says that what came is no request, with an id of its own as every reply has one."""
        del msg  # it is uvicorn's
        self._refuse(_NOT_HTTP)

    def _begin(self) -> None:
        self._began_s, self._received, self._in_headers = self.loop.time(), 0, True
        self._timer = self.loop.call_later(self._receive_s, self._look)

    def _stop(self) -> None:
        self._in_headers = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        spent_s = self.loop.time() - self._began_s
        # A body that the application has no room for yet is not the client's delay.
        allowed_s = spent_s + self._receive_s if self.flow.read_paused else self._allowed_s()
        if spent_s < allowed_s:
            self._timer = self.loop.call_later(allowed_s - spent_s, self._look)
            return
        self._timer = None
        self._refuse(_TOO_SLOW)

    @property
    def _is_address_most(self) -> bool:
        return 2 * len(self.url) > self._header_bytes

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation leaves out that there may be none yet
        return cycle is not None and not cycle.response_complete

    def _allowed_s(self) -> float:
        # The first bytes buy no time: a drip would go on for ever with few of them.
        return self._receive_s + max(0, self._received - self._header_bytes) / LEAST_RATE

    def _refuse(self, reply: str) -> None:
        if not (self._is_answering and self.cycle.response_started):
            self.transport.write(reply.format(number=uuid_utils.uuid7()).encode("ascii"))
        self.transport.close()


async def _tell_too_large(_: object, __: object, send: Any) -> None:
    await _tell(send, 431, b"The headers are too large.\n")


async def _tell_too_long(_: object, __: object, send: Any) -> None:
    await _tell(send, 414, b"The address is too long.\n")


async def _tell(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    headers.append((b"x-request-id", str(uuid_utils.uuid7()).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def connections(limits: Callable[[], ConnectionLimits], door: Door | None = None) -> Any:
    """Returns what uvicorn makes a connection with; each new connection asks for the limits."""
    return partial(Connection, limits=limits, door=door)


async def cut_off_stalled(open_now: Callable[[], Collection[Any]], allowed_s: Callable[[], float]) -> None:
    """Ends connections whose clients have taken nothing for `allowed_s`, until it is cancelled.

    What a kernel holds for them counts as taken: a reply that fits there costs this process nothing.
    """
    while True:
        for connection in list(open_now()):
            if connection.stalled_s() >= allowed_s():
                connection.transport.abort()
        await asyncio.sleep(min(1.0, allowed_s() / _LOOKS))
