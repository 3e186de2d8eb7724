"""People's own accounts: password, authenticator, sessions, how pages look."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.access.profiles import Enrolment
from gateway.http.pages.browsers import browser_of
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.look import Density, Theme
from gateway.http.pages.qr import qr_path
from gateway.http.pages.visit import Crumb, Visit
from gateway.http.sign_in_room import in_turn

_Asked = NamedDependency[SkipValidation[Visit]]
_PROFILE = "/admin/profile"
_AUTHENTICATOR = _PROFILE + "/authenticator"


@get(_PROFILE, operation_id="profile_page")
async def profile_page(visit: _Asked) -> Response[str]:
    """Shows the account."""
    return await _profile(visit, Form())


@post(f"{_PROFILE}/password", operation_id="change_password_on_page")
async def change_password_on_page(visit: _Asked) -> Response[Any]:
    """Changes the password."""
    form = visit.form
    if form.secret("new") != form.secret("again"):
        return await _profile(visit, form.wrong("again", Said(visit.texts("profile.not_the_same"))))
    call = partial(visit.access.profiles.change_password, visit.signed_in, form.secret("old"), form.secret("new"))
    try:
        await in_turn(call)
    except REFUSALS as error:
        at = "old" if getattr(error, "code", "") == "wrong_password" else "new"
        return await _profile(visit, refused(visit, form, error, at=at))
    return visit.go(_PROFILE, done="password_changed")


@post(f"{_PROFILE}/sessions/end", operation_id="end_session_on_page")
async def end_session_on_page(visit: _Asked) -> Response[Any]:
    """Ends one of the person's own sessions."""
    await visit.call(visit.access.keeper.end, visit.actor, visit.form.text("session"))
    return visit.go(_PROFILE, done="session_ended")


@get(_AUTHENTICATOR, operation_id="authenticator_page")
async def authenticator_page(visit: _Asked) -> Response[str]:
    """Tells whether there is an authenticator, and begins to enrol one."""
    return _authenticator(visit, Form())


@post(_AUTHENTICATOR, status_code=200, operation_id="enrol_on_page")
async def enrol_on_page(visit: _Asked) -> Response[str]:
    """Makes a secret, which is shown this once."""
    form = visit.form
    try:
        made = await in_turn(partial(visit.access.profiles.enrol, visit.signed_in, form.secret("password")))
    except REFUSALS as error:
        return _authenticator(visit, refused(visit, form, error, at="password"))
    return _confirm(visit, Form(), made)


@post(f"{_AUTHENTICATOR}/confirm", status_code=200, operation_id="confirm_on_page")
async def confirm_on_page(visit: _Asked) -> Response[str]:
    """Turns the authenticator on; the recovery codes are shown this once."""
    form = visit.form
    try:
        codes = await visit.call(visit.access.profiles.confirm, visit.signed_in, form.text("code"))
    except REFUSALS as error:
        return _confirm(visit, refused(visit, form, error, at="code"), None)
    return visit.show("recovery_codes.html", codes=codes, crumbs=_crumbs(visit))


@post(f"{_AUTHENTICATOR}/disable", operation_id="disable_on_page")
async def disable_on_page(visit: _Asked) -> Response[Any]:
    """Takes the authenticator away."""
    form = visit.form
    try:
        await in_turn(partial(visit.access.profiles.disable_totp, visit.signed_in, form.secret("password")))
    except REFUSALS as error:
        return _authenticator(visit, refused(visit, form, error, at="password"))
    return visit.go(_PROFILE, done="authenticator_gone")


async def _profile(visit: Visit, form: Form) -> Response[str]:
    sessions = await visit.call(visit.access.keeper.of, visit.actor)
    return visit.show(
        "profile.html",
        status=form.status,
        form=form,
        sessions=sessions,
        browser=browser_of,
        themes=list(Theme),
        densities=list(Density),
    )


def _authenticator(visit: Visit, form: Form) -> Response[str]:
    is_needed = visit.access.profiles.must_enrol(visit.signed_in)
    return visit.show("authenticator.html", status=form.status, form=form, is_needed=is_needed, crumbs=_crumbs(visit))


def _confirm(visit: Visit, form: Form, made: Enrolment | None) -> Response[str]:
    """Without a secret, which is shown once, the code alone is asked for again."""
    return visit.show(
        "confirm.html",
        status=form.status,
        form=form,
        made=made,
        qr=qr_path(made.address) if made else None,
        crumbs=_crumbs(visit),
    )


def _crumbs(visit: Visit) -> tuple[Crumb, ...]:
    return () if visit.access.profiles.must_enrol(visit.signed_in) else (Crumb(visit.texts("profile.title"), _PROFILE),)
