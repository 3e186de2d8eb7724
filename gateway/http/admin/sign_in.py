"""Signing in and out with a password, and the sessions that come of it."""

import datetime as dt
from functools import partial
from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import Meta

from gateway.access.services import Access
from gateway.access.sessions import NewSession, SignedIn
from gateway.access.signing_in import Attempt
from gateway.components import Components
from gateway.http.admin.guard import actor_of
from gateway.http.admin.people_bodies import Password, UserReply, user_reply
from gateway.http.admin.queries import administration_of
from gateway.http.admin.session_authenticator import signed_in_of
from gateway.http.bodies import convert, read_object
from gateway.http.client_address import client_address
from gateway.http.cookies import Cookies
from gateway.http.described import JSON, Described
from gateway.http.sign_in_room import in_turn
from store.accounts import Session

_THREADS = CapacityLimiter(4)
_SESSION = "/v1/admin/session"
_Parts = NamedDependency[SkipValidation[Components]]


class SignInRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants in."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    """The name or the mail address."""
    password: Password
    code: Annotated[str, Meta(min_length=6, max_length=40)] | None = None
    """Of the authenticator, or a recovery code; needed once one is enrolled."""


class SessionReply(msgspec.Struct, frozen=True):
    """A session. `csrf` goes into the header `x-canongate-csrf` of every write."""

    id: str
    csrf: str
    user: UserReply
    method: str
    expires_at: dt.datetime
    """At the latest; 30 minutes without a request end it too."""
    must_enrol: bool
    """Whether an authenticator must be enrolled before anything else."""


class SessionEntryReply(msgspec.Struct, frozen=True):
    """One of the caller's sessions."""

    id: str
    method: str
    agent: str
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    is_this: bool


class SessionsReply(msgspec.Struct, frozen=True):
    """The caller's sessions, newest first."""

    sessions: tuple[SessionEntryReply, ...]


class SetupRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time token and the password that it sets."""

    token: Annotated[str, Meta(min_length=1, max_length=100)]
    password: Password


SIGN_IN_OPERATIONS = (
    Described(
        _SESSION,
        "post",
        "sign_in",
        "Sign in with a password",
        {JSON: SessionReply},
        (400, 401, 403, 413, 415, 422, 429, 500, 503),
        SignInRequest,
        needs_key=False,
        status=201,
        text="Sets the session cookie. Code `code_required` means that the password was right and a code is missing.",
    ),
    Described(_SESSION, "get", "get_session", "Show this session", {JSON: SessionReply}, (401, 403, 500, 503)),
    Described(_SESSION, "delete", "sign_out", "Sign out", {}, (401, 403, 404, 415, 500, 503), status=204),
    Described(
        "/v1/admin/sessions", "get", "list_sessions", "List own sessions", {JSON: SessionsReply}, (401, 403, 500, 503)
    ),
    Described(
        "/v1/admin/sessions/{session_id}",
        "delete",
        "end_session",
        "End one of your own sessions",
        {},
        (401, 403, 404, 415, 500, 503),
        parameters=("session_id",),
        status=204,
    ),
    Described(
        "/v1/admin/setup",
        "post",
        "set_password",
        "Set a password with a one-time token",
        {JSON: UserReply},
        (400, 401, 403, 413, 415, 422, 500, 503),
        SetupRequest,
        needs_key=False,
    ),
)


@post(_SESSION, status_code=201, operation_id="sign_in")
async def sign_in(request: Request[Any, Any, Any], components: _Parts) -> Response[SessionReply]:
    """Lets somebody in."""
    access, asked = access_of(components), convert(await read_object(request), SignInRequest, code="validation_error")
    cookies = cookies_of(access)
    attempt = Attempt(
        name=asked.name,
        password=asked.password,
        code=asked.code,
        address=client_address(request, access.proxies),
        agent=request.headers.get("user-agent", ""),
        device=cookies.read(request, cookies.device),
        old_token=cookies.read(request, cookies.session),
    )
    welcome = await in_turn(partial(access.sign_in.sign_in, attempt))
    reply = welcome_reply(access, welcome.session)
    reply.set_cookie(cookies.set_device(welcome.device))
    return reply


@get(_SESSION, operation_id="get_session")
async def get_session(request: Request[Any, Any, Any], components: _Parts) -> SessionReply:
    """Shows the session, with the token that writes need."""
    return session_reply(access_of(components), signed_in_of(request))


@delete(_SESSION, status_code=204, operation_id="sign_out")
async def sign_out(request: Request[Any, Any, Any], components: _Parts) -> Response[None]:
    """Ends this session."""
    access = access_of(components)
    call = partial(access.keeper.end, actor_of(request), signed_in_of(request).session.id)
    await to_thread.run_sync(call, limiter=_THREADS)
    cookies = cookies_of(access)
    return Response(None, status_code=204, cookies=[cookies.drop(cookies.session)])


@get("/v1/admin/sessions", operation_id="list_sessions")
async def list_sessions(request: Request[Any, Any, Any], components: _Parts) -> SessionsReply:
    """Lists the caller's sessions."""
    this = signed_in_of(request).session.id
    found = await to_thread.run_sync(access_of(components).keeper.of, actor_of(request), limiter=_THREADS)
    return SessionsReply(tuple(_entry(one, this) for one in found))


@delete("/v1/admin/sessions/{session_id:str}", status_code=204, operation_id="end_session")
async def end_session(request: Request[Any, Any, Any], session_id: FromPath[str], components: _Parts) -> None:
    """Ends one of the caller's sessions."""
    call = partial(access_of(components).keeper.end, actor_of(request), session_id)
    await to_thread.run_sync(call, limiter=_THREADS)


@post("/v1/admin/setup", status_code=200, operation_id="set_password")
async def set_password(request: Request[Any, Any, Any], components: _Parts) -> UserReply:
    """Sets a first or a new password."""
    asked = convert(await read_object(request), SetupRequest, code="validation_error")
    call = partial(access_of(components).profiles.set_up, asked.token, asked.password)
    return user_reply(await in_turn(call))


def access_of(components: Components) -> Access:
    """Returns the services behind sign-in, people and keys. Raises `NotServing` where there are none."""
    return administration_of(components).access


def cookies_of(access: Access) -> Cookies:
    """Returns the names and attributes of cookies."""
    return Cookies(is_plain=access.has_plain_cookies)


def session_reply(access: Access, signed_in: SignedIn) -> SessionReply:
    """Returns a session as it is told to whoever holds it."""
    return SessionReply(
        id=signed_in.session.id,
        csrf=signed_in.csrf,
        user=user_reply(signed_in.user),
        method=signed_in.session.method,
        expires_at=signed_in.session.expires_at,
        must_enrol=access.profiles.must_enrol(signed_in),
    )


def welcome_reply(access: Access, made: NewSession) -> Response[SessionReply]:
    """Returns the reply that begins a session."""
    cookie = cookies_of(access).set_session(made.token)
    return Response(session_reply(access, made.signed_in), status_code=201, cookies=[cookie])


def _entry(session: Session, this: str) -> SessionEntryReply:
    return SessionEntryReply(
        id=session.id,
        method=session.method,
        agent=session.agent,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        is_this=session.id == this,
    )
