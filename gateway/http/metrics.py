"""Prometheus metrics over HTTP, and the middleware that counts requests for them."""

import time

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.params import SkipValidation
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.components import Components
from gateway.telemetry import Telemetry

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NO_ROUTE = "none"
_GONE = 499
"""As proxies name it: the client left before a reply began."""


@get("/metrics", operation_id="metrics")
async def metrics(components: NamedDependency[SkipValidation[Components]]) -> Response[bytes]:
    """Returns the metrics of this process in Prometheus' text format."""
    return Response(components.telemetry.text(), media_type=MEDIA_TYPE)


class CountRequests:
    """Middleware that counts every request and its time, by the template of its path and never by the path."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), _GONE

        async def hear(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, hear)
        finally:
            route = scope.get("path_template") or _NO_ROUTE
            self._telemetry.requested(str(scope["method"]), route, status, time.perf_counter() - started)
