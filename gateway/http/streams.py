"""Server-sent events: frames, and a response that stops the work when nobody reads any more."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from litestar import Response
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Scope, Send

EVENT_STREAM = "text/event-stream"


def comment(text: str) -> bytes:
    """Returns a frame that clients skip; OpenAI clients take every other foreign frame for a chunk."""
    return f": {text}\n\n".encode()


def data(value: object) -> bytes:
    """Returns a frame of JSON without a name, as OpenAI clients read it."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def event(name: str, number: int, value: object) -> bytes:
    """Returns a named and numbered frame of JSON."""
    return f"id: {number}\nevent: {name}\n".encode() + data(value)


class EventStream(Response[bytes]):
    """Sends frames as they come; `on_close` runs however it ends, also when it never began."""

    def __init__(
        self, frames: AsyncIterator[bytes], *, on_close: Callable[[], None], headers: dict[str, str] | None = None
    ) -> None:
        unbuffered = {"x-accel-buffering": "no"}  # nginx would else hold the stages back until the end
        super().__init__(content=b"", media_type=EVENT_STREAM, headers=unbuffered | (headers or {}))
        self._frames = frames
        self._on_close = on_close

    def to_asgi_response(self, *_: Any, **__: Any) -> "_Sender":
        headers = {name: str(value) for name, value in self.headers.items()}
        sender = _Sender(iterator=self._frames, headers=headers, media_type=EVENT_STREAM, status_code=200)
        sender.on_close = self._on_close
        return sender


class _Sender(ASGIStreamingResponse):
    """Litestar's streaming response, which stops at a disconnect; the work behind it is stopped here."""

    __slots__ = ("on_close",)
    on_close: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.on_close()
