"""What stands before the application: it turns away requests under foreign host names before they are routed.

It also has HEAD answered wherever GET is (RFC 9110, 9.3.2): as GET, and the server sends no body.
"""

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from gateway.http.headers import add_headers, request_id
from gateway.http.hosts import Hosts
from gateway.http.problems import problem_of, tells_problems
from gateway.telemetry import Telemetry

ANY_HOST = frozenset({"/livez", "/readyz"})
"""Paths that answer under any name: balancers and orchestrators ask by address, and learn nothing but the state."""
_NO_ROUTE = "none"


class Edge:
    """The outermost part of the gateway. Nothing else is given to the server."""

    def __init__(self, app: ASGIApp, hosts: Hosts, telemetry: Telemetry) -> None:
        self._app = app
        self._hosts = hosts
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what names an allowed host."""
        scope.setdefault("state", {})
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        if scope["type"] != ScopeType.HTTP or scope["path"] in ANY_HOST:
            await self._app(scope, receive, send)
            return
        error = self._hosts.refusal(scope)
        if error is None:
            await self._app(scope, receive, send)
            return
        problem = problem_of(error, scope)
        self._telemetry.requested(str(scope["method"]), _NO_ROUTE, problem.status, 0.0)
        is_document = tells_problems(scope["path"])
        body = msgspec.json.encode(problem.document(request_id(scope)) if is_document else problem.envelope())
        media_type = b"application/problem+json" if is_document else b"application/json"
        # The body that the request may have is not read: the connection ends.
        headers = [
            (b"content-type", media_type),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        start = HTTPResponseStartEvent(type="http.response.start", status=problem.status, headers=headers)
        await add_headers(start, scope)
        await send(start)
        await send(HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False))
