"""Prometheus metrics over HTTP, and the middleware that counts requests for them."""

import time

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.params import SkipValidation
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.components import Components
from gateway.http.headers import trace_of
from gateway.http.health import found_in_time
from gateway.http.problems import STREAM_ENDED
from gateway.telemetry import Telemetry
from gateway.trace_context import CURRENT
from gateway.tracing import Tracing

MEDIA_TYPE = "text/plain; version=0.0.4"
"""The framework adds the charset."""
_NO_ROUTE = "none"
_WATCHING = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds for ever: counted, and in no trace."""
_GONE = 499
"""As proxies name it: the client left before a reply began."""


@get("/metrics", operation_id="metrics")
async def metrics(components: NamedDependency[SkipValidation[Components]]) -> Response[bytes]:
    """Returns the metrics of this process in Prometheus' text format; each part is asked how it is."""
    await found_in_time(components.readiness)
    return Response(components.telemetry.text(), media_type=MEDIA_TYPE)


class CountRequests:
    """Middleware that tells of every request and its time, by the template of its path and never by the path.

    A stream that ended in an error has the status that it would have had, or a question that fails would be a success.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry, tracing: Tracing) -> None:
        self._app = app
        self._telemetry = telemetry
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), _GONE
        trace = trace_of(scope, sampling=0.0 if scope["path"] in _WATCHING else self._tracing.sampling)
        token = CURRENT.set(trace)

        async def hear(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, hear)
        finally:
            CURRENT.reset(token)
            route, method = scope.get("path_template") or _NO_ROUTE, str(scope["method"])
            seconds = time.perf_counter() - started
            status = scope["state"].get(STREAM_ENDED, status)
            self._telemetry.requested(method, route, status, seconds)
            self._tracing.requested(trace, method, route, status, seconds=seconds)
