"""The only table from error class and code to HTTP status, and the two forms in which errors are told.

Under `/v1` and `/widget/v1`, and at `/metrics`, an error is OpenAI's envelope; elsewhere, and under `/v1/admin`, a
problem document (RFC 9457). Texts come from our own errors or from this table; the text of a foreign exception never
leaves the process.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Scope

from gateway.errors import BudgetUsed, DeadlinePassed, GatewayError, InvalidRequest, NotAllowed, NotServing, RateLimited
from gateway.failures import names_of, places_of
from gateway.http.asking import ClientGone
from gateway.http.headers import request_id
from gateway.limits import Charged
from store.errors import Conflict, InvalidContent, NotFound, Refused, StoreError, StoreUnavailable

STREAM_ENDED: Final = "stream_ended"
"""Key in a request's state of the status of the error that ended its stream."""
_INVALID: Final = "invalid_request_error"
_SERVER: Final = "server_error"

_CLASSES: dict[type[GatewayError], tuple[int, str]] = {
    InvalidRequest: (400, _INVALID),
    NotAllowed: (401, "authentication_error"),
    RateLimited: (429, "rate_limit_error"),
    BudgetUsed: (429, "insufficient_quota"),
    NotServing: (503, _SERVER),
    DeadlinePassed: (504, _SERVER),
}

_CODES: dict[str, tuple[int, str]] = {
    "not_found": (404, _INVALID),
    "model_not_found": (404, _INVALID),
    "method_not_allowed": (405, _INVALID),
    "request_too_large": (413, _INVALID),
    "host_not_allowed": (421, _INVALID),
    "unsupported_media_type": (415, _INVALID),
    "message_empty": (422, _INVALID),
    "message_too_long": (422, _INVALID),
    "invalid_slot": (422, _INVALID),
    "validation_error": (422, _INVALID),
    "invalid_query": (400, _INVALID),
    "insufficient_scope": (403, "permission_error"),
    "insufficient_role": (403, "permission_error"),
    "precondition_failed": (412, _INVALID),
    "precondition_required": (428, _INVALID),
    "cross_site": (403, "permission_error"),
    "wrong_csrf": (403, "permission_error"),
    "wrong_password": (403, "permission_error"),
    "totp_enrolment_required": (403, "permission_error"),
    "idempotency_key_reused": (422, _INVALID),
    "idempotency_in_progress": (409, _INVALID),
    "idempotency_reply_gone": (409, _INVALID),
    "no_grants": (403, "permission_error"),
    "reason_needed": (422, _INVALID),
    "origin_not_allowed": (403, "permission_error"),
    "answer_gone": (404, _INVALID),
    "conversation_gone": (404, _INVALID),
}
"""Codes whose status differs from that of their class."""

_STORE: dict[type[StoreError], tuple[int, str, str]] = {
    NotFound: (404, _INVALID, "not_found"),
    Refused: (403, "permission_error", "insufficient_role"),
    Conflict: (409, _INVALID, "conflict"),
    InvalidContent: (422, _INVALID, "validation_error"),
}
"""Errors of the store that the admin surface passes on, in the store's words."""

_FOREIGN: dict[int, InvalidRequest] = {
    400: InvalidRequest("bad_request", "The request is malformed."),
    404: InvalidRequest(
        "not_found", "There is nothing at this address. /openapi.json, where pages answer, lists what there is."
    ),
    405: InvalidRequest("method_not_allowed", "This address does not take this method; see the Allow header."),
    413: InvalidRequest("request_too_large", "The request body is larger than this gateway reads."),
}
"""What the web framework finds wrong, in our words."""

_RETRY_DOES_NOT_HELP = frozenset({"rails_unavailable", "deadline_passed", "idempotency_reply_gone"})
"""A check that is broken is not mended by the next second; nor is a caller's impatience; nor does a reply come back."""
_RETRY_AFTER_S = 1.0
_BACK_AFTER_S = {"store_unavailable": 2.0}
"""A database that is restarted, or that another one takes over from, is back in seconds."""
_SHOULD_RETRY = "x-should-retry"
"""OpenAI's clients go by it, whatever the status; without it they ask again after every 409, 429 and 5xx."""

_log = structlog.get_logger("canongate.http")


class ErrorReply(msgspec.Struct, frozen=True):
    """What went wrong, in OpenAI's fields."""

    message: str
    type: str
    param: str | None
    code: str


class EnvelopeReply(msgspec.Struct, frozen=True):
    """OpenAI's error envelope."""

    error: ErrorReply


class ProblemReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    param: str | None
    request_id: str
    found: dict[str, Any] | None = None
    """Of a conflict: what is there now beside what was sent, so that no text is lost."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as callers may know it."""

    status: int
    type: str
    code: str
    message: str
    param: str | None
    headers: dict[str, str]
    found: dict[str, Any] | None = None

    def envelope(self) -> EnvelopeReply:
        """Returns the form that OpenAI clients read."""
        return EnvelopeReply(ErrorReply(self.message, self.type, self.param, self.code))

    def document(self, reference: str) -> ProblemReply:
        """Returns the form of RFC 9457."""
        return ProblemReply(
            type=f"urn:canongate:problem:{self.code}",
            title=self.code.replace("_", " ").capitalize(),
            status=self.status,
            detail=self.message,
            code=self.code,
            param=self.param,
            request_id=reference,
            found=self.found,
        )


def problem_of(error: BaseException, scope: Scope) -> Problem:
    """Returns how an exception is told; one that nobody foresaw is logged, without its text, and becomes a 500."""
    if isinstance(error, HTTPException) and error.status_code in _FOREIGN:
        known = _problem(_FOREIGN[error.status_code])
        allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
        return Problem(known.status, known.type, known.code, known.message, None, allow)
    if isinstance(error, ClientGone):
        return Problem(499, _INVALID, "client_closed_request", "The client left before the answer.", None, {})
    if isinstance(error, GatewayError) and type(error) in _CLASSES:
        return _problem(error)
    if isinstance(error, StoreUnavailable):
        return _problem(NotServing("store_unavailable", "The database does not answer; nothing was changed."))
    if isinstance(error, StoreError) and type(error) in _STORE:
        status, kind, code = _STORE[type(error)]
        if isinstance(error, Refused):
            code = error.code
            status, kind = _CODES.get(code, (status, kind))
        found = dict(error.found) if isinstance(error, Conflict) and error.found is not None else None
        headers = {_SHOULD_RETRY: "false"} if isinstance(error, Conflict) else {}
        return Problem(status, kind, code, str(error), None, headers, found)
    reference = request_id(scope)
    _log.error("unexpected_error", request_id=reference, error=names_of(error), frames=places_of(error))
    message = f"The gateway failed. Tell its operator the request id {reference}."
    return Problem(500, _SERVER, "internal_error", message, None, {_SHOULD_RETRY: "false"})


def problem_of_stream(error: BaseException, scope: Scope) -> Problem:
    """Returns how an error that ends a stream is told, and notes the status that it would have had."""
    problem = problem_of(error, scope)
    scope["state"][STREAM_ENDED] = problem.status
    return problem


def tell_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answers a request that ended in an exception, in the form of its surface."""
    problem = problem_of(error, request.scope)
    if not tells_problems(request.scope["path"]):
        return Response(
            problem.envelope(), status_code=problem.status, media_type="application/json", headers=problem.headers
        )
    return Response(
        problem.document(request_id(request.scope)),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=problem.headers,
    )


def tells_problems(path: str) -> bool:
    """Whether errors at this path are problem documents; elsewhere they are OpenAI's envelope."""
    is_envelope = path in ("/v1", "/widget/v1", "/metrics") or path.startswith(("/v1/", "/widget/v1/"))
    return not is_envelope or path.startswith("/v1/admin/")


def _problem(error: GatewayError) -> Problem:
    status, kind = _CODES.get(error.code) or _CLASSES[type(error)]
    param = error.param if isinstance(error, InvalidRequest) else None
    message = error.message
    return Problem(status, kind, error.code, message, param, _headers(error, status))


def _headers(error: GatewayError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2: a 401 names the scheme
        headers["www-authenticate"] = "Bearer"
    if error.code in _RETRY_DOES_NOT_HELP:
        headers[_SHOULD_RETRY] = "false"
    elif isinstance(error, RateLimited | NotServing):
        told_s = error.retry_after_s
        wait_s = _BACK_AFTER_S.get(error.code, _RETRY_AFTER_S) if told_s is None else told_s
        # No client should sleep until tomorrow: it is told when, and that trying again now is in vain.
        is_worth_it = "false" if isinstance(error, BudgetUsed) else "true"
        headers |= {"retry-after": str(max(1, math.ceil(wait_s))), _SHOULD_RETRY: is_worth_it}
    elif error.code == "idempotency_in_progress":
        headers |= {"retry-after": str(math.ceil(_RETRY_AFTER_S)), _SHOULD_RETRY: "true"}
    if isinstance(error, RateLimited) and error.limit is not None:
        what = "tokens" if isinstance(error, BudgetUsed) else "requests"
        headers |= _rate_headers(what, error.limit, 0, error.retry_after_s)
    return headers


def rate_headers(charged: Charged, *, used_tokens: int = 0) -> dict[str, str]:
    """Returns what a credential has left, under the names and in the units that OpenAI clients know.

    `used_tokens` are those of this very reply, which the budget did not know of before.
    """
    requests, tokens = charged.requests, charged.tokens
    headers = _rate_headers("requests", requests.limit, requests.remaining, requests.reset_s)
    if tokens is not None:
        headers |= _rate_headers("tokens", tokens.limit, max(0, tokens.remaining - used_tokens), tokens.reset_s)
    return headers


def _rate_headers(what: str, limit: int, remaining: int, reset_s: float) -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{what}": str(limit),
        f"x-ratelimit-remaining-{what}": str(remaining),
        f"x-ratelimit-reset-{what}": f"{math.ceil(reset_s)}s",
    }
