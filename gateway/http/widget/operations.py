"""Everything that the widget's surface answers to, gathered from its files and described."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.described import HTML, JSON, TEXT, Described
from gateway.http.feedback import FeedbackReply
from gateway.http.streams import EVENT_STREAM
from gateway.http.widget.bodies import (
    WidgetChatReply,
    WidgetChatRequest,
    WidgetConfigReply,
    WidgetFeedbackRequest,
    WidgetSessionReply,
    WidgetSessionRequest,
    WidgetTurnsReply,
)
from gateway.http.widget.calls import (
    begin_widget_session,
    forget_widget_conversation,
    get_widget_conversation,
    give_widget_feedback,
    widget_config,
    widget_preflight,
)
from gateway.http.widget.chat import follow_widget_answer, stop_widget_answer, widget_chat
from gateway.http.widget.embed import embed_chat, embed_file, embed_file_head

WIDGET_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    embed_chat,
    embed_file,
    embed_file_head,
    widget_preflight,
    widget_config,
    begin_widget_session,
    widget_chat,
    follow_widget_answer,
    stop_widget_answer,
    get_widget_conversation,
    forget_widget_conversation,
    give_widget_feedback,
)

_BASE = "/widget/v1"
_ANSWER, _CONVERSATION = f"{_BASE}/chat/{{key}}", f"{_BASE}/conversations/{{conversation}}"
_REFUSED = (401, 403, 429, 500, 503)
_EVENTS = (
    "Events are `conversation`, `stage`, `sentence`, `blocked`, `done` and `error`, as docs/widget.md has them. The "
    "answer goes on being made when the connection breaks; the same key follows it."
)

WIDGET_OPERATIONS: tuple[Described, ...] = (
    Described(
        f"{_BASE}/clients/{{client}}",
        "get",
        "widget_config",
        "Tell how a client's widget looks",
        {JSON: WidgetConfigReply},
        (403, 429, 500, 503),
        parameters=("client",),
        query=("lang",),
        text="For pages of the client's origins.",
        needs_key=False,
    ),
    Described(
        f"{_BASE}/sessions",
        "post",
        "begin_widget_session",
        "Begin a visitor's session",
        {JSON: WidgetSessionReply},
        (400, 413, 415, 422, *_REFUSED),
        WidgetSessionRequest,
        status=201,
        text="For pages of the client's origins, with a token that the site signed where the client wants one.",
        needs_key=False,
    ),
    Described(
        f"{_BASE}/chat",
        "post",
        "widget_chat",
        "Answer a visitor's question",
        {JSON: WidgetChatReply, EVENT_STREAM: TEXT},
        (400, 404, 413, 415, 422, 499, *_REFUSED),
        WidgetChatRequest,
        ("idempotency-key", "last-event-id"),
        text=_EVENTS,
    ),
    Described(
        _ANSWER,
        "get",
        "follow_widget_answer",
        "Follow an answer, or wait for it",
        {JSON: WidgetChatReply, EVENT_STREAM: TEXT},
        (400, 404, 422, 499, *_REFUSED),
        headers=("last-event-id",),
        parameters=("key",),
        text=_EVENTS,
    ),
    Described(
        _ANSWER,
        "delete",
        "stop_widget_answer",
        "Stop the work on an answer",
        {},
        (400, 415, *_REFUSED),
        parameters=("key",),
        status=204,
    ),
    Described(
        _CONVERSATION,
        "get",
        "get_widget_conversation",
        "Show what was said a moment ago",
        {JSON: WidgetTurnsReply},
        (404, *_REFUSED),
        parameters=("conversation",),
    ),
    Described(
        _CONVERSATION,
        "delete",
        "forget_widget_conversation",
        "Forget what was said",
        {},
        (415, *_REFUSED),
        parameters=("conversation",),
        status=204,
    ),
    Described(
        f"{_BASE}/feedback",
        "post",
        "give_widget_feedback",
        "Say whether an answer helped",
        {JSON: FeedbackReply},
        (400, 404, 413, 415, 422, *_REFUSED),
        WidgetFeedbackRequest,
    ),
    Described(
        "/embed/chat",
        "get",
        "embed_chat",
        "Show the widget inside a frame",
        {HTML: TEXT},
        (404, 500, 503),
        needs_key=False,
        query=("client", "lang"),
    ),
    Described(
        "/embed/{version}/{name}",
        "get",
        "embed_file",
        "Fetch the widget or its loader",
        {"text/javascript": TEXT},
        (404, 500),
        needs_key=False,
        parameters=("version", "name"),
    ),
    Described(
        "/embed/{version}/{name}",
        "head",
        "embed_file_head",
        "Ask about the widget or its loader",
        {},
        (404, 500),
        needs_key=False,
        parameters=("version", "name"),
    ),
)
