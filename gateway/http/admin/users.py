"""People over REST, for administrators."""

import datetime as dt
from functools import partial
from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import Meta

from gateway.access.users import Invited
from gateway.components import Components
from gateway.http.admin.guard import actor_of
from gateway.http.admin.people_bodies import AssistantName, GrantBody, Mail, Name, UserReply, user_reply
from gateway.http.admin.preconditions import etag, rev_of
from gateway.http.admin.queries import Query
from gateway.http.admin.sign_in import access_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from store.accounts import User

_THREADS = CapacityLimiter(4)
_USERS = "/v1/admin/users"
_ONE = _USERS + "/{user_id:str}"
_TOLD = _USERS + "/{user_id}"
_WRITES = (400, 401, 403, 404, 409, 413, 415, 422, 500, 503)
_Parts = NamedDependency[SkipValidation[Components]]
Grants = Annotated[tuple[GrantBody, ...], Meta(max_length=50)]
Assistants = Annotated[tuple[AssistantName, ...], Meta(max_length=200)]


class UserRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody new."""

    name: Name
    mail: Mail | None = None
    grants: Grants = ()
    assistants: Assistants = ()


class GrantsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All roles and the whole tenant of a user, in place of those before."""

    grants: Grants
    assistants: Assistants


class InvitedReply(msgspec.Struct, frozen=True):
    """A user and the token with which they set a password, shown once."""

    user: UserReply
    token: str
    expires_at: dt.datetime


class UsersReply(msgspec.Struct, frozen=True):
    """Users, oldest first. `next` is what to send as `after` for more; null at the end."""

    users: tuple[UserReply, ...]
    next: str | None


def _write(verb: str, operation: str, summary: str, reply: Any, text: str = "") -> Described:
    return Described(
        f"{_TOLD}/{verb}", "post", operation, summary, {JSON: reply}, _WRITES, parameters=("user_id",), text=text
    )


def _conditional(verb: str, operation: str, summary: str) -> Described:
    return Described(
        f"{_TOLD}/{verb}",
        "post",
        operation,
        summary,
        {JSON: UserReply},
        (*_WRITES, 412, 428),
        headers=("if-match",),
        parameters=("user_id",),
    )


USER_OPERATIONS = (
    Described(
        _USERS,
        "get",
        "list_users",
        "List people",
        {JSON: UsersReply},
        (400, 401, 403, 500, 503),
        query=("after", "limit"),
    ),
    Described(
        _USERS,
        "post",
        "create_user",
        "Make a user, with a token to set a password",
        {JSON: InvitedReply},
        (400, 401, 403, 409, 413, 415, 422, 500, 503),
        UserRequest,
        status=201,
    ),
    Described(
        _TOLD, "get", "get_user", "Show a user", {JSON: UserReply}, (401, 403, 404, 500, 503), parameters=("user_id",)
    ),
    Described(
        f"{_TOLD}/grants",
        "put",
        "give_grants",
        "Replace a user's roles and tenant",
        {JSON: UserReply},
        (*_WRITES, 412, 428),
        GrantsRequest,
        ("if-match",),
        parameters=("user_id",),
        text="The user's sessions end. Nobody changes their own roles.",
    ),
    _conditional("disable", "disable_user", "Keep a user out, at once"),
    _conditional("enable", "enable_user", "Let a user in again"),
    _write("reset-password", "reset_password", "Take a user's password away", InvitedReply, "Their sessions end."),
    _write("reset-totp", "reset_totp", "Take a user's authenticator away", UserReply, "Their sessions end."),
)


@get(_USERS, operation_id="list_users")
async def list_users(request: Request[Any, Any, Any], components: _Parts) -> UsersReply:
    """Lists the people of the caller's tenant."""
    query = Query(request, ("after", "limit"))
    limit = query.limit()
    call = partial(
        access_of(components).users.page, actor_of(request), limit=limit + 1, after=query.text("after") or ""
    )
    found = await to_thread.run_sync(call, limiter=_THREADS)
    return UsersReply(
        users=tuple(map(user_reply, found[:limit])), next=found[limit - 1].id if len(found) > limit else None
    )


@post(_USERS, status_code=201, operation_id="create_user")
async def create_user(request: Request[Any, Any, Any], components: _Parts) -> Response[InvitedReply]:
    """Makes a user."""
    asked = convert(await read_object(request), UserRequest, code="validation_error")
    call = partial(
        access_of(components).users.create,
        actor_of(request),
        asked.name,
        mail=asked.mail,
        grants=[one.grant for one in asked.grants],
        assistants=asked.assistants,
    )
    return _invited(await to_thread.run_sync(call, limiter=_THREADS), status=201)


@get(_ONE, operation_id="get_user")
async def get_user(request: Request[Any, Any, Any], user_id: FromPath[str], components: _Parts) -> Response[UserReply]:
    """Shows a user."""
    call = partial(access_of(components).users.get, actor_of(request), user_id)
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


@put(f"{_ONE}/grants", operation_id="give_grants")
async def give_grants(
    request: Request[Any, Any, Any], user_id: FromPath[str], components: _Parts
) -> Response[UserReply]:
    """Replaces roles and tenant."""
    rev = rev_of(request)
    asked = convert(await read_object(request), GrantsRequest, code="validation_error")
    call = partial(
        access_of(components).users.give,
        actor_of(request),
        user_id,
        grants=[one.grant for one in asked.grants],
        assistants=asked.assistants,
        rev=rev,
    )
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_ONE}/disable", status_code=200, operation_id="disable_user")
async def disable_user(
    request: Request[Any, Any, Any], user_id: FromPath[str], components: _Parts
) -> Response[UserReply]:
    """Keeps a user out."""
    call = partial(access_of(components).users.disable, actor_of(request), user_id, rev=rev_of(request))
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_ONE}/enable", status_code=200, operation_id="enable_user")
async def enable_user(
    request: Request[Any, Any, Any], user_id: FromPath[str], components: _Parts
) -> Response[UserReply]:
    """Lets a user in again."""
    call = partial(access_of(components).users.enable, actor_of(request), user_id, rev=rev_of(request))
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_ONE}/reset-password", status_code=200, operation_id="reset_password")
async def reset_password(
    request: Request[Any, Any, Any], user_id: FromPath[str], components: _Parts
) -> Response[InvitedReply]:
    """Takes the password away."""
    call = partial(access_of(components).users.reset_password, actor_of(request), user_id)
    return _invited(await to_thread.run_sync(call, limiter=_THREADS), status=200)


@post(f"{_ONE}/reset-totp", status_code=200, operation_id="reset_totp")
async def reset_totp(
    request: Request[Any, Any, Any], user_id: FromPath[str], components: _Parts
) -> Response[UserReply]:
    """Takes the authenticator away."""
    call = partial(access_of(components).users.reset_totp, actor_of(request), user_id)
    return _shown(await to_thread.run_sync(call, limiter=_THREADS))


def _shown(user: User) -> Response[UserReply]:
    return Response(user_reply(user), headers=etag(user.rev))


def _invited(made: Invited, *, status: int) -> Response[InvitedReply]:
    body = InvitedReply(user_reply(made.user), made.token, made.expires_at)
    return Response(body, status_code=status, headers=etag(made.user.rev))
