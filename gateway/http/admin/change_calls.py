"""What all routes of changes and documents share: finding the service, reading ids, and telling a change."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from litestar import Request, Response

from gateway.changing.services import Changing
from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.admin.change_replies import ChangeReply, change_reply
from gateway.http.admin.guard import actor_of
from gateway.http.admin.preconditions import etag, rev_of
from gateway.http.admin.queries import administration_of
from store.changes.types import Change, EditKind, Item
from store.errors import NotFound
from store.people import Actor

MOST_BYTES = 1024 * 1024
"""Of a body with a document, which itself may have half of that."""
READ_ERRORS = (401, 403, 404, 500, 503)
LIST_ERRORS = (400, 401, 403, 500, 503)
WRITE_ERRORS = (400, 401, 403, 404, 409, 413, 415, 422, 500, 503)
STEP_ERRORS = (*WRITE_ERRORS, 412, 428)
_THREADS = CapacityLimiter(8)
_T = TypeVar("_T")
Step = Callable[[Changing, Actor, UUID, int], Change]
"""Takes a step with the change of an id, at the rev that the caller has read."""


def changing_of(components: Components) -> Changing:
    """Returns the services of changes. Raises `NotServing` where there are none."""
    return administration_of(components).changing


async def in_thread(call: Callable[[], _T]) -> _T:
    """Returns what a call that blocks returns."""
    return await to_thread.run_sync(call, limiter=_THREADS)


def change_id_of(request: Request[Any, Any, Any]) -> UUID:
    """Returns the change that the path names; what is no id is one that is not there."""
    return known_id(request.path_params["change_id"], "change")


def known_id(text: str, thing: str) -> UUID:
    """Returns an id. Raises `NotFound`."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text:
        raise NotFound(f"there is no such {thing}")
    return found


def query_id(text: str | None, name: str) -> UUID | None:
    """Returns an id of a query parameter. Raises `InvalidRequest`."""
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidRequest("invalid_query", f"`{name}` takes an id.", param=name) from error


def item_of(kind: str, name: str) -> Item:
    """Returns the item of a path. Raises `NotFound` for a kind that there is none of."""
    if kind not in list(EditKind):
        raise NotFound("there is no such kind of document")
    return Item(EditKind(kind), name)


def said_item(text: str | None) -> Item | None:
    """Returns an item that a query names, such as `prompt it.vpn`. Raises `InvalidRequest`."""
    if text is None:
        return None
    kind, _, name = text.partition(" ")
    if kind not in list(EditKind) or not name:
        raise InvalidRequest("invalid_query", "`item` takes a kind and a name, such as `prompt it.vpn`.", param="item")
    return Item(EditKind(kind), name)


async def take_step(request: Request[Any, Any, Any], components: Components, step: Step) -> Response[ChangeReply]:
    """Takes a step over the state that the caller has read, and tells the change as it is then."""
    rev, change_id = rev_of(request), change_id_of(request)
    return await told(request, components, lambda changing, actor: step(changing, actor, change_id, rev))


async def told(
    request: Request[Any, Any, Any],
    components: Components,
    make: Callable[[Changing, Actor], Change],
    *,
    status: int = 200,
) -> Response[ChangeReply]:
    """Writes, and tells the change that came of it; its ETag is its rev."""
    changing, actor = changing_of(components), actor_of(request)

    def write() -> ChangeReply:
        return change_reply(changing.views.of(actor, make(changing, actor)))

    body = await in_thread(write)
    headers = etag(body.change.rev)
    if status == 201:  # noqa: PLR2004 -- something new has an address
        headers["location"] = f"/v1/admin/changes/{body.change.id}"
    return Response(body, status_code=status, headers=headers)
