"""Which routes answer at which listener, where people who administer have one of their own."""

from collections.abc import Iterable
from enum import StrEnum

from litestar.handlers import HTTPRouteHandler

from gateway.http.access import PUBLIC_ROUTES, ROUTE_SCOPES
from gateway.http.admin.guard import PREFIX as ADMIN_CALLS
from gateway.http.pages.guard import is_page_path
from gateway.http.widget.origins import is_widget_path


class Listener(StrEnum):
    """A place where the gateway listens."""

    DATA = "data"
    """`server.host` and `server.port`: questions, the widget, the try-it form."""
    ADMIN = "admin"
    """`server.admin_listen`: pages, sign-in, `/v1/admin`, metrics, documentation."""


EVERYWHERE = frozenset(Listener)
_BOTH = frozenset({"/livez", "/readyz", "/static/{name:str}"})
_ADMIN = frozenset({"/metrics", "/openapi.json", "/docs", "/docs/guides/{name:str}"})


def listeners_of(path: str) -> frozenset[Listener]:
    """Returns where a path template answers. What is in no table does not answer where questions are asked."""
    if path in _BOTH:
        return EVERYWHERE
    is_for_questions = path in PUBLIC_ROUTES or path in ROUTE_SCOPES or is_widget_path(path)
    if is_for_questions and path not in _ADMIN:
        return frozenset({Listener.DATA})
    return frozenset({Listener.ADMIN})


def serving_at(listeners: frozenset[Listener], handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Returns the handlers all of whose paths answer at one of the listeners."""
    return [one for one in handlers if all(listeners & listeners_of(path) for path in one.paths)]


def require_named(handlers: Iterable[HTTPRouteHandler]) -> None:
    """Raises `TypeError` when a route names no authentication, or a table names a route that is not there.

    Pages and the admin surface have tables of their own; the widget's guard lets nobody in who is not of its pages.
    """
    paths = {path for one in handlers for path in one.paths}
    named = {path for path in paths if not (path.startswith(ADMIN_CALLS) or is_page_path(path) or is_widget_path(path))}
    tables = PUBLIC_ROUTES | ROUTE_SCOPES.keys()
    if differing := named ^ tables:
        raise TypeError(f"routes and tables of authentication differ: {sorted(differing)}. This is a bug.")
    if contradicting := PUBLIC_ROUTES & ROUTE_SCOPES.keys():
        raise TypeError(f"routes are both public and closed: {sorted(contradicting)}. This is a bug.")
