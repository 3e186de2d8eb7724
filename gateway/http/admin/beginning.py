"""The first publish of an empty store over REST."""

from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import administration_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from store.formats.bundle_file import MAX_BYTES, Writing

_THREADS = CapacityLimiter(1)
_ADDRESS = "/v1/admin/beginning"


class BeginningReply(msgspec.Struct, frozen=True):
    """Whether the store still waits for its first publish."""

    is_open: bool
    """Whether nothing was ever published."""
    has_example: bool
    """Whether the example help desk is installed here."""


class BeginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is published first: one of the two."""

    example: bool = False
    bundle: dict[str, Any] | None = None
    """As a bundle file in JSON has it."""


class BegunReply(msgspec.Struct, frozen=True):
    """What was published. It is live as soon as its matcher is fitted; `/readyz` tells."""

    revision: int
    documents: int


BEGINNING_OPERATIONS = (
    Described(
        _ADDRESS,
        "get",
        "get_beginning",
        "Tell whether the store still waits for its first publish",
        {JSON: BeginningReply},
        (401, 403, 500, 503),
    ),
    Described(
        _ADDRESS,
        "post",
        "begin",
        "Publish the example or a bundle into an empty store",
        {JSON: BegunReply},
        (400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        BeginRequest,
        status=201,
        text="For an administrator of everything, and only while nothing was ever published: afterwards it is a 409 "
        "`conflict`, and everything goes through changes. No second person approves it; the audit trail has it as "
        "`content.begun`. No key may do it. Everything in the bundle is checked as `canongate import` does.",
    ),
)


@get(_ADDRESS, operation_id="get_beginning")
async def get_beginning(components: NamedDependency[SkipValidation[Components]]) -> BeginningReply:
    """Tells whether anything was ever published."""
    beginning = administration_of(components).beginning
    return BeginningReply(await to_thread.run_sync(beginning.is_open, limiter=_THREADS), beginning.has_example)


@post(_ADDRESS, status_code=201, operation_id="begin", request_max_body_size=MAX_BYTES)
async def begin(request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]) -> BegunReply:
    """Publishes what the store begins with."""
    asked = convert(await read_object(request), BeginRequest, code="validation_error")
    beginning, actor = administration_of(components).beginning, actor_of(request)
    if asked.example is (asked.bundle is not None):
        raise InvalidRequest("validation_error", "Send either `example: true` or a `bundle`.", param="bundle")
    if asked.bundle is None:
        report = await to_thread.run_sync(beginning.with_example, actor, limiter=_THREADS)
    else:
        data = msgspec.json.encode(asked.bundle)
        report = await to_thread.run_sync(beginning.with_bundle, actor, data, Writing.JSON, limiter=_THREADS)
    return BegunReply(report.revision, len(report.added))


BEGINNING_HANDLERS = (get_beginning, begin)
