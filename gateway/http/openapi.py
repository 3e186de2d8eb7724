"""The API's description, `/openapi.json`: made from the wire structs, so that it cannot tell another story."""

import inspect
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.http.admin.operations import ADMIN_HANDLERS, ADMIN_OPERATIONS
from gateway.http.admin.session_authenticator import CSRF_HEADER
from gateway.http.assistants import ModelReply, ModelsReply, get_model, list_models
from gateway.http.chat import BlockedReply, ChatReply, ChatRequest, SentenceReply, StageReply, chat
from gateway.http.checks import CheckReply, CheckRequest, NemoCheckReply, NemoCheckRequest, check_text
from gateway.http.cookies import Cookies
from gateway.http.described import FORM, HTML, JSON, PLAIN, TEXT, Described, DescribedEvent
from gateway.http.describing import paths_and_components
from gateway.http.docs import docs_page, guide_page
from gateway.http.embeddings import EMBEDDINGS_OPERATION, create_embeddings
from gateway.http.feedback import FeedbackReply, FeedbackRequest, give_feedback
from gateway.http.health import AliveReply, ReadyReply, livez, readyz
from gateway.http.match import MATCH_OPERATION, try_match
from gateway.http.metrics import metrics
from gateway.http.openai import create_chat_completion
from gateway.http.openai_replies import ChatCompletionReply, ChunkReply
from gateway.http.openai_request import ChatCompletionRequest
from gateway.http.page import ask_on_page, back_to_page, landing
from gateway.http.problems import EnvelopeReply
from gateway.http.static import static_file
from gateway.http.streams import EVENT_STREAM
from gateway.http.widget.operations import WIDGET_HANDLERS, WIDGET_OPERATIONS

_CHAT_ERRORS = (400, 401, 403, 404, 413, 415, 429, 500, 503, 504)
_CHAT_HEADERS = ("x-canongate-timeout-ms",)
_QUOTED = (
    "`{field}` is true when the reply used a `quoted_text` value: the one approved exception in which a text of the "
    "person's own is given to the model."
)
_BLOCKED = (
    "A blocked message or answer is a decision: status 200 with finish_reason `content_filter`; with the header "
    "`x-canongate-on-block: error` it is status 400 with code `content_filter`. Only the last message is matched. "
    "Sampling fields (temperature, top_p, frequency_penalty, presence_penalty, seed, stop, logit_bias, "
    "reasoning_effort, verbosity) are checked and have no effect: the approved settings win, and `canongate.ignored` "
    "names them. "
) + _QUOTED.format(field="canongate.has_quoted_text")
_STREAMED = (
    "With `Accept: text/event-stream` the reply comes as the events below; comments `: ping` keep the connection open. "
) + _QUOTED.format(field="has_quoted_text")
_EVENTS = (
    DescribedEvent("stage", StageReply, "What the gateway is doing now; several come."),
    DescribedEvent(
        "sentence",
        SentenceReply,
        "The next words of the answer; only under a policy with `streaming: checked_sentences`. Append them.",
    ),
    DescribedEvent("blocked", BlockedReply, "The answer did not pass; `done` takes the place of what was shown."),
    DescribedEvent("done", ChatReply, "The reply, last."),
    DescribedEvent("error", EnvelopeReply, "In place of `done`: it could not be decided."),
)
_CHUNKS = (
    DescribedEvent("", ChunkReply, "A chunk. The one with the `finish_reason` carries `canongate`."),
    DescribedEvent("", EnvelopeReply, "In place of what is left: it could not be decided."),
    DescribedEvent("", None, "`[DONE]`, last. Stages and pings are comments, which clients skip."),
)
_CHECKS = (
    "Needs the scope `checks`. No model runs and nothing is answered. A body with `messages` is in the form of NeMo "
    "Guardrails and gets its form of reply. A rail that broke is a 503 `rails_unavailable`, never a verdict."
)

OPERATIONS = (
    Described(
        "/v1/chat/completions",
        "post",
        "create_chat_completion",
        "Answer the last message, as OpenAI's chat completions",
        {JSON: ChatCompletionReply, EVENT_STREAM: ChunkReply},
        _CHAT_ERRORS,
        ChatCompletionRequest,
        (*_CHAT_HEADERS, "x-canongate-on-block"),
        text=_BLOCKED,
        events=_CHUNKS,
    ),
    Described(
        "/v1/chat",
        "post",
        "chat",
        "Answer one message",
        {JSON: ChatReply, EVENT_STREAM: TEXT},
        (*_CHAT_ERRORS, 422),
        ChatRequest,
        _CHAT_HEADERS,
        text=_STREAMED,
        events=_EVENTS,
    ),
    Described(
        "/v1/checks",
        "post",
        "check_text",
        "Try a text against the rails",
        {JSON: (CheckReply, NemoCheckReply)},
        (400, 401, 403, 404, 413, 415, 422, 429, 500, 503),
        (CheckRequest, NemoCheckRequest),
        text=_CHECKS,
    ),
    MATCH_OPERATION,
    EMBEDDINGS_OPERATION,
    Described(
        "/v1/feedback",
        "post",
        "give_feedback",
        "Say whether an answer helped",
        {JSON: FeedbackReply},
        (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503),
        FeedbackRequest,
        text="Only the key that asked can give feedback on a decision, and change it by sending it again. It counts "
        "against the key's rate, and against no budget of tokens.",
    ),
    Described("/v1/models", "get", "list_models", "List the assistants", {JSON: ModelsReply}, (401, 403, 500, 503)),
    Described(
        "/v1/models/{model}",
        "get",
        "get_model",
        "Describe one assistant",
        {JSON: ModelReply},
        (401, 403, 404, 500, 503),
        parameters=("model",),
    ),
    Described(
        "/metrics",
        "get",
        "metrics",
        "Read this process's metrics, in Prometheus' text format",
        {PLAIN: TEXT},
        (401, 403, 500, 503),
        text="docs/telemetry.md lists what is counted.",
    ),
    Described("/livez", "get", "livez", "Tell whether the process lives", {JSON: AliveReply}, (500,), needs_key=False),
    Described(
        "/readyz",
        "get",
        "readyz",
        "Tell whether requests should be sent here, and why not",
        {JSON: ReadyReply},
        (500,),
        needs_key=False,
        not_ready=ReadyReply,
    ),
    Described(
        "/openapi.json", "get", "openapi", "Describe this API", {JSON: {"type": "object"}}, (500,), needs_key=False
    ),
    Described("/docs", "get", "docs", "Show the guides and this reference", {HTML: TEXT}, (500,), needs_key=False),
    Described(
        "/docs/guides/{name}",
        "get",
        "guide",
        "Show a guide",
        {HTML: TEXT},
        (404, 500),
        needs_key=False,
        parameters=("name",),
    ),
    Described("/", "get", "landing", "Show the landing page", {HTML: TEXT}, (500,), needs_key=False),
    Described(
        "/try",
        "post",
        "ask_on_page",
        "Ask from the landing page",
        {HTML: TEXT},
        (400, 403, 404, 413, 415, 422, 429, 500, 503),
        {FORM: {"type": "object", "properties": {"question": TEXT, "conversation": TEXT}, "required": ["question"]}},
        needs_key=False,
    ),
    Described("/try", "get", "back_to_page", "Go back to the form", {}, (500,), needs_key=False, status=303),
    Described(
        "/static/{name}",
        "get",
        "static_file",
        "Fetch a style sheet or icon of the landing page",
        {"text/css": TEXT, "image/svg+xml": TEXT},
        (404, 500),
        needs_key=False,
        parameters=("name",),
    ),
    *WIDGET_OPERATIONS,
    *ADMIN_OPERATIONS,
)


@get("/openapi.json", operation_id="openapi")
async def openapi() -> Response[bytes]:
    """Returns the description."""
    return Response(_DOCUMENT, media_type=JSON)


_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create_chat_completion,
    chat,
    check_text,
    give_feedback,
    list_models,
    get_model,
    create_embeddings,
    try_match,
    metrics,
    livez,
    readyz,
    openapi,
    docs_page,
    guide_page,
    landing,
    ask_on_page,
    back_to_page,
    static_file,
    *WIDGET_HANDLERS,
    *ADMIN_HANDLERS,
)
"""What handlers say of themselves describes the operations that say nothing more."""


def describe() -> dict[str, Any]:
    """Returns the description as OpenAPI 3.1."""
    said = {
        str(one.operation_id): inspect.getdoc(one.fn) or "" for one in (*_HANDLERS, *WIDGET_HANDLERS, *ADMIN_HANDLERS)
    }
    made = paths_and_components(OPERATIONS, said)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "canongate",
            "version": "0.1.0",
            "description": "A guarded chat gateway: only approved prompts reach the model, never a person's own words.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": made["paths"],
        "components": {
            **made["components"],
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, `cg_<id>_<secret>`."},
                "visit": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A visitor's session, `cgw_...`, at the origin that it was begun for.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": Cookies().session,
                    "description": "A session that `POST /v1/admin/session` began. Never beside an API key.",
                },
                "csrf": {
                    "type": "apiKey",
                    "in": "header",
                    "name": CSRF_HEADER,
                    "description": "The session's `csrf`, with each write.",
                },
            },
        },
    }


_DOCUMENT = msgspec.json.encode(describe())
