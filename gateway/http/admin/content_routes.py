"""The same routes for every kind of document: lists, one, its versions, and edits that go into a change."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.admin.change_calls import MOST_BYTES, changing_of, in_thread, query_id, told
from gateway.http.admin.change_replies import ChangeReply
from gateway.http.admin.content_bodies import (
    DocumentReply,
    DocumentRequest,
    DocumentsReply,
    OneVersionReply,
    VersionsReply,
    document_head_reply,
    document_reply,
    one_version_reply,
    version_reply,
)
from gateway.http.admin.guard import actor_of
from gateway.http.admin.preconditions import hash_of
from gateway.http.admin.queries import Query, whole_number
from gateway.http.bodies import convert, read_object
from store.changes.lists import Wanted
from store.changes.types import EditKind, Item

_Parts = NamedDependency[SkipValidation[Components]]
_Request = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class ContentKind:
    """A kind of document and the names of its routes."""

    kind: EditKind
    path: str
    """Such as `prompts`."""
    one: str
    """Such as `prompt`, as operations are called."""
    parameter: str
    filters: tuple[str, ...]

    @property
    def address(self) -> str:
        """Where the list is."""
        return f"/v1/admin/{self.path}"

    @property
    def queries(self) -> tuple[str, ...]:
        """Everything that a list takes."""
        return ("search", *self.filters, "after", "limit")

    def item(self, request: _Request) -> Item:
        """Returns what the path names; what is no name is looked for, and is not there."""
        name = request.path_params[self.parameter]
        return Item(self.kind, name if name.isprintable() else "?")


def content_handlers(of: ContentKind) -> tuple[HTTPRouteHandler, ...]:
    """Makes the handlers of a kind."""
    return (*_reading(of), *_history(of), *_drafting(of))


def _reading(of: ContentKind) -> tuple[HTTPRouteHandler, ...]:
    @get(of.address, operation_id=f"list_{of.path}")
    async def list_documents(request: _Request, components: _Parts) -> DocumentsReply:
        query = Query(request, of.queries)
        limit, after = query.limit(), query.text("after")
        filters = {name: query.text(name) for name in of.filters}
        wanted = Wanted(query.text("search"), filters.get("area"), filters.get("assistant"))
        pages = changing_of(components).contents.page
        found = await in_thread(partial(pages, actor_of(request), of.kind, wanted, limit=limit + 1, after=after))
        last = found[limit - 1].name if len(found) > limit else None
        return DocumentsReply(tuple(map(document_head_reply, found[:limit])), last)

    @get(f"{of.address}/{{{of.parameter}:str}}", operation_id=f"get_{of.one}")
    async def get_document(request: _Request, components: _Parts) -> Response[DocumentReply]:
        change = _change(request)
        contents = changing_of(components).contents
        found = await in_thread(partial(contents.get, actor_of(request), of.item(request), change))
        return Response(document_reply(found), headers={"etag": f'"{found.digest}"'})

    return (list_documents, get_document)


def _history(of: ContentKind) -> tuple[HTTPRouteHandler, ...]:
    versions = f"{of.address}/{{{of.parameter}:str}}/versions"

    @get(versions, operation_id=f"list_{of.one}_versions")
    async def list_versions(request: _Request, components: _Parts) -> VersionsReply:
        query = Query(request, ("after", "limit"))
        limit, before = query.limit(), query.number("after")
        contents = changing_of(components).contents
        call = partial(contents.versions, actor_of(request), of.item(request), limit=limit + 1, before=before)
        found = await in_thread(call)
        last = found[limit - 1].number if len(found) > limit else None
        return VersionsReply(tuple(map(version_reply, found[:limit])), last)

    @get(f"{versions}/{{number:str}}", operation_id=f"get_{of.one}_version")
    async def get_version(request: _Request, components: _Parts) -> OneVersionReply:
        number = whole_number(request.path_params["number"], f"version of a {of.one}")
        contents = changing_of(components).contents
        return one_version_reply(
            await in_thread(partial(contents.version, actor_of(request), of.item(request), number))
        )

    return (list_versions, get_version)


def _drafting(of: ContentKind) -> tuple[HTTPRouteHandler, ...]:
    one = f"{of.address}/{{{of.parameter}:str}}"

    @post(of.address, status_code=201, operation_id=f"create_{of.one}", request_max_body_size=MOST_BYTES)
    async def create_document(request: _Request, components: _Parts) -> Response[ChangeReply]:
        change = _change(request)
        document = convert(await read_object(request), DocumentRequest, code="validation_error").document
        return await told(
            request,
            components,
            lambda changing, actor: changing.contents.create(actor, of.kind, document, change_id=change),
            status=201,
        )

    @put(one, operation_id=f"replace_{of.one}", request_max_body_size=MOST_BYTES)
    async def replace_document(request: _Request, components: _Parts) -> Response[ChangeReply]:
        change, item, read = _change(request), of.item(request), hash_of(request)
        document = convert(await read_object(request), DocumentRequest, code="validation_error").document
        return await told(
            request,
            components,
            lambda changing, actor: changing.contents.replace(actor, item, document, read=read, change_id=change),
        )

    @delete(one, status_code=200, operation_id=f"remove_{of.one}")
    async def remove_document(request: _Request, components: _Parts) -> Response[ChangeReply]:
        change, item, read = _change(request), of.item(request), hash_of(request)
        return await told(
            request,
            components,
            lambda changing, actor: changing.contents.remove(actor, item, read=read, change_id=change),
        )

    return (create_document, replace_document, remove_document)


def _change(request: _Request) -> UUID | None:
    return query_id(Query(request, ("change",)).text("change"), "change")
