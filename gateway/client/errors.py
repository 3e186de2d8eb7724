"""What can go wrong with a call, as typed exceptions that say what to do.

CanongateError
├── RequestRefused  the request has to change: a field, the message, the assistant's name
├── NotAllowed      the key is missing, wrong or ended, or lacks a scope
├── RateLimited     too many requests with this key; `retry_after_s` says when there may be more
├── Unavailable     the gateway cannot answer: it is busy, or a check, the matcher or its database is broken
└── Disconnected    no whole reply came: no connection, or it broke, or the time was over
"""

from collections.abc import Mapping
from typing import Final

_ADVICE: Final[Mapping[str, str]] = {
    "budget_exceeded": "Ask again after midnight (UTC), or have the gateway's operator raise the budget.",
    "content_filter": "The message or the answer was blocked: show the text to the person, and do not send it again.",
    "context_length_exceeded": "Shorten the text; nothing was cut.",
    "deadline_passed": "Give the request more time: `x-canongate-timeout-ms` was over before there was an answer.",
    "idempotency_in_progress": "The first request with this key is still at work: wait, and send the same again.",
    "idempotency_key_reused": "Take a new idempotency key: this one belongs to another request.",
    "insufficient_scope": "Have a key made that has the scope which the message names.",
    "invalid_api_key": "Check the key. A new one is made with `canongate key create NAME`.",
    "invalid_slot": "Correct the slot value that the message names.",
    "message_empty": "Send a question as text.",
    "message_too_long": "Shorten the message; nothing was cut.",
    "model_not_found": "Use the name of an assistant that `models()` lists.",
    "not_found": "Check the id that was sent, and the address of the gateway.",
    "overloaded": "Wait as long as `retry_after_s` says, and ask again.",
    "queue_full": "Wait as long as `retry_after_s` says, and ask again.",
    "rails_unavailable": "Asking again does not help: tell the gateway's operator the request id.",
    "store_unavailable": "The gateway's database is away: wait as long as `retry_after_s` says, and ask again.",
    "timed_out": "Ask again with more time, or later.",
}
_BY_TYPE: Final = {
    "authentication_error": "NotAllowed",
    "permission_error": "NotAllowed",
    "rate_limit_error": "RateLimited",
    "server_error": "Unavailable",
}
_SERVER_ERRORS = 500
_BY_STATUS: Final = {401: "NotAllowed", 403: "NotAllowed", 429: "RateLimited"}


class CanongateError(Exception):
    """A call that came to nothing; `code` is stable, the message is for people."""

    default_advice = "Tell the gateway's operator the request id."

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        may_retry: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        """The HTTP status; None when there was none, or when the error came in the middle of a stream."""
        self.param = param
        """The field to change, if it is one."""
        self.request_id = request_id
        """What to tell the operator: the gateway's log has it."""
        self.retry_after_s = retry_after_s
        """How long to wait before the same request may work, where the gateway knows."""
        self.may_retry = may_retry
        """Whether the same request may work later. The client has then asked again already, as often as it may."""

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE.get(self.code, self.default_advice)

    def __str__(self) -> str:
        where = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.message} [{self.code}]{where} {self.advice}"


class RequestRefused(CanongateError):
    """The request has to change before it can be served."""

    default_advice = "Change the field that `param` names, as the message says."


class NotAllowed(CanongateError):
    """The key does not allow this."""

    default_advice = "Use a key that may do this."


class RateLimited(CanongateError):
    """Too many requests with this key."""

    default_advice = "Wait as long as `retry_after_s` says, and send fewer requests."


class Unavailable(CanongateError):
    """The gateway cannot answer now."""

    default_advice = "Ask again later; if it stays, tell the gateway's operator the request id."


class Disconnected(CanongateError):
    """No whole reply came. Whether the gateway has answered is not known; the same idempotency key asks only once."""

    default_advice = "Check that the gateway runs at this address and can be reached."


_CLASSES: Final[Mapping[str, type[CanongateError]]] = {
    one.__name__: one for one in (RequestRefused, NotAllowed, RateLimited, Unavailable)
}


def class_of(kind: str | None, status: int | None) -> type[CanongateError]:
    """Returns the class for an error's type as the gateway names it, or for a status where it named none."""
    if kind in _BY_TYPE:
        return _CLASSES[_BY_TYPE[kind]]
    if status is not None and status >= _SERVER_ERRORS:
        return Unavailable
    return _CLASSES[_BY_STATUS.get(status or 0, "RequestRefused")]
