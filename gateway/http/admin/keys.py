"""API keys over REST, for administrators."""

import datetime as dt
from functools import partial
from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import Meta

from gateway.access.keys import MOST_TOKENS, KeyWish
from gateway.components import Components
from gateway.credentials import NewKey
from gateway.errors import InvalidRequest
from gateway.http.admin.guard import actor_of
from gateway.http.admin.people_bodies import AssistantName
from gateway.http.admin.queries import Query
from gateway.http.admin.sign_in import access_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from store.types import STANDARD_RATE, ApiKey, KeyScope

_THREADS = CapacityLimiter(4)
_KEYS = "/v1/admin/keys"
_ONE = _KEYS + "/{key_id:str}"
_TOLD = _KEYS + "/{key_id}"
_WRITES = (400, 401, 403, 404, 409, 413, 415, 422, 500, 503)
_Parts = NamedDependency[SkipValidation[Components]]
KeyName = Annotated[str, Meta(min_length=1, max_length=200)]


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that should be. Its maker answers for what it does."""

    name: KeyName
    client: KeyName | None = None
    """Who uses it; the name when left out. Several keys of a client live side by side."""
    scopes: Annotated[tuple[KeyScope, ...], Meta(min_length=1, max_length=8)] = (KeyScope.CHAT,)
    assistants: Annotated[tuple[AssistantName, ...], Meta(max_length=200)] = ()
    """Assistants it may talk to; none means all."""
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """Ends after so many days; null means never."""
    rate_class: Annotated[str, Meta(min_length=1, max_length=40)] = STANDARD_RATE
    tokens_per_day: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] | None = None
    """Tokens of the model that it may use in a day (UTC); null means any number."""


class RotateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the old key goes on."""

    overlap_hours: Annotated[int, Meta(ge=0, le=2160)] = 168
    """0 ends it at once."""


class KeyReply(msgspec.Struct, frozen=True):
    """A key without its secret."""

    id: str
    name: str
    client: str
    owner: str | None
    """Id of the user who answers for it; null for keys that are older than that."""
    scopes: tuple[KeyScope, ...]
    assistants: tuple[str, ...]
    rate_class: str
    tokens_per_day: int | None
    """Tokens of the model that it may use in a day (UTC); null means any number."""
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None
    """Within some minutes."""
    tokens_today: int | None = None
    """Tokens of today's decisions; null in lists and for a key without a budget."""


class NewKeyReply(msgspec.Struct, frozen=True):
    """A key with its token, which is shown this once."""

    token: str
    key: KeyReply


class KeysReply(msgspec.Struct, frozen=True):
    """Keys, oldest first. `next` is what to send as `after` for more; null at the end."""

    keys: tuple[KeyReply, ...]
    next: str | None


KEY_OPERATIONS = (
    Described(
        _KEYS,
        "get",
        "list_keys",
        "List API keys",
        {JSON: KeysReply},
        (400, 401, 403, 500, 503),
        query=("client", "after", "limit"),
    ),
    Described(
        _KEYS,
        "post",
        "create_key",
        "Make an API key",
        {JSON: NewKeyReply},
        (400, 401, 403, 409, 413, 415, 422, 500, 503),
        KeyRequest,
        status=201,
        text="A key never gets more than its maker has, and is never more than its owner is.",
    ),
    Described(
        _TOLD, "get", "get_key", "Show an API key", {JSON: KeyReply}, (401, 403, 404, 500, 503), parameters=("key_id",)
    ),
    Described(
        f"{_TOLD}/rotate",
        "post",
        "rotate_key",
        "Make another key like it, and let the old one end",
        {JSON: NewKeyReply},
        _WRITES,
        RotateRequest,
        parameters=("key_id",),
        status=201,
    ),
    Described(
        f"{_TOLD}/revoke",
        "post",
        "revoke_key",
        "End an API key, at once",
        {JSON: KeyReply},
        (401, 403, 404, 415, 500, 503),
        parameters=("key_id",),
    ),
)


@get(_KEYS, operation_id="list_keys")
async def list_keys(request: Request[Any, Any, Any], components: _Parts) -> KeysReply:
    """Lists the keys of the caller's tenant."""
    query = Query(request, ("client", "after", "limit"))
    limit, client, after = query.limit(), query.text("client"), query.text("after")
    found = await to_thread.run_sync(access_of(components).keys.all, actor_of(request), limiter=_THREADS)
    wanted = [one for one in found if client in (None, one.client)]
    if after is not None:
        ids = [one.id for one in wanted]
        if after not in ids:
            raise InvalidRequest("invalid_query", "`after` is no id of a key here.", param="after")
        wanted = wanted[ids.index(after) + 1 :]
    page = wanted[:limit]
    return KeysReply(tuple(map(key_reply, page)), page[-1].id if len(wanted) > limit else None)


@post(_KEYS, status_code=201, operation_id="create_key")
async def create_key(request: Request[Any, Any, Any], components: _Parts) -> NewKeyReply:
    """Makes a key."""
    asked = convert(await read_object(request), KeyRequest, code="validation_error")
    wish = KeyWish(
        name=asked.name,
        client=asked.client or "",
        scopes=tuple(dict.fromkeys(asked.scopes)),
        assistants=asked.assistants,
        lifetime=dt.timedelta(days=asked.days) if asked.days else None,
        rate_class=asked.rate_class,
        tokens_per_day=asked.tokens_per_day,
    )
    call = partial(access_of(components).keys.create, actor_of(request), wish)
    return _new(await to_thread.run_sync(call, limiter=_THREADS))


@get(_ONE, operation_id="get_key")
async def get_key(request: Request[Any, Any, Any], key_id: FromPath[str], components: _Parts) -> KeyReply:
    """Shows a key."""
    call = partial(access_of(components).keys.used, actor_of(request), key_id)
    key, tokens_today = await to_thread.run_sync(call, limiter=_THREADS)
    return key_reply(key, tokens_today)


@post(f"{_ONE}/rotate", status_code=201, operation_id="rotate_key")
async def rotate_key(request: Request[Any, Any, Any], key_id: FromPath[str], components: _Parts) -> NewKeyReply:
    """Makes the key that follows."""
    asked = convert(await read_object(request), RotateRequest, code="validation_error")
    overlap = dt.timedelta(hours=asked.overlap_hours)
    call = partial(access_of(components).keys.rotate, actor_of(request), key_id, overlap=overlap)
    return _new(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_ONE}/revoke", status_code=200, operation_id="revoke_key")
async def revoke_key(request: Request[Any, Any, Any], key_id: FromPath[str], components: _Parts) -> KeyReply:
    """Ends a key."""
    call = partial(access_of(components).keys.revoke, actor_of(request), key_id)
    return key_reply(await to_thread.run_sync(call, limiter=_THREADS))


def key_reply(key: ApiKey, tokens_today: int | None = None) -> KeyReply:
    """Returns a key as it is told."""
    return KeyReply(
        id=key.id,
        name=key.name,
        client=key.client,
        owner=key.owner,
        scopes=key.scopes,
        assistants=key.assistants,
        rate_class=key.rate_class,
        tokens_per_day=key.tokens_per_day,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        tokens_today=tokens_today,
    )


def _new(made: NewKey) -> NewKeyReply:
    return NewKeyReply(made.token, key_reply(made.record))
