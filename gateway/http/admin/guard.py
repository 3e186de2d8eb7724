"""Finds out who calls the admin surface, and lets in whom the route table names."""

from collections.abc import Iterable
from typing import Any, Protocol

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler

from gateway.errors import NotAllowed
from gateway.http.admin.route_table import OPEN_ROUTES, PERSONAL_ROUTES, ROUTES
from gateway.http.same_origin import require_same_origin
from store.people import Actor

PREFIX = "/v1/admin/"


class Authenticator(Protocol):
    """Knows who is behind a request."""

    async def actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
        """Returns who calls. Raises `NotAllowed` for no credential or a wrong one, `NotServing` when it cannot know."""


def is_admin_route(handler: BaseRouteHandler) -> bool:
    """Whether the handler belongs to the admin surface."""
    return bool(handler.paths) and all(path.startswith(PREFIX) for path in handler.paths)


async def require_role(
    authenticator: Authenticator, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Puts the actor into the request's scope, or raises `NotAllowed`. An open operation asks nobody who they are."""
    method = str(connection.scope.get("method"))
    names = _names(handler, method)
    if names and OPEN_ROUTES.issuperset(names):
        if method not in ("GET", "HEAD"):
            require_same_origin(connection)
        return
    actor = await authenticator.actor(connection)
    wanted = [ROUTES.get(name, frozenset()) for name in names]
    if not wanted or not all(any(actor.may(role) for role in roles) for roles in wanted):
        raise NotAllowed("insufficient_role", "Your roles do not allow this. GET /v1/admin/whoami lists them.")
    if not PERSONAL_ROUTES.isdisjoint(names) and not actor.id.startswith("user:"):
        raise NotAllowed("insufficient_role", "Only somebody who signed in with a session can do this.")
    connection.scope["user"] = actor


def require_table(handlers: Iterable[HTTPRouteHandler]) -> None:
    """Raises `TypeError` when the route table and the admin handlers do not name the same operations."""
    named = {name for handler in handlers for method in handler.http_methods for name in _names(handler, str(method))}
    if differing := named ^ (ROUTES.keys() | OPEN_ROUTES):
        raise TypeError(f"route table and handlers differ: {sorted(differing)}. This is a bug.")
    if contradicting := (ROUTES.keys() & OPEN_ROUTES) | (PERSONAL_ROUTES - ROUTES.keys()):
        raise TypeError(f"the route table contradicts itself: {sorted(contradicting)}. This is a bug.")


def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """Returns who calls, as the guard found out."""
    actor = request.scope.get("user")
    if not isinstance(actor, Actor):
        raise TypeError("a route without the admin guard asked for an actor. This is a bug.")
    return actor


def _names(handler: BaseRouteHandler, method: str) -> list[str]:
    method = "GET" if method == "HEAD" else method
    return [f"{method} {path}" for path in handler.paths]
