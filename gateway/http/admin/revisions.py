"""Revisions over REST: what was published, by whom and by which change."""

from functools import partial
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.admin.change_calls import LIST_ERRORS, READ_ERRORS, changing_of, in_thread
from gateway.http.admin.content_bodies import RevisionReply, RevisionsReply, revision_reply
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import Query, whole_number
from gateway.http.described import JSON, Described

_REVISIONS = "/v1/admin/revisions"
_Parts = NamedDependency[SkipValidation[Components]]

REVISION_OPERATIONS = (
    Described(
        _REVISIONS,
        "get",
        "list_revisions",
        "List what was published",
        {JSON: RevisionsReply},
        LIST_ERRORS,
        query=("after", "limit"),
        text="Newest first. Somebody of a tenant sees those that were a change of its documents alone.",
    ),
    Described(
        f"{_REVISIONS}/{{revision}}",
        "get",
        "get_revision",
        "Show what was published at once",
        {JSON: RevisionReply},
        READ_ERRORS,
        parameters=("revision",),
    ),
)


@get(_REVISIONS, operation_id="list_revisions")
async def list_revisions(request: Request[Any, Any, Any], components: _Parts) -> RevisionsReply:
    """Lists revisions."""
    query = Query(request, ("after", "limit"))
    limit, before = query.limit(), query.number("after")
    call = partial(changing_of(components).publications.page, actor_of(request), limit=limit + 1, before=before)
    found = await in_thread(call)
    last = found[limit - 1].revision.number if len(found) > limit else None
    return RevisionsReply(tuple(map(revision_reply, found[:limit])), last)


@get(f"{_REVISIONS}/{{revision:str}}", operation_id="get_revision")
async def get_revision(request: Request[Any, Any, Any], components: _Parts) -> RevisionReply:
    """Shows a revision."""
    number = whole_number(request.path_params["revision"], "revision")
    return revision_reply(await in_thread(partial(changing_of(components).publications.get, actor_of(request), number)))


REVISION_HANDLERS = (list_revisions, get_revision)
