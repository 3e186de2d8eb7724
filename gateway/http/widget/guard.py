"""Lets pages of listed origins to the widget's surface, and visitors with a session of that very origin further."""

from typing import Any
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from gateway.access.tries import network_of
from gateway.errors import NotServing
from gateway.http.bearer import bearer_token
from gateway.http.client_address import client_address
from gateway.http.widget.origins import Caller, caller_of, is_widget_path, note_caller
from gateway.limits import Admission
from gateway.rates import Rate, RateKind, RateStore
from gateway.widget.book import Page
from gateway.widget.services import Widget
from gateway.widget.sessions import Visit, expired, foreign
from store.errors import StoreUnavailable
from store.widgets import WidgetClient

OPEN, QUESTION = "is_open", "is_question"
"""Options of handlers: one that needs no session, and one whose calls count as questions."""
_CALLS_TO_ONE_QUESTION = 10


class WidgetGuard:
    """Looks at the origin first, whatever else is sent; then at the session, where one is needed."""

    def __init__(self, widget: Widget, admission: Admission) -> None:
        self._widget = widget
        self._admission = admission
        self._threads = CapacityLimiter(4)

    async def admit(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Puts where the call comes from, and whose it is, into the request's scope.

        Raises `NotAllowed`, `RateLimited`, and `NotServing` when the database cannot say who may call.
        """
        network = network_of(client_address(connection, self._widget.proxies))
        await self._admission.look_up(network)
        try:
            page = self._widget.book.known()
            if page is None:
                page = await to_thread.run_sync(self._widget.book.page, limiter=self._threads)
            origin, is_own = self._origin(connection, page)
            note_caller(connection.scope, Caller(origin, page, network, is_own=is_own))
            if connection.scope.get("method") == "OPTIONS" or handler.opt.get(OPEN):
                return
            visit = await self._visit(bearer_token(connection), page, origin)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "Nobody can be recognised, so nothing is answered.") from error
        is_question = bool(handler.opt.get(QUESTION))
        await take(self._admission.rates, visit.client, caller_of(connection.scope), visit, is_question=is_question)
        connection.scope["user"] = visit

    async def _visit(self, token: str, page: Page, origin: str) -> Visit:
        if not token:
            raise expired()
        visit = self._widget.visits.known(token, page, origin)
        if visit is None:
            visit = await to_thread.run_sync(self._widget.visits.find, token, page, origin, limiter=self._threads)
        return visit

    def _origin(self, connection: ASGIConnection[Any, Any, Any, Any], page: Page) -> tuple[str, bool]:
        sent = connection.headers.getall("origin", [])
        own = self._widget.own_origins
        if len(sent) == 1 and (sent[0] in page.origins or sent[0] in own):
            return sent[0], sent[0] in own
        # A page's requests to its own origin name none when they only read.
        hosts, sites = connection.headers.getall("host", []), connection.headers.getall("sec-fetch-site", [])
        if not sent and sites == ["same-origin"] and len(hosts) == 1:
            for origin in sorted(own):
                if urlsplit(origin).netloc == hosts[0]:
                    return origin, True
        raise foreign()


async def take(
    store: RateStore, client: WidgetClient, caller: Caller, visit: Visit | None, *, is_question: bool
) -> None:
    """Counts a call by session, address and origin, as the client's settings say. Raises `RateLimited`."""
    rates, kind = client.settings.rates, "question" if is_question else "call"
    times = 1 if is_question else _CALLS_TO_ONE_QUESTION
    counted = [
        Rate(RateKind.ADDRESS, f"{kind} {client.id} {caller.network}", rates.address * times),
        Rate(RateKind.ORIGIN, f"{kind} {client.id} {caller.origin}", rates.origin * times),
    ]
    if visit is not None:
        counted.append(Rate(RateKind.SESSION, f"{kind} {visit.session.id}", rates.session * times))
    await store.take(counted)


def is_widget_route(handler: BaseRouteHandler) -> bool:
    """Whether the handler belongs to the widget's surface."""
    return bool(handler.paths) and all(map(is_widget_path, handler.paths))


def visit_of(request: Request[Any, Any, Any]) -> Visit:
    """Returns whose call it is, as the guard found out."""
    visit = request.scope.get("user")
    if not isinstance(visit, Visit):
        raise TypeError("a route without the widget's guard asked for a visit. This is a bug.")
    return visit
