"""The caller's own account: mail address, password, authenticator."""

from functools import partial
from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.http.admin.people_bodies import Mail, Password, UserReply, user_reply
from gateway.http.admin.preconditions import etag, rev_of
from gateway.http.admin.session_authenticator import signed_in_of
from gateway.http.admin.sign_in import access_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described

_THREADS = CapacityLimiter(4)
_PROFILE = "/v1/admin/profile"
_ERRORS = (400, 401, 403, 409, 413, 415, 422, 500, 503)
_Parts = NamedDependency[SkipValidation[Components]]


class ProfileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people change themselves; null takes the address away."""

    mail: Mail | None


class PasswordRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password, and the one that takes its place."""

    old: Password
    new: Password


class OwnPasswordRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password once more, since a session may be left open."""

    password: Password


class CodeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator."""

    code: Annotated[str, Meta(min_length=6, max_length=20)]


class EnrolmentReply(msgspec.Struct, frozen=True):
    """What goes into an authenticator app; shown once."""

    secret: str
    """Base32, for typing."""
    address: str
    """`otpauth:`, for a QR code."""


class RecoveryCodesReply(msgspec.Struct, frozen=True):
    """Codes that replace the authenticator once each; shown once."""

    codes: tuple[str, ...]


PROFILE_OPERATIONS = (
    Described(_PROFILE, "get", "get_profile", "Show your account", {JSON: UserReply}, (401, 403, 500, 503)),
    Described(
        _PROFILE,
        "patch",
        "change_profile",
        "Change your mail address",
        {JSON: UserReply},
        (*_ERRORS, 412, 428),
        ProfileRequest,
        ("if-match",),
    ),
    Described(
        f"{_PROFILE}/password",
        "post",
        "change_password",
        "Change your password",
        {JSON: UserReply},
        (*_ERRORS, 429),
        PasswordRequest,
        text="All your other sessions end.",
    ),
    Described(
        f"{_PROFILE}/totp",
        "post",
        "enrol_totp",
        "Begin to enrol an authenticator",
        {JSON: EnrolmentReply},
        (*_ERRORS, 429),
        OwnPasswordRequest,
        text="It counts once its first code was confirmed.",
    ),
    Described(
        f"{_PROFILE}/totp/confirm",
        "post",
        "confirm_totp",
        "Confirm an authenticator with its first code",
        {JSON: RecoveryCodesReply},
        (*_ERRORS, 429),
        CodeRequest,
        text="All your other sessions end.",
    ),
    Described(
        f"{_PROFILE}/totp/disable",
        "post",
        "disable_totp",
        "Take your authenticator away",
        {JSON: UserReply},
        (*_ERRORS, 429),
        OwnPasswordRequest,
    ),
)


@get(_PROFILE, operation_id="get_profile")
async def get_profile(request: Request[Any, Any, Any]) -> Response[UserReply]:
    """Shows the account."""
    user = signed_in_of(request).user
    return Response(user_reply(user), headers=etag(user.rev))


@patch(_PROFILE, operation_id="change_profile")
async def change_profile(request: Request[Any, Any, Any], components: _Parts) -> Response[UserReply]:
    """Changes the address."""
    rev = rev_of(request)
    asked = convert(await read_object(request), ProfileRequest, code="validation_error")
    call = partial(access_of(components).profiles.change_mail, signed_in_of(request), asked.mail, rev=rev)
    user = await to_thread.run_sync(call, limiter=_THREADS)
    return Response(user_reply(user), headers=etag(user.rev))


@post(f"{_PROFILE}/password", status_code=200, operation_id="change_password")
async def change_password(request: Request[Any, Any, Any], components: _Parts) -> UserReply:
    """Changes the password."""
    asked = convert(await read_object(request), PasswordRequest, code="validation_error")
    call = partial(access_of(components).profiles.change_password, signed_in_of(request), asked.old, asked.new)
    return user_reply(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_PROFILE}/totp", status_code=200, operation_id="enrol_totp")
async def enrol_totp(request: Request[Any, Any, Any], components: _Parts) -> EnrolmentReply:
    """Makes a secret for an app."""
    asked = convert(await read_object(request), OwnPasswordRequest, code="validation_error")
    call = partial(access_of(components).profiles.enrol, signed_in_of(request), asked.password)
    made = await to_thread.run_sync(call, limiter=_THREADS)
    return EnrolmentReply(made.secret, made.address)


@post(f"{_PROFILE}/totp/confirm", status_code=200, operation_id="confirm_totp")
async def confirm_totp(request: Request[Any, Any, Any], components: _Parts) -> RecoveryCodesReply:
    """Turns the authenticator on."""
    asked = convert(await read_object(request), CodeRequest, code="validation_error")
    call = partial(access_of(components).profiles.confirm, signed_in_of(request), asked.code)
    return RecoveryCodesReply(await to_thread.run_sync(call, limiter=_THREADS))


@post(f"{_PROFILE}/totp/disable", status_code=200, operation_id="disable_totp")
async def disable_totp(request: Request[Any, Any, Any], components: _Parts) -> UserReply:
    """Takes the authenticator away."""
    asked = convert(await read_object(request), OwnPasswordRequest, code="validation_error")
    call = partial(access_of(components).profiles.disable_totp, signed_in_of(request), asked.password)
    return user_reply(await to_thread.run_sync(call, limiter=_THREADS))
