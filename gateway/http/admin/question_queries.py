"""Reads what the review routes take beside a body: filters, pages, and the state that a write has read."""

from enum import StrEnum
from typing import Any, TypeVar

from litestar import Request

from gateway.errors import InvalidRequest

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_MOST_DIGITS = 9
_Choice = TypeVar("_Choice", bound=StrEnum)


def text_of(request: Request[Any, Any, Any], name: str) -> str | None:
    """Returns a query parameter, None when it is not there or empty. Raises `InvalidRequest` when it is too long."""
    value = request.query_params.get(name)
    if value is not None and (len(value) > 200 or "\0" in value):  # noqa: PLR2004 - as long as a phrasing
        raise InvalidRequest("validation_error", f"{name} has at most 200 characters.", param=name)
    return value or None


def number_of(request: Request[Any, Any, Any], name: str, default: int, *, most: int) -> int:
    """Returns a whole number from 1 to `most`. Raises `InvalidRequest`."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS) or not 1 <= int(value) <= most:
        raise InvalidRequest("validation_error", f"{name} is a whole number from 1 to {most}.", param=name)
    return int(value)


def limit_of(request: Request[Any, Any, Any]) -> int:
    """Returns how many items a page has. Raises `InvalidRequest`."""
    return number_of(request, "limit", DEFAULT_LIMIT, most=MAX_LIMIT)


def choice_of(
    request: Request[Any, Any, Any], name: str, kind: type[_Choice], default: _Choice | None
) -> _Choice | None:
    """Returns one of the names, None for `any`. Raises `InvalidRequest`."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value == "any":
        return None
    try:
        return kind(value)
    except ValueError as error:
        names = ", ".join(one.value for one in kind)
        raise InvalidRequest("validation_error", f"{name} is one of: {names}, any.", param=name) from error


def rev_of(request: Request[Any, Any, Any]) -> int:
    """Returns the state that the caller has read, from If-Match. Raises `InvalidRequest` (428, 412)."""
    header = request.headers.get("if-match")
    if header is None:
        raise InvalidRequest("precondition_required", 'Send If-Match with the ETag that you read, such as "3".')
    bare = header.strip().removeprefix("W/").strip('"')
    if not (bare.isascii() and bare.isdigit() and len(bare) <= _MOST_DIGITS):
        raise InvalidRequest("precondition_failed", "If-Match is not the ETag of this. Read it again.")
    return int(bare)
