"""Signing in at an OpenID provider: the way there, and the way back."""

from functools import partial
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.access.oidc import OidcSignIn
from gateway.access.tries import network_of
from gateway.components import Components
from gateway.errors import InvalidRequest, NotAllowed
from gateway.http.admin.sign_in import access_of, cookies_of
from gateway.http.client_address import client_address
from gateway.http.described import HTML, JSON, TEXT, Described
from store.errors import NotFound

_THREADS = CapacityLimiter(4)
_OIDC = "/v1/admin/oidc"
_MOST_CHARS = 2000
_Parts = NamedDependency[SkipValidation[Components]]
_AFTERWARDS = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/admin/"><title>Signed in</title>
<p>You are signed in. <a href="/admin/">Go on</a></p></html>
"""
"""Not a redirect: what another site began carries no `Strict` cookie, a page of ours begins anew."""


class ProviderReply(msgspec.Struct, frozen=True):
    """Whether there is sign-in at a provider, and what its button says."""

    is_on: bool
    title: str | None


OIDC_OPERATIONS = (
    Described(
        _OIDC,
        "get",
        "get_provider",
        "Tell whether there is sign-in at a provider",
        {JSON: ProviderReply},
        (500, 503),
        needs_key=False,
    ),
    Described(
        f"{_OIDC}/start",
        "get",
        "start_oidc",
        "Go to the provider to sign in",
        {},
        (404, 429, 500, 503),
        needs_key=False,
        status=303,
    ),
    Described(
        f"{_OIDC}/callback",
        "get",
        "finish_oidc",
        "Come back from the provider, signed in",
        {HTML: TEXT},
        (400, 401, 403, 404, 500, 503),
        needs_key=False,
        query=("state", "code", "error"),
    ),
)


@get(_OIDC, operation_id="get_provider")
async def get_provider(components: _Parts) -> ProviderReply:
    """Tells what a sign-in page needs to know."""
    found = access_of(components).oidc
    return ProviderReply(is_on=found is not None, title=found.title if found else None)


@get(f"{_OIDC}/start", status_code=303, operation_id="start_oidc")
async def start_oidc(request: Request[Any, Any, Any], components: _Parts) -> Response[None]:
    """Sends the browser to the provider."""
    access, oidc = access_of(components), _oidc(components)
    access.oidc_tries.take([f"address {network_of(client_address(request, access.proxies))}"])
    address, browser = await to_thread.run_sync(oidc.start, limiter=_THREADS)
    cookie = cookies_of(access).set_sign_in(browser)
    return Response(None, status_code=303, headers={"location": address}, cookies=[cookie])


@get(f"{_OIDC}/callback", operation_id="finish_oidc")
async def finish_oidc(request: Request[Any, Any, Any], components: _Parts) -> Response[str]:
    """Begins a session."""
    access, oidc = access_of(components), _oidc(components)
    cookies = cookies_of(access)
    if "error" in request.query_params:
        raise NotAllowed("sign_in_failed", "The provider did not let you in. Begin again.")
    call = partial(
        oidc.finish,
        state=_one(request, "state"),
        code=_one(request, "code"),
        browser=cookies.read(request, cookies.sign_in) or "",
        agent=request.headers.get("user-agent", ""),
        old_token=cookies.read(request, cookies.session),
    )
    made = await to_thread.run_sync(call, limiter=_THREADS)
    set_cookies = [cookies.set_session(made.token), cookies.drop(cookies.sign_in)]
    return Response(_AFTERWARDS, media_type=HTML, cookies=set_cookies)


def _oidc(components: Components) -> OidcSignIn:
    found = access_of(components).oidc
    if found is None:
        raise NotFound("there is no sign-in at a provider here; the settings name none")
    return found


def _one(request: Request[Any, Any, Any], name: str) -> str:
    sent = request.query_params.getall(name, [])
    if len(sent) != 1 or not 0 < len(sent[0]) <= _MOST_CHARS:
        raise InvalidRequest("invalid_query", f"`{name}` is needed, once.", param=name)
    return str(sent[0])
