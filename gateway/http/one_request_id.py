"""Has each reply one request id behind a server that adds its own header, as Ray's proxy does."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.headers import REQUEST_ID

_NAME = REQUEST_ID.encode()


class OneRequestId:
    """Leaves a reply's id to the proxy, which repeats the one that came with the request, or that it made for it.

    A client's id that the gateway does not take is repeated beside the gateway's own one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        came = [value for name, value in scope["headers"] if name == _NAME]

        async def send_once(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if not (pair[0] == _NAME and pair[1] in came[:1])]
                message["headers"] = kept
            await send(message)

        await self._app(scope, receive, send_once)
