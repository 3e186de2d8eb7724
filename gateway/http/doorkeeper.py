"""Turns questions away on their connection, before anything is made of them: under overload most work is refusing."""

from http import HTTPStatus

import msgspec
from litestar.types import HTTPScope

from gateway.http import cross_origin
from gateway.http.headers import ALWAYS, REQUEST_ID, TRACEPARENT, request_id, trace_of
from gateway.http.problems import problem_of
from gateway.http.widget import origins
from gateway.http.widget.origins import is_widget_path, sent_origin
from gateway.lines import Line
from gateway.telemetry import Telemetry
from gateway.widget.book import ClientBook

QUESTIONS = frozenset(
    {"/v1/chat", "/v1/chat/completions", "/v1/checks", "/v1/match", "/v1/embeddings", "/widget/v1/chat"}
)
"""Paths that questions are sent to. What comes elsewhere, or is not plain, is refused where it is routed."""
_STATUS_LINES = {status: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}


class Doorkeeper:
    """Knows whether there is room in the line for questions. Lives on the line's event loop."""

    def __init__(self, line: Line, telemetry: Telemetry, book: ClientBook | None = None) -> None:
        """With a `book` of clients, pages of their origins may read what they are told."""
        self._line = line
        self._telemetry = telemetry
        self._book = book

    def refusal(self, method: bytes, target: bytes, scope: HTTPScope) -> bytes | None:
        """Returns the whole reply to a request for which there is no room, None when it may go on."""
        path = target.partition(b"?")[0].decode("latin-1")
        if method != b"POST" or path not in QUESTIONS:
            return None
        error = self._line.refusal()
        if error is None:
            return None
        problem = problem_of(error, scope)
        self._telemetry.requested("POST", path, problem.status, 0.0)
        body = msgspec.json.encode(problem.envelope())
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            REQUEST_ID: request_id(scope),
            TRACEPARENT: trace_of(scope).traceparent,
            "vary": "origin",
            **self._readable(path, scope),
            **ALWAYS,
            **problem.headers,
        }
        lines = [_STATUS_LINES[HTTPStatus(problem.status)], *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _readable(self, path: str, scope: HTTPScope) -> dict[str, str]:
        """Returns the headers by which the page that asked may read the refusal, if its origin is listed."""
        origin = sent_origin(scope)
        if origin is None or self._book is None:
            return {}
        if is_widget_path(path):
            return origins.readable_by(origin) if origin in self._book.last.origins else {}
        return cross_origin.readable_by(origin) if origin in self._book.last.api_origins else {}
