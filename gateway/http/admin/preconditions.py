"""Optimistic concurrency over HTTP: replies carry the state as ETag, writes say which one they have read."""

from typing import Any

from litestar import Request

from gateway.errors import InvalidRequest

_MOST_DIGITS = 9


def rev_of(request: Request[Any, Any, Any]) -> int:
    """Returns the state that the caller has read, from If-Match. Raises `InvalidRequest` (428, 412)."""
    sent = request.headers.getall("if-match", [])
    if len(sent) != 1:
        raise InvalidRequest("precondition_required", 'Send If-Match with the ETag that you read, such as "3".')
    bare = sent[0].strip().removeprefix("W/").strip('"')
    if not (bare.isascii() and bare.isdigit() and len(bare) <= _MOST_DIGITS):
        raise InvalidRequest("precondition_failed", "If-Match is not the ETag of this. Read it again.")
    return int(bare)


def etag(rev: int) -> dict[str, str]:
    """Returns the header that tells the state."""
    return {"etag": f'"{rev}"'}
