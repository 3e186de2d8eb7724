"""The widget's calls beside the question: its configuration, sessions, what was said, feedback."""

from collections.abc import Mapping
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, delete, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.components import Components
from gateway.errors import InvalidRequest, NotServing
from gateway.feedback import GivenFeedback
from gateway.http.bodies import convert, read_object
from gateway.http.feedback import FeedbackReply, feedback_reply
from gateway.http.replies import ContactReply, SuggestionReply
from gateway.http.widget.bodies import (
    ThemeReply,
    TurnReply,
    WidgetChatReply,
    WidgetConfigReply,
    WidgetFeedbackRequest,
    WidgetSessionReply,
    WidgetSessionRequest,
    WidgetTurnsReply,
)
from gateway.http.widget.guard import OPEN, take, visit_of
from gateway.http.widget.origins import caller_of
from gateway.widget.conversations import gone
from gateway.widget.release import VERSION
from gateway.widget.services import Widget
from gateway.widget.sessions import foreign
from gateway.widget_texts import widget_texts
from store.content import Assistant, PromptVersion
from store.widgets import WidgetSettings, WidgetTexts

BASE = "/widget/v1"
CLIENT, SESSIONS, FEEDBACK = f"{BASE}/clients/{{client:str}}", f"{BASE}/sessions", f"{BASE}/feedback"
CHAT, ANSWER = f"{BASE}/chat", f"{BASE}/chat/{{key:str}}"
CONVERSATION = f"{BASE}/conversations/{{conversation:str}}"
_MOST_SUGGESTIONS = 5
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id",
    "access-control-max-age": "600",
}
_THREADS = CapacityLimiter(4)
Parts = NamedDependency[SkipValidation[Components]]


@route([CLIENT, SESSIONS, CHAT, ANSWER, CONVERSATION, FEEDBACK], http_method=["OPTIONS"], status_code=204)
async def widget_preflight() -> Response[None]:
    """Tells a browser what a page of a listed origin may send; the guard has refused all others."""
    return Response(None, status_code=204, headers=_PREFLIGHT)


@get(CLIENT, operation_id="widget_config", opt={OPEN: True})
async def widget_config(
    request: Request[Any, Any, Any], client: FromPath[str], components: Parts
) -> Response[WidgetConfigReply]:
    """Tells how a client's widget looks and what it says."""
    widget, caller = widget_of(components), caller_of(request.scope)
    known = caller.page.clients.get(client)
    if known is None:
        raise foreign()
    widget.visits.require_embeds(known.client, caller.origin)
    await take(components.admission.rates, known.client, caller, None, is_question=False)
    settings = known.client.settings
    language = chosen_language(settings, request.query_params.get("lang", ""))
    catalog = components.live.current.catalog
    assistant = catalog.assistants.get(settings.assistant)
    texts = settings.texts.get(language, WidgetTexts())
    body = WidgetConfigReply(
        client=client,
        version=VERSION,
        lang=language,
        languages=settings.languages,
        heading=texts.heading or (assistant.title if assistant else settings.title),
        greeting=texts.greeting or (assistant.greeting if assistant else ""),
        sign_in=settings.sign_in,
        suggestions=_suggestions(assistant, catalog.prompts, language),
        contact=ContactReply(**msgspec.structs.asdict(settings.contact)) if settings.contact else None,
        theme=ThemeReply(**msgspec.structs.asdict(settings.theme)),
        max_length=settings.max_length,
        feedback=settings.feedback,
        strings={**widget_texts(language), **texts.strings},
    )
    return Response(body, headers={"cache-control": "public, max-age=60"})


@post(SESSIONS, status_code=201, operation_id="begin_widget_session", opt={OPEN: True})
async def begin_widget_session(request: Request[Any, Any, Any], components: Parts) -> WidgetSessionReply:
    """Exchanges a site's token for a session, or begins one for a visitor who is not known."""
    widget, caller = widget_of(components), caller_of(request.scope)
    asked = convert(await read_object(request), WidgetSessionRequest, code="validation_error")
    known = caller.page.clients.get(asked.client)
    if known is None:
        raise foreign()
    widget.visits.require_embeds(known.client, caller.origin)
    await take(components.admission.rates, known.client, caller, None, is_question=False)
    made = await to_thread.run_sync(widget.visits.begin, known, caller.origin, asked.token, limiter=_THREADS)
    session = made.visit.session
    return WidgetSessionReply(
        session=made.token,
        expires_at=session.expires_at,
        expires_in=int((session.expires_at - session.created_at).total_seconds()),
        name=made.name,
        is_anonymous=made.visit.is_anonymous,
    )


@get(CONVERSATION, operation_id="get_widget_conversation")
async def get_widget_conversation(
    request: Request[Any, Any, Any], conversation: FromPath[str], components: Parts
) -> WidgetTurnsReply:
    """Shows what was said."""
    visit, widget, conversation = visit_of(request), widget_of(components), _known(conversation)
    if widget.shared is None:
        said = tuple(widget.conversations.get(visit, conversation).turns)
    elif not (said := await widget.shared.said(visit, conversation)):
        raise gone()
    turns = tuple(
        TurnReply(one.key, one.message, msgspec.json.decode(one.answer, type=WidgetChatReply) if one.answer else None)
        for one in said
    )
    return WidgetTurnsReply(conversation, turns)


@delete(CONVERSATION, operation_id="forget_widget_conversation", status_code=204)
async def forget_widget_conversation(
    request: Request[Any, Any, Any], conversation: FromPath[str], components: Parts
) -> None:
    """Forgets what was said, at once, also what could be followed again."""
    visit, widget, conversation = visit_of(request), widget_of(components), _known(conversation)
    for key in widget.conversations.forget(visit, conversation):
        widget.answers.stop(visit, key)
        widget.answers.drop(visit, key)
    if widget.shared is not None:
        await widget.shared.forget(visit, conversation)


@post(FEEDBACK, status_code=200, operation_id="give_widget_feedback")
async def give_widget_feedback(request: Request[Any, Any, Any], components: Parts) -> FeedbackReply:
    """Stores feedback on an answer of the same person."""
    visit = visit_of(request)
    told = convert(await read_object(request), WidgetFeedbackRequest, code="validation_error")
    if components.administration is None or not visit.client.settings.feedback:
        raise InvalidRequest("not_found", "This assistant takes no feedback here.")
    given = GivenFeedback(decision=told.decision, verdict=told.verdict, reasons=told.reasons, comment=told.comment)
    return feedback_reply(await components.administration.feedback.give(visit.principal, given))


def widget_of(components: Components) -> Widget:
    """Returns the widget's services; the guard has seen to it that there are some."""
    if components.widget is None:
        raise NotServing("store_unavailable", "This gateway runs without its widget.")
    return components.widget


def chosen_language(settings: WidgetSettings, wanted: str) -> str:
    """Returns the client's language that comes nearest to the one that is wanted, or its first."""
    wanted = wanted.lower()
    by_name = {name.lower(): name for name in settings.languages}
    return by_name.get(wanted) or by_name.get(wanted.partition("-")[0]) or settings.languages[0]


def _known(conversation: str) -> str:
    """An id that no database could look up is one that is not there."""
    return conversation if conversation.isprintable() else ""


def _suggestions(
    assistant: Assistant | None, prompts: Mapping[str, PromptVersion], language: str
) -> tuple[SuggestionReply, ...]:
    """Returns what the assistant offers, in the language where there is any."""
    offered = [prompts[key] for key in assistant.suggestions if key in prompts] if assistant else []
    fitting = [one for one in offered if one.content.language == language.partition("-")[0]]
    return tuple(SuggestionReply(one.key, one.content.title) for one in (fitting or offered)[:_MOST_SUGGESTIONS])
