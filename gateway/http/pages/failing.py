"""Tells people what went wrong, on a page: what happened, what is kept, what to do."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.response import Redirect

from gateway.components import Components
from gateway.errors import GatewayError, InvalidRequest, NotAllowed, RateLimited
from gateway.http.pages.forms import Form, Said, keep_form
from gateway.http.pages.kept import Packed, kept_for, typed_in
from gateway.http.pages.page_table import PAGES
from gateway.http.pages.reasons import reason_of
from gateway.http.pages.texts import DEFAULT, Texts
from gateway.http.pages.visit import Visit, visit_of
from gateway.http.problems import Problem, problem_of
from store.errors import Conflict, InvalidContent, StoreError

REFUSALS = (InvalidContent, Conflict, NotAllowed, InvalidRequest, RateLimited)
"""Errors after which a form is shown once more, as it was typed."""
_SIGN_IN = "/admin/sign-in"
_AUTHENTICATOR = "/admin/profile/authenticator"
_PROVIDER = ("/v1/admin/oidc/start", "/v1/admin/oidc/callback")
_CONFLICT, _SERVER_ERROR = 409, 500


def tell_on_page(request: Request[Any, Any, Any], error: Exception, components: Components) -> Response[Any]:
    """Answers a request for a page that ended in an exception."""
    visit = visit_of(request, components)
    problem = problem_of(error, request.scope)
    is_read = request.scope["method"] in ("GET", "HEAD")
    if problem.code == "session_ended":
        return _sign_in_first(visit, is_read=is_read)
    if problem.code == "totp_enrolment_required":
        return Redirect(_AUTHENTICATOR, status_code=303)
    headers = {name: value for name, value in problem.headers.items() if name != "www-authenticate"}
    return visit.show(
        "problem.html",
        status=problem.status,
        headers=headers,
        kind=_kind(problem),
        told=said(visit.texts, error, problem),
        needed=_needed(request) if problem.code == "insufficient_role" else (),
        typed=typed_in(visit.texts, kept_for(keep_form(request), _person(visit))),
    )


def is_way_to_provider(request: Request[Any, Any, Any]) -> bool:
    """Whether a person's browser is on its way to or from a provider of sign-in; a program does not ask for a page."""
    return request.scope["path"] in _PROVIDER and "text/html" in request.headers.get("accept", "")


def tell_of_provider(request: Request[Any, Any, Any], error: Exception, components: Components) -> Response[str]:
    """Says on a page why somebody was not let in by way of the provider, and what to do."""
    visit = visit_of(request, components)
    problem = problem_of(error, request.scope)
    key = f"provider.{problem.code}"
    told = Said(visit.texts(key)) if visit.texts.has(key) else said(visit.texts, error, problem)
    headers = {name: value for name, value in problem.headers.items() if name != "www-authenticate"}
    return visit.show(
        "provider.html", status=problem.status, headers=headers, told=told, provider=_provider(visit), again=_SIGN_IN
    )


def refused(visit: Visit, form: Form, error: Exception, *, at: str = "") -> Form:
    """Returns the form with the error at its field: a service names it first, `at` is for one that names none."""
    problem = problem_of(error, visit.request.scope)
    name, _, rest = str(error).partition(": ")
    if isinstance(error, InvalidContent) and rest and name.isidentifier():
        return form.wrong(name, _words(visit.texts, error, problem, rest), status=problem.status)
    return form.wrong(at, said(visit.texts, error, problem), status=problem.status)


def said(texts: Texts, error: Exception, problem: Problem) -> Said:
    """Returns the words for an error: the language's own for its rule, code or sentence, else the service's."""
    return _words(texts, error, problem, error.message if isinstance(error, GatewayError) else problem.message)


def _words(texts: Texts, error: Exception, problem: Problem, sentence: str) -> Said:
    rule = error.rule if isinstance(error, Conflict | InvalidContent) else ""
    if rule and texts.has(f"rule.{rule}") and texts.language != DEFAULT:
        return Said(texts(f"rule.{rule}"))
    # What is wrong with content only the sentence tells: its code says no more than that something is.
    is_plain = isinstance(error, StoreError) and problem.code in ("conflict", "validation_error")
    if texts.has(f"error.{problem.code}") and not is_plain:
        return Said(texts(f"error.{problem.code}"))
    told = reason_of(texts, sentence)
    return replace(told, text=told.text[:1].upper() + told.text[1:])


def _sign_in_first(visit: Visit, *, is_read: bool) -> Response[Any]:
    """Sends somebody without a session to sign in; what they had typed comes along."""
    request = visit.request
    path = request.scope["path"]
    if is_read:
        if request.headers.get("sec-fetch-site") == "cross-site":
            # What another site began carries no `Strict` cookie: a page of ours begins anew.
            return visit.show("again.html", address=visit.link())
        return Redirect(f"{_SIGN_IN}?next={quote(visit.link())}", status_code=303)
    form = visit.form
    form_page = urlsplit(request.headers.get("referer", ""))._replace(scheme="", netloc="", fragment="").geturl()
    packed = Packed(form.typist, form_page, form.kept())
    if not packed.fields:
        return Redirect(f"{_SIGN_IN}?next={quote('/admin')}", status_code=303)
    kept = packed.written()
    return visit.show("sign_in.html", status=401, form=Form(), next=path, kept=kept, provider=_provider(visit))


def _person(visit: Visit) -> str | None:
    return visit.signed_in.user.id if visit.is_signed_in else None


def _provider(visit: Visit) -> str | None:
    has_services = visit.components is not None and visit.components.administration is not None
    found = visit.access.oidc if has_services else None
    return found.title if found else None


def _kind(problem: Problem) -> str:
    if problem.status >= _SERVER_ERROR:
        return "unavailable" if problem.status != _SERVER_ERROR else "failed"
    known = {401: "refused", 403: "refused", 404: "missing", _CONFLICT: "conflict", 429: "busy"}
    return known.get(problem.status, "malformed")


def _needed(request: Request[Any, Any, Any]) -> list[str]:
    """Returns the roles that open the page."""
    handler = request.scope.get("route_handler")
    method = "GET" if request.scope["method"] == "HEAD" else request.scope["method"]
    roles = {role for path in getattr(handler, "paths", ()) for role in PAGES.get(f"{method} {path}", ())}
    return sorted(role.value for role in roles)
