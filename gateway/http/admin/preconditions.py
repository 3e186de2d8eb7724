"""Optimistic concurrency over HTTP: replies carry the state as ETag, writes say which one they have read."""

import re
from typing import Any

from litestar import Request

from gateway.errors import InvalidRequest

_MOST_DIGITS = 9
_HASH = re.compile(r"[0-9a-f]{64}")


def rev_of(request: Request[Any, Any, Any]) -> int:
    """Returns the state that the caller has read, from If-Match. Raises `InvalidRequest` (428, 412)."""
    bare = _bare(request)
    if not (bare.isascii() and bare.isdigit() and len(bare) <= _MOST_DIGITS):
        raise InvalidRequest("precondition_failed", "If-Match is not the ETag of this. Read it again.")
    return int(bare)


def hash_of(request: Request[Any, Any, Any]) -> str:
    """Returns the hash of the document that the caller has read, from If-Match. Raises `InvalidRequest` (428, 412)."""
    bare = _bare(request)
    if not _HASH.fullmatch(bare):
        raise InvalidRequest("precondition_failed", "If-Match is not the ETag of a document. Read it again.")
    return bare


def etag(rev: int) -> dict[str, str]:
    """Returns the header that tells the state."""
    return {"etag": f'"{rev}"'}


def _bare(request: Request[Any, Any, Any]) -> str:
    sent = request.headers.getall("if-match", [])
    if len(sent) != 1:
        raise InvalidRequest("precondition_required", 'Send If-Match with the ETag that you read, such as "3".')
    return sent[0].strip().removeprefix("W/").strip('"')
