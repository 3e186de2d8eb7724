"""Who the caller is, as this gateway sees it."""

from typing import Any

import msgspec
from litestar import Request, get

from gateway.http.admin.guard import actor_of
from gateway.http.admin.people_bodies import GrantReply, actor_grants
from gateway.http.described import JSON, Described


class WhoamiReply(msgspec.Struct, frozen=True):
    """The caller of this request."""

    id: str
    name: str
    person: str
    grants: tuple[GrantReply, ...]
    assistants: tuple[str, ...]


WHOAMI_OPERATIONS = (
    Described("/v1/admin/whoami", "get", "whoami", "Tell who is asking", {JSON: WhoamiReply}, (401, 403, 500, 503)),
)


@get("/v1/admin/whoami", operation_id="whoami")
async def whoami(request: Request[Any, Any, Any]) -> WhoamiReply:
    """Returns the caller and what it may do."""
    actor = actor_of(request)
    return WhoamiReply(
        id=actor.id,
        name=actor.name,
        person=actor.person,
        grants=actor_grants(actor),
        assistants=tuple(sorted(actor.assistants)),
    )
