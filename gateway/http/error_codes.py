"""The stable codes of errors: what each means, and whether the same request may come through later."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Surface(StrEnum):
    """Where a code may come from."""

    QUESTIONS = "questions"
    """`/v1`, for programs with a key."""
    WIDGET = "widget"
    """`/widget/v1`, for pages that embed the widget."""
    ADMIN = "admin"
    """`/v1/admin`."""
    PAGES = "pages"
    """Pages for people, and everything outside `/v1`."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code. It never changes its meaning; a message may change its words."""

    name: str
    status: int
    text: str
    surfaces: frozenset[Surface]
    is_worth_repeating: bool = False


_ALL = frozenset(Surface)
_API = frozenset({Surface.QUESTIONS, Surface.ADMIN})
_QUESTIONS = frozenset({Surface.QUESTIONS})
_ASKED = frozenset({Surface.QUESTIONS, Surface.WIDGET})
_ANY_API = _API | _ASKED
_WIDGET = frozenset({Surface.WIDGET})
_ADMIN = frozenset({Surface.ADMIN, Surface.PAGES})
_PAGES = frozenset({Surface.PAGES})

ERROR_CODES: Final = (
    ErrorCode("bad_request", 400, "the request is malformed", _ALL),
    ErrorCode("invalid_json", 400, "the body is not a JSON object", _ANY_API),
    ErrorCode("invalid_header", 400, "a header has a value that it does not take; `param` names it", _ASKED),
    ErrorCode("invalid_value", 400, "a field of a chat completion has a value that it does not take", _QUESTIONS),
    ErrorCode("unknown_parameter", 400, "a chat completion has a field that does not exist", _QUESTIONS),
    ErrorCode("unsupported_parameter", 400, "approved prompts do not do this: tools, images, `n` above 1", _QUESTIONS),
    ErrorCode("context_length_exceeded", 400, "the message of a chat completion is too long", _QUESTIONS),
    ErrorCode("content_filter", 400, "blocked, and `x-canongate-on-block: error` asked for an error", _QUESTIONS),
    ErrorCode("invalid_idempotency_key", 400, "Idempotency-Key takes 1 to 255 printable characters, once", _ANY_API),
    ErrorCode("invalid_query", 400, "a parameter of the address has a value that it does not take", _ADMIN),
    ErrorCode("two_credentials", 400, "a session and an API key came together", _ADMIN),
    ErrorCode("rows_invalid", 400, "a file of rows cannot be read; the message says where", _ADMIN),
    ErrorCode("time_needed", 400, "a time is missing", _PAGES),
    ErrorCode("invalid_form", 400, "the form is malformed", _PAGES),
    ErrorCode("invalid_api_key", 401, "the key is missing, wrong, expired or revoked", _API),
    ErrorCode("identity_invalid", 401, "the visitor's token was not accepted; get a new one", _WIDGET),
    ErrorCode("session_expired", 401, "the visitor's session is over; begin a new one", _WIDGET),
    ErrorCode("session_ended", 401, "the session is over", _ADMIN),
    ErrorCode("sign_in_failed", 401, "name, password or provider did not let you in", _ADMIN),
    ErrorCode("sign_in_expired", 401, "the sign-in took too long", _ADMIN),
    ErrorCode("code_required", 401, "the code of the authenticator is missing", _ADMIN),
    ErrorCode("code_wrong", 401, "the code of the authenticator is wrong", _ADMIN),
    ErrorCode("invalid_setup_token", 401, "the one-time token is wrong, used or too old", _ADMIN),
    ErrorCode("origin_not_allowed", 403, "the page's origin is not in the client's list", _WIDGET),
    ErrorCode("insufficient_scope", 403, "the key lacks the scope that the operation names", _API),
    ErrorCode("insufficient_role", 403, "no role of yours allows this", _ADMIN),
    ErrorCode("everywhere_needed", 403, "your role holds in some areas, and this belongs to none", _ADMIN),
    ErrorCode("admin_needed", 403, "this needs an administrator", _ADMIN),
    ErrorCode("person_needed", 403, "no key may do this, only a person", _ADMIN),
    ErrorCode("own_change", 403, "whoever edited a change does not approve or publish it", _ADMIN),
    ErrorCode("no_grants", 403, "your provider knows you, and your groups give nothing here", _ADMIN),
    ErrorCode("cross_site", 403, "another site posted this", _ADMIN),
    ErrorCode("wrong_csrf", 403, "the session's token is missing or from another session", _ADMIN),
    ErrorCode("wrong_password", 403, "the password is wrong", _ADMIN),
    ErrorCode("totp_enrolment_required", 403, "your role needs an authenticator first", _ADMIN),
    ErrorCode("not_found", 404, "there is no such thing, or you may not know of it", _ALL),
    ErrorCode("answer_gone", 404, "the answer is not kept any more, or was never asked for", _WIDGET),
    ErrorCode("conversation_gone", 404, "the conversation is not kept any more", _WIDGET),
    ErrorCode("model_not_found", 404, "there is no such assistant for this key", _QUESTIONS),
    ErrorCode("method_not_allowed", 405, "the address takes other methods; see Allow", _ALL),
    ErrorCode("conflict", 409, "somebody else changed it, or its state does not allow this", _API),
    ErrorCode(
        "idempotency_in_progress",
        409,
        "the first request with this key is still at work",
        _API,
        is_worth_repeating=True,
    ),
    ErrorCode(
        "idempotency_reply_gone", 409, "the first request with this key was done, and its reply was not kept", _API
    ),
    ErrorCode("precondition_failed", 412, "If-Match names another state than the one that is there", _ADMIN),
    ErrorCode("request_too_large", 413, "the body is too large", _ALL),
    ErrorCode("unsupported_media_type", 415, "the body has another type than the operation takes", _ALL),
    ErrorCode("host_not_allowed", 421, "the gateway does not answer under that host name", _ALL),
    ErrorCode("message_empty", 422, "there is nothing in the message", _ASKED),
    ErrorCode("message_too_long", 422, "the message is too long", _ASKED),
    ErrorCode("invalid_slot", 422, "a value does not fit its blank; `param` names it", _ASKED),
    ErrorCode("validation_error", 422, "a field is missing, unknown or has a wrong value; `param` names it", _ANY_API),
    ErrorCode("idempotency_key_reused", 422, "the key belongs to another request", _ANY_API),
    ErrorCode("reason_needed", 422, "say why", _ADMIN),
    ErrorCode("precondition_required", 428, "this needs If-Match with the state that was read", _ADMIN),
    ErrorCode("rate_limit_exceeded", 429, "too many requests; wait for Retry-After", _ALL, is_worth_repeating=True),
    ErrorCode("budget_exceeded", 429, "the tokens of this day (UTC) are used up; ask again tomorrow", _ASKED),
    ErrorCode("client_closed_request", 499, "the client left before the answer; it never sees this", _ASKED),
    ErrorCode("internal_error", 500, "the gateway failed; tell its operator the request id", _ALL),
    ErrorCode("queue_full", 503, "too many requests are in work; wait for Retry-After", _ALL, is_worth_repeating=True),
    ErrorCode(
        "overloaded", 503, "more comes than can be answered; wait for Retry-After", _ALL, is_worth_repeating=True
    ),
    ErrorCode(
        "revision_not_confirmed",
        503,
        "this gateway cannot tell whether what it serves is what is published",
        _ALL,
        is_worth_repeating=True,
    ),
    ErrorCode("matcher_unavailable", 503, "the matcher was too slow or failed", _ALL, is_worth_repeating=True),
    ErrorCode("embedder_unavailable", 503, "the embedder was too slow or failed", _QUESTIONS, is_worth_repeating=True),
    ErrorCode("assistant_unavailable", 503, "the client's assistant is not live", _WIDGET, is_worth_repeating=True),
    ErrorCode("rails_unavailable", 503, "a check is broken, so the answer is no", _ALL),
    ErrorCode(
        "store_unavailable", 503, "the database does not answer; wait for Retry-After", _ALL, is_worth_repeating=True
    ),
    ErrorCode("not_serving", 503, "this part of the gateway does not run here", _ALL, is_worth_repeating=True),
    ErrorCode("provider_unavailable", 503, "the sign-in provider does not answer", _ADMIN, is_worth_repeating=True),
    ErrorCode("deadline_passed", 504, "the time that `x-canongate-timeout-ms` gave was over: give more", _QUESTIONS),
)


def codes_of(surface: Surface, status: int) -> tuple[ErrorCode, ...]:
    """Returns the codes that may come with a status from there."""
    return tuple(one for one in ERROR_CODES if one.status == status and surface in one.surfaces)
