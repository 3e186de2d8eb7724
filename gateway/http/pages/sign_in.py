"""Signing in and out, and the first password: the pages that lead to all others."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.access.signing_in import Attempt, Welcome
from gateway.errors import NotAllowed
from gateway.http.client_address import client_address
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.guard import is_page_path
from gateway.http.pages.kept import typed_in, unpack
from gateway.http.pages.look import Look
from gateway.http.pages.visit import Visit, csrf_of
from gateway.http.sign_in_room import in_turn

_Asked = NamedDependency[SkipValidation[Visit]]
_SIGN_IN = "/admin/sign-in"
_SETUP = "/admin/setup"
_HOME = "/admin"
_LONGEST_PATH = 1000


@get(_SIGN_IN, operation_id="sign_in_page")
async def sign_in_page(visit: _Asked) -> Response[str]:
    """Asks for name and password."""
    return _ask(visit, Form(), next_path=visit.request.query_params.get("next", ""))


@post(_SIGN_IN, status_code=200, operation_id="sign_in_on_page")
async def sign_in_on_page(visit: _Asked) -> Response[Any]:
    """Lets somebody in: with a password, then with a code if there is an authenticator."""
    form = visit.form
    next_path = form.text("next")
    try:
        ticket = visit.access.tickets.open(form.text("ticket")) if form.text("ticket") else None
        name, password = (ticket.name, ticket.password) if ticket else (form.text("name"), form.secret("password"))
        code = form.text("code") if ticket else None
        if not name or not password or code == "":
            return _ask(visit, form.wrong("", Said(visit.texts("sign_in.incomplete"))), next_path=next_path)
        welcome = await in_turn(partial(visit.access.sign_in.sign_in, _attempt(visit, name, password, code)))
    except NotAllowed as error:
        if error.code == "code_required":
            made = visit.access.tickets.make(name, password)
            return _ask(visit, form, next_path=next_path, ticket=made)
        again = form.text("ticket") if error.code == "code_wrong" else ""
        return _ask(visit, refused(visit, form, error), next_path=next_path, ticket=again)
    except REFUSALS as error:
        return _ask(visit, refused(visit, form, error), next_path=next_path, ticket=form.text("ticket"))
    return _welcome(visit, welcome, next_path=next_path)


@post("/admin/sign-out", operation_id="sign_out_on_page")
async def sign_out_on_page(visit: _Asked) -> Response[Any]:
    """Ends this session."""
    await visit.call(visit.access.keeper.end, visit.actor, visit.signed_in.session.id)
    return visit.go(_SIGN_IN, done="signed_out", cookies=[visit.cookies.drop(visit.cookies.session)])


@get(_SETUP, operation_id="setup_page")
async def setup_page(visit: _Asked) -> Response[str]:
    """Asks for a one-time token and a password."""
    return visit.show("setup.html", form=Form())


@post(_SETUP, status_code=200, operation_id="set_up_on_page")
async def set_up_on_page(visit: _Asked) -> Response[Any]:
    """Sets a first or a new password."""
    form = visit.form
    if form.secret("password") != form.secret("again"):
        form = form.wrong("again", Said(visit.texts("profile.not_the_same")))
        return visit.show("setup.html", status=form.status, form=form)
    call = partial(visit.access.profiles.set_up, form.text("token"), form.secret("password"))
    try:
        await in_turn(call)
    except REFUSALS as error:
        at = "token" if isinstance(error, NotAllowed) else "password"
        form = refused(visit, form, error, at=at)
        return visit.show("setup.html", status=form.status, form=form)
    return visit.go(_SIGN_IN, done="password_set")


@post("/admin/look", operation_id="choose_look")
async def choose_look(visit: _Asked) -> Response[Any]:
    """Keeps in the browser how pages look."""
    chosen = Look.of(
        "&".join(f"{name}={visit.form.text(name)}" for name in ("language", "theme", "density", "shortcuts"))
    )
    back = safe_path(visit.form.text("next"))
    return visit.go(back, done="look_kept", cookies=[visit.cookies.set_look(chosen.cookie())])


def safe_path(text: str) -> str:
    """Returns an address of ours to go to; whatever else is asked for leads to the first page."""
    is_ours = is_page_path(text.partition("?")[0]) and text.isprintable() and "\\" not in text and ".." not in text
    return text if is_ours and len(text) <= _LONGEST_PATH else _HOME


def _attempt(visit: Visit, name: str, password: str, code: str | None) -> Attempt:
    cookies, request = visit.cookies, visit.request
    return Attempt(
        name=name,
        password=password,
        code=code,
        address=client_address(request, visit.access.proxies),
        agent=request.headers.get("user-agent", ""),
        device=cookies.read(request, cookies.device),
        old_token=cookies.read(request, cookies.session),
    )


def _ask(visit: Visit, form: Form, *, next_path: str, ticket: str = "") -> Response[str]:
    oidc = visit.access.oidc
    return visit.show(
        "code.html" if ticket else "sign_in.html",
        status=form.status,
        form=form,
        ticket=ticket,
        next=safe_path(next_path),
        kept=form.text("kept"),
        provider=oidc.title if oidc else None,
    )


def _welcome(visit: Visit, welcome: Welcome, *, next_path: str) -> Response[Any]:
    """Goes on; what was typed before the session ended is shown, to be sent once more."""
    cookies = [visit.cookies.set_session(welcome.session.token), visit.cookies.set_device(welcome.device)]
    path, packed, signed_in = safe_path(next_path), unpack(visit.form.text("kept")), welcome.session.signed_in
    page = safe_path(packed.page)
    if not packed.fields:
        return visit.go(path, cookies=cookies)
    if packed.typist != signed_in.user.id:
        return visit.go(page, cookies=cookies)
    return visit.show(
        "resume.html",
        cookies=cookies,
        next=path,
        page=page,
        kept=packed.fields,
        typist=packed.typist,
        typed=typed_in(visit.texts, packed.fields),
        new_csrf=csrf_of(signed_in),
    )
