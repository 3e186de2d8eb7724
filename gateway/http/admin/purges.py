"""The purge of what there is of a person, over REST."""

from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import administration_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described

_THREADS = CapacityLimiter(1)


class PurgeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose data goes: the user id that was sent with their messages."""

    user: Annotated[str, Meta(min_length=1, max_length=256)]


class PurgeReply(msgspec.Struct, frozen=True):
    """What went. Backups that were made before still have it."""

    person: str
    """The beginning of the pseudonym, as in the audit trail."""
    counts: dict[str, int]


PURGE_OPERATIONS = (
    Described(
        "/v1/admin/purges",
        "post",
        "purge_person",
        "Delete what there is of a person",
        {JSON: PurgeReply},
        (400, 401, 403, 413, 415, 422, 500, 503),
        PurgeRequest,
        text="Texts go; decisions stay as figures, without the link to the person, conversation and slot values.",
    ),
)


@post("/v1/admin/purges", status_code=200, operation_id="purge_person")
async def purge_person(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> PurgeReply:
    """Purges a person within the caller's assistants."""
    asked = convert(await read_object(request), PurgeRequest, code="validation_error")
    purging = administration_of(components).purging
    report = await to_thread.run_sync(purging.purge, actor_of(request), asked.user, limiter=_THREADS)
    return PurgeReply(report.person, dict(report.counts))
