"""Changes over REST: finding them, making them, and editing what is in them."""

from functools import partial
from typing import Any

from litestar import Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.admin.change_calls import (
    LIST_ERRORS,
    MOST_BYTES,
    READ_ERRORS,
    STEP_ERRORS,
    WRITE_ERRORS,
    change_id_of,
    changing_of,
    in_thread,
    item_of,
    query_id,
    said_item,
    take_step,
    told,
)
from gateway.http.admin.change_replies import (
    ChangeReply,
    ChangesReply,
    EditReply,
    EditsReply,
    change_reply,
    edit_reply,
    head_reply,
)
from gateway.http.admin.change_requests import ChangePatchRequest, ChangeRequest, CommentRequest, EditRequest
from gateway.http.admin.guard import actor_of
from gateway.http.admin.preconditions import etag
from gateway.http.admin.queries import Query
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from store.changes.types import ChangeState, Edit

_CHANGES = "/v1/admin/changes"
_ONE = _CHANGES + "/{change_id:str}"
_TOLD = _CHANGES + "/{change_id}"
_EDIT = _ONE + "/edits/{kind:str}/{name:str}"
_EDIT_TOLD = _TOLD + "/edits/{kind}/{name}"
_FILTERS = ("state", "author", "item", "after", "limit")
_NAMED = ("change_id", "kind", "name")
_Parts = NamedDependency[SkipValidation[Components]]
_IF_MATCH = "If-Match is the change's ETag. A 409 has both texts in `found`. "
_AGAIN = "What was approved or in review is a draft again afterwards, and the caller is one of its authors."

CHANGE_OPERATIONS = (
    Described(
        _CHANGES,
        "get",
        "list_changes",
        "List changes",
        {JSON: ChangesReply},
        LIST_ERRORS,
        query=_FILTERS,
        text="Newest first. `state` takes states with commas between, `author` a person, `item` such as "
        "`prompt it.vpn`.",
    ),
    Described(
        _CHANGES,
        "post",
        "create_change",
        "Make an empty change",
        {JSON: ChangeReply},
        WRITE_ERRORS,
        ChangeRequest,
        status=201,
    ),
    Described(
        _TOLD,
        "get",
        "get_change",
        "Show a change, what it would do, and what can be done with it",
        {JSON: ChangeReply},
        READ_ERRORS,
        parameters=("change_id",),
        text="Its ETag is its `rev`.",
    ),
    Described(
        _TOLD,
        "patch",
        "describe_change",
        "Give a change another title or note",
        {JSON: ChangeReply},
        STEP_ERRORS,
        ChangePatchRequest,
        ("if-match",),
        parameters=("change_id",),
        text=_IF_MATCH + _AGAIN,
    ),
    Described(
        f"{_TOLD}/edits",
        "get",
        "list_edits",
        "List all edits of a change",
        {JSON: EditsReply},
        (*READ_ERRORS, 400),
        parameters=("change_id",),
        query=("after", "limit"),
    ),
    Described(_EDIT_TOLD, "get", "get_edit", "Show one edit", {JSON: EditReply}, READ_ERRORS, parameters=_NAMED),
    Described(
        _EDIT_TOLD,
        "put",
        "put_edit",
        "Put a document into a change",
        {JSON: ChangeReply},
        STEP_ERRORS,
        EditRequest,
        ("if-match",),
        parameters=_NAMED,
        text=_IF_MATCH + _AGAIN,
    ),
    Described(
        _EDIT_TOLD,
        "delete",
        "delete_edit",
        "Take a document out of a change",
        {JSON: ChangeReply},
        STEP_ERRORS,
        None,
        ("if-match",),
        parameters=_NAMED,
        text=_IF_MATCH + _AGAIN,
    ),
    Described(
        f"{_TOLD}/comments",
        "post",
        "comment_on_change",
        "Say something about a change",
        {JSON: ChangeReply},
        WRITE_ERRORS,
        CommentRequest,
        parameters=("change_id",),
        status=201,
        text="Moves nothing, so it needs no If-Match.",
    ),
)


@get(_CHANGES, operation_id="list_changes")
async def list_changes(request: Request[Any, Any, Any], components: _Parts) -> ChangesReply:
    """Lists the changes that the caller may know of."""
    query = Query(request, _FILTERS)
    call = partial(
        changing_of(components).drafts.page,
        actor_of(request),
        limit=query.limit(),
        after=query_id(query.text("after"), "after"),
        states=_states(query.text("state")),
        author=query.text("author"),
        item=said_item(query.text("item")),
    )
    found = await in_thread(call)
    return ChangesReply(tuple(map(head_reply, found.changes)), found.next)


@post(_CHANGES, status_code=201, operation_id="create_change")
async def create_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Makes a change."""
    asked = convert(await read_object(request), ChangeRequest, code="validation_error")
    return await told(
        request,
        components,
        lambda changing, actor: changing.drafts.create(actor, asked.title, note=asked.note),
        status=201,
    )


@get(_ONE, operation_id="get_change")
async def get_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Shows a change."""
    call = partial(changing_of(components).views.get, actor_of(request), change_id_of(request))
    body = change_reply(await in_thread(call))
    return Response(body, headers=etag(body.change.rev))


@patch(_ONE, operation_id="describe_change")
async def describe_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Changes title and note."""
    asked = convert(await read_object(request), ChangePatchRequest, code="validation_error")
    return await take_step(
        request,
        components,
        lambda changing, actor, one, rev: changing.drafts.describe(
            actor, one, rev=rev, title=asked.title, note=asked.note
        ),
    )


@get(f"{_ONE}/edits", operation_id="list_edits")
async def list_edits(request: Request[Any, Any, Any], components: _Parts) -> Response[EditsReply]:
    """Lists edits."""
    query = Query(request, ("after", "limit"))
    limit, after = query.limit(), said_item(query.text("after"))
    call = partial(
        changing_of(components).views.edits, actor_of(request), change_id_of(request), limit=limit + 1, after=after
    )
    change, found = await in_thread(call)
    last = str(found[limit - 1].edit.item) if len(found) > limit else None
    return Response(EditsReply(tuple(map(edit_reply, found[:limit])), last), headers=etag(change.rev))


@get(_EDIT, operation_id="get_edit")
async def get_edit(request: Request[Any, Any, Any], components: _Parts) -> Response[EditReply]:
    """Shows an edit; its ETag is the change's."""
    item = item_of(request.path_params["kind"], request.path_params["name"])
    call = partial(changing_of(components).views.edit, actor_of(request), change_id_of(request), item)
    change, found = await in_thread(call)
    return Response(edit_reply(found), headers=etag(change.rev))


@put(_EDIT, operation_id="put_edit", request_max_body_size=MOST_BYTES)
async def put_edit(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Puts an edit into a change."""
    item = item_of(request.path_params["kind"], request.path_params["name"])
    asked = convert(await read_object(request), EditRequest, code="validation_error")
    edit = Edit(item.kind, item.name, asked.document, asked.base)
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.drafts.add_edit(actor, one, edit, rev=rev)
    )


@delete(_EDIT, status_code=200, operation_id="delete_edit")
async def delete_edit(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Takes an edit out of a change."""
    item = item_of(request.path_params["kind"], request.path_params["name"])
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.drafts.remove_edit(actor, one, item, rev=rev)
    )


@post(f"{_ONE}/comments", status_code=201, operation_id="comment_on_change")
async def comment_on_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Adds a comment."""
    asked = convert(await read_object(request), CommentRequest, code="validation_error")
    one = change_id_of(request)
    return await told(
        request,
        components,
        lambda changing, actor: changing.drafts.comment(actor, one, asked.text, place=asked.place),
        status=201,
    )


CHANGE_HANDLERS = (
    list_changes,
    create_change,
    get_change,
    describe_change,
    list_edits,
    get_edit,
    put_edit,
    delete_edit,
    comment_on_change,
)


def _states(text: str | None) -> tuple[ChangeState, ...]:
    names = [] if text is None else text.split(",")
    if unknown := [name for name in names if name not in list(ChangeState)]:
        known = ", ".join(ChangeState)
        one = "One" if len(unknown) == 1 else f"{len(unknown)}"
        message = f"`state` takes these, with commas between: {known}. {one} of those sent is none of them."
        raise InvalidRequest("invalid_query", message, param="state")
    return tuple(ChangeState(name) for name in names)
