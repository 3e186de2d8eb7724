"""Headers that every response carries: the request id, its trace, and what keeps browsers from guessing."""

import re

import uuid_utils
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from gateway.http.cross_origin import add_api_origin
from gateway.http.widget.origins import add_origin
from gateway.trace_context import Trace, begin_trace

REQUEST_ID = "x-request-id"
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
TRACEPARENT = "traceparent"
_STATE_KEY = "request_id"
_TRACE_KEY = "trace"

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
"""Unless a handler says otherwise."""


def request_id(scope: Scope) -> str:
    """Returns the request's id: the client's if it is a plain token, else a new UUIDv7; the same at each call."""
    known = scope["state"].get(_STATE_KEY)
    if isinstance(known, str):
        return known
    sent = _sent(scope, REQUEST_ID)
    chosen = sent if _PLAIN_TOKEN.fullmatch(sent) else str(uuid_utils.uuid7())
    scope["state"][_STATE_KEY] = chosen
    return chosen


def trace_of(scope: Scope, *, sampling: float = 0.0) -> Trace:
    """Returns the request's place in its trace: the same at each call, told or not as the first one says."""
    known = scope["state"].get(_TRACE_KEY)
    if isinstance(known, Trace):
        return known
    begun = begin_trace(_sent(scope, TRACEPARENT), request_id(scope), sampling=sampling)
    scope["state"][_TRACE_KEY] = begun
    return begun


def _sent(scope: Scope, header: str) -> str:
    return next((value for name, value in scope["headers"] if name == header.encode()), b"").decode("latin-1")


async def add_headers(message: Message, scope: Scope) -> None:
    """Completes the headers of a response that starts; what the handler set itself stays."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers[REQUEST_ID] = request_id(scope)
    headers[TRACEPARENT] = trace_of(scope).traceparent
    add_origin(headers, scope, message["status"])
    add_api_origin(headers, scope)
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
