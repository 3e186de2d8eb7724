"""Places that embed the widget, over REST, for administrators."""

import datetime as dt
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import UNSET, Meta, UnsetType

from gateway.components import Components
from gateway.errors import InvalidRequest, NotServing
from gateway.http.admin.guard import actor_of
from gateway.http.admin.preconditions import etag, rev_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from gateway.widget.clients import NewSecret, WidgetClientService
from store.content import Contact, Line, Name
from store.widgets import (
    MOST_ORIGINS,
    Algorithm,
    ClientId,
    KeyDocument,
    Language,
    SignIn,
    WidgetClient,
    WidgetRates,
    WidgetSettings,
    WidgetTexts,
    WidgetTheme,
)

_THREADS = CapacityLimiter(4)
_CLIENTS = "/v1/admin/widget-clients"
_ONE = _CLIENTS + "/{client_id:str}"
_TOLD = _CLIENTS + "/{client_id}"
_WRITES = (400, 401, 403, 404, 409, 413, 415, 422, 500, 503)
_Parts = NamedDependency[SkipValidation[Components]]
_T = TypeVar("_T")


class WidgetClientRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place that should embed the widget."""

    id: ClientId
    settings: WidgetSettings


class WidgetChangeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that take the place of those before; what is left out stays."""

    title: Line | UnsetType = UNSET
    assistant: Name | UnsetType = UNSET
    origins: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_ORIGINS)] | UnsetType = UNSET
    sign_in: SignIn | UnsetType = UNSET
    algorithm: Algorithm | UnsetType = UNSET
    keys: KeyDocument | UnsetType | None = UNSET
    languages: Annotated[tuple[Language, ...], Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    texts: Annotated[dict[Language, WidgetTexts], Meta(max_length=20)] | UnsetType = UNSET
    contact: Contact | UnsetType | None = UNSET
    theme: WidgetTheme | UnsetType = UNSET
    rates: WidgetRates | UnsetType = UNSET
    max_length: Annotated[int, Meta(ge=1, le=4000)] | UnsetType = UNSET
    feedback: bool | UnsetType = UNSET
    calls_api: bool | UnsetType = UNSET


class RotateSecretRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the secret before goes on."""

    overlap_hours: Annotated[int, Meta(ge=0, le=2160)] = 168
    """0 ends it at once."""


class WidgetSecretReply(msgspec.Struct, frozen=True):
    """A secret without what is secret of it."""

    id: str
    created_at: dt.datetime
    ends_at: dt.datetime | None
    """When it stops counting; null for the newest."""


class WidgetClientReply(msgspec.Struct, frozen=True):
    """A place that embeds the widget. The ETag is `rev`."""

    id: str
    settings: WidgetSettings
    secrets: tuple[WidgetSecretReply, ...]
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    rev: int


class NewWidgetClientReply(msgspec.Struct, frozen=True):
    """A client with the secret that its site signs with, shown this once; null where there is no new one."""

    secret: str | None
    client: WidgetClientReply


class WidgetClientsReply(msgspec.Struct, frozen=True):
    """Widget clients, by id."""

    clients: tuple[WidgetClientReply, ...]


def _switch(verb: str, operation: str, summary: str) -> Described:
    return Described(
        f"{_TOLD}/{verb}",
        "post",
        operation,
        summary,
        {JSON: WidgetClientReply},
        (401, 403, 404, 415, 500, 503),
        parameters=("client_id",),
    )


WIDGET_CLIENT_OPERATIONS = (
    Described(
        _CLIENTS,
        "get",
        "list_widget_clients",
        "List the places that embed the widget",
        {JSON: WidgetClientsReply},
        (401, 403, 500, 503),
    ),
    Described(
        _CLIENTS,
        "post",
        "create_widget_client",
        "Let a place embed the widget",
        {JSON: NewWidgetClientReply},
        (400, 401, 403, 409, 413, 415, 422, 500, 503),
        WidgetClientRequest,
        status=201,
    ),
    Described(
        _TOLD,
        "get",
        "get_widget_client",
        "Show a place that embeds the widget",
        {JSON: WidgetClientReply},
        (401, 403, 404, 500, 503),
        parameters=("client_id",),
    ),
    Described(
        _TOLD,
        "patch",
        "change_widget_client",
        "Change a place that embeds the widget",
        {JSON: NewWidgetClientReply},
        (*_WRITES, 412, 428),
        WidgetChangeRequest,
        ("if-match",),
        parameters=("client_id",),
        text="Counts at once; a session of an origin that is no longer listed ends.",
    ),
    Described(
        f"{_TOLD}/rotate-secret",
        "post",
        "rotate_widget_secret",
        "Make another secret, and let the one before end",
        {JSON: NewWidgetClientReply},
        _WRITES,
        RotateSecretRequest,
        parameters=("client_id",),
    ),
    _switch("disable", "disable_widget_client", "End a client's sessions and serve it no more"),
    _switch("enable", "enable_widget_client", "Serve a client again"),
)


@get(_CLIENTS, operation_id="list_widget_clients")
async def list_widget_clients(request: Request[Any, Any, Any], components: _Parts) -> WidgetClientsReply:
    """Lists the clients of the caller's tenant."""
    found = await to_thread.run_sync(_service(components).all, actor_of(request), limiter=_THREADS)
    return WidgetClientsReply(tuple(map(client_reply, found)))


@post(_CLIENTS, status_code=201, operation_id="create_widget_client")
async def create_widget_client(request: Request[Any, Any, Any], components: _Parts) -> Response[NewWidgetClientReply]:
    """Makes a client."""
    asked = _read(await read_object(request), WidgetClientRequest)
    call = partial(_service(components).create, actor_of(request), asked.id, asked.settings)
    return _new(await to_thread.run_sync(call, limiter=_THREADS), status=201)


@get(_ONE, operation_id="get_widget_client")
async def get_widget_client(
    request: Request[Any, Any, Any], client_id: FromPath[str], components: _Parts
) -> Response[WidgetClientReply]:
    """Shows a client."""
    call = partial(_service(components).get, actor_of(request), client_id)
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


@patch(_ONE, operation_id="change_widget_client")
async def change_widget_client(
    request: Request[Any, Any, Any], client_id: FromPath[str], components: _Parts
) -> Response[NewWidgetClientReply]:
    """Changes a client."""
    rev = rev_of(request)
    asked = _read(await read_object(request), WidgetChangeRequest)
    given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}
    call = partial(_service(components).change, actor_of(request), client_id, given, rev=rev)
    return _new(await to_thread.run_sync(call, limiter=_THREADS), status=200)


@post(f"{_ONE}/rotate-secret", status_code=200, operation_id="rotate_widget_secret")
async def rotate_widget_secret(
    request: Request[Any, Any, Any], client_id: FromPath[str], components: _Parts
) -> Response[NewWidgetClientReply]:
    """Makes the secret that follows."""
    asked = _read(await read_object(request), RotateSecretRequest)
    overlap = dt.timedelta(hours=asked.overlap_hours)
    call = partial(_service(components).rotate, actor_of(request), client_id, overlap=overlap)
    return _new(await to_thread.run_sync(call, limiter=_THREADS), status=200)


@post(f"{_ONE}/disable", status_code=200, operation_id="disable_widget_client")
async def disable_widget_client(
    request: Request[Any, Any, Any], client_id: FromPath[str], components: _Parts
) -> Response[WidgetClientReply]:
    """Serves a client no more."""
    call = partial(_service(components).disable, actor_of(request), client_id)
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_ONE}/enable", status_code=200, operation_id="enable_widget_client")
async def enable_widget_client(
    request: Request[Any, Any, Any], client_id: FromPath[str], components: _Parts
) -> Response[WidgetClientReply]:
    """Serves a client again."""
    call = partial(_service(components).enable, actor_of(request), client_id)
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


WIDGET_CLIENT_HANDLERS = (
    list_widget_clients,
    create_widget_client,
    get_widget_client,
    change_widget_client,
    rotate_widget_secret,
    disable_widget_client,
    enable_widget_client,
)


def client_reply(client: WidgetClient) -> WidgetClientReply:
    """Returns a client as it is told."""
    return WidgetClientReply(
        id=client.id,
        settings=client.settings,
        secrets=tuple(WidgetSecretReply(one.id, one.created_at, one.ends_at) for one in client.secrets),
        created_at=client.created_at,
        disabled_at=client.disabled_at,
        rev=client.rev,
    )


def _read(value: dict[str, Any], kind: type[_T]) -> _T:
    """Returns the body as a wire struct; where a rule of ours is broken, the reply says which."""
    try:
        return convert(value, kind, code="validation_error")
    except InvalidRequest as error:
        broken = error.__cause__.__cause__ if error.__cause__ else None
        if isinstance(broken, ValueError):
            raise InvalidRequest("validation_error", f"{broken}.", param=error.param) from error
        raise


def _service(components: Components) -> WidgetClientService:
    if components.administration is None:
        raise NotServing("store_unavailable", "This gateway runs without its admin surface.")
    return components.administration.widgets


def _shown(client: WidgetClient) -> Response[WidgetClientReply]:
    return Response(client_reply(client), headers=etag(client.rev))


def _new(made: NewSecret, *, status: int) -> Response[NewWidgetClientReply]:
    body = NewWidgetClientReply(made.secret, client_reply(made.client))
    return Response(body, status_code=status, headers=etag(made.client.rev))
