"""Makes the ASGI application from its components; importing this module does nothing."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import anyio
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.access import require_key, require_media_type
from gateway.http.admin.guard import require_table
from gateway.http.admin.operations import ADMIN_HANDLERS
from gateway.http.assistants import get_model, list_models
from gateway.http.chat import chat
from gateway.http.checks import check_text
from gateway.http.client_address import count_unknown
from gateway.http.cross_origin import LetPagesIn
from gateway.http.docs import docs_page, guide_page
from gateway.http.embeddings import create_embeddings
from gateway.http.feedback import give_feedback
from gateway.http.headers import add_headers
from gateway.http.health import livez, readyz
from gateway.http.listeners import EVERYWHERE, Listener, require_named, serving_at
from gateway.http.match import try_match
from gateway.http.metrics import CountRequests, metrics
from gateway.http.openai import create_chat_completion
from gateway.http.openapi import openapi
from gateway.http.page import ask_on_page, back_to_page, landing
from gateway.http.pages.failing import is_way_to_provider, tell_of_provider, tell_on_page
from gateway.http.pages.guard import PageGuard, is_page_path, require_page_table
from gateway.http.pages.handlers import PAGE_HANDLERS
from gateway.http.pages.visit import Visit, visit_of
from gateway.http.pages.waiting import count_work
from gateway.http.permits import GrantPlaces
from gateway.http.problems import tell_error
from gateway.http.repeats import KeepReplies, hold_repeats
from gateway.http.static import static_file
from gateway.http.widget.guard import WidgetGuard
from gateway.http.widget.operations import WIDGET_HANDLERS
from gateway.proxies import TrustedProxies

AGAIN_S = 10.0

_LOG = logging.getLogger(__name__)


HANDLERS = (
    landing,
    ask_on_page,
    back_to_page,
    static_file,
    livez,
    readyz,
    metrics,
    openapi,
    docs_page,
    guide_page,
    create_chat_completion,
    chat,
    check_text,
    try_match,
    create_embeddings,
    give_feedback,
    list_models,
    get_model,
    *WIDGET_HANDLERS,
    *ADMIN_HANDLERS,
    *PAGE_HANDLERS,
)
"""Everything that answers over HTTP."""


def create_app(
    components: Components,
    *,
    listeners: frozenset[Listener] = EVERYWHERE,
    current: Callable[[], Components] | None = None,
) -> Litestar:
    """Returns the application of one listener, or of all in one. Whoever made the components closes them.

    Handlers get the components from `current`, whose settings may have been read again. What goes on beside the
    requests belongs to the listener for questions.
    """
    require_table(ADMIN_HANDLERS)
    require_page_table(PAGE_HANDLERS)
    require_named(HANDLERS)
    administration = components.administration
    return Litestar(
        route_handlers=serving_at(listeners, HANDLERS),
        lifespan=[_follow(components)] if Listener.DATA in listeners else [],
        dependencies={
            "components": Provide(current or (lambda: components), sync_to_thread=False),
            "visit": Provide(_visit),
        },
        guards=[
            require_key(
                components.keys,
                administration.authenticator if administration else None,
                PageGuard(administration.access) if administration else None,
                WidgetGuard(components.widget, components.admission) if components.widget else None,
                unknown=partial(_count_unknown, components),
            ),
            require_media_type,
        ],
        exception_handlers={Exception: _tell(components, has_pages=Listener.ADMIN in listeners)},
        before_request=hold_repeats(administration.access.repeats) if administration else None,
        middleware=[
            *([partial(LetPagesIn, book=components.widget.book)] if components.widget else []),
            partial(CountRequests, telemetry=components.telemetry, tracing=components.tracing),
            partial(GrantPlaces, lines=components.admission.lines, queue_s=components.settings.limits.queue_s),
            *([partial(KeepReplies, repeats=administration.access.repeats)] if administration else []),
        ],
        before_send=[add_headers],
        request_max_body_size=components.settings.limits.body_bytes,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


async def _visit(request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]) -> Visit:
    visit = visit_of(request, components)
    await count_work(visit)
    return visit


async def _count_unknown(components: Components, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    administration = components.administration
    proxies = administration.access.proxies if administration else TrustedProxies()
    await count_unknown(components.admission, proxies, connection)


def _tell(components: Components, *, has_pages: bool) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    """Makes what answers for an exception: a page to people, a document to programs."""

    def tell(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        if not has_pages:
            return tell_error(request, error)
        if is_page_path(request.scope["path"]):
            return tell_on_page(request, error, components)
        if is_way_to_provider(request):
            return tell_of_provider(request, error, components)
        return tell_error(request, error)

    return tell


def _follow(components: Components) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Makes the part of the lifespan in which what is published becomes live."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with components.on_this_loop(), anyio.create_task_group() as group:
            if components.publisher is not None:
                group.start_soon(_for_ever, partial(components.publisher.follow, components.live))
                group.start_soon(_for_ever, partial(components.publisher.improve, components.live))
            if components.warming is not None:
                group.start_soon(_for_ever, partial(components.warming.follow, components.live))
            for work in components.administration.background if components.administration else ():
                group.start_soon(_for_ever, work)
            if components.widget is not None:
                group.start_soon(_for_ever, components.widget.follow)
            for work in components.background:
                group.start_soon(_for_ever, work)
            if components.leading is not None:
                group.start_soon(_for_ever, components.leading.follow)
            for work in _once(components):
                group.start_soon(_for_ever, work)
            yield
            group.cancel_scope.cancel()

    return lifespan


def _once(components: Components) -> tuple[Callable[[], Awaitable[None]], ...]:
    """Returns what one of several gateways does for all, as it is to run here."""
    once = (*(components.administration.once if components.administration else ()), *components.once)
    return once if components.leading is None else tuple(components.leading.under(work) for work in once)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Begins again what an error ended: it would end the others too, and serving with them."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it is, the others and serving go on
            _LOG.exception("following_broke_off, begins again in %d s", AGAIN_S)
        await anyio.sleep(AGAIN_S)
