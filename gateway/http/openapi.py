"""The API's description, `/openapi.json`: made from the wire structs, so that it cannot tell another story."""

import re
from typing import Any

import msgspec
from litestar import Response, get

from gateway.http.admin.guard import PREFIX as ADMIN
from gateway.http.admin.operations import ADMIN_OPERATIONS
from gateway.http.admin.route_table import PERSONAL_ROUTES
from gateway.http.admin.session_authenticator import CSRF_HEADER
from gateway.http.assistants import ModelReply, ModelsReply
from gateway.http.chat import ChatReply, ChatRequest
from gateway.http.checks import CheckReply, CheckRequest, NemoCheckReply, NemoCheckRequest
from gateway.http.cookies import Cookies
from gateway.http.described import FORM, HTML, JSON, PLAIN, PROBLEM, TEXT, Described
from gateway.http.embeddings import EMBEDDINGS_OPERATION
from gateway.http.feedback import FeedbackReply, FeedbackRequest
from gateway.http.health import AliveReply, ReadyReply
from gateway.http.match import MATCH_OPERATION
from gateway.http.openai_replies import ChatCompletionReply, ChunkReply
from gateway.http.openai_request import ChatCompletionRequest
from gateway.http.problems import EnvelopeReply, ProblemReply, tells_problems
from gateway.http.repeats import IDEMPOTENCY_KEY
from gateway.http.streams import EVENT_STREAM
from gateway.http.widget.operations import WIDGET_OPERATIONS
from gateway.http.widget.origins import is_widget_path

_CHAT_ERRORS = (400, 401, 403, 404, 413, 415, 429, 500, 503)
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
_EVENTS = (
    "With `Accept: text/event-stream` the reply comes as the events `stage` {stage}, then `done` (the reply) or "
    "`error` (the error envelope); comments `: ping` keep the connection open. Under a policy with "
    "`streaming: checked_sentences` there is an event `sentence` {text} for each sentence that passed, and `blocked` "
    "{outcome} when the answer did not; the reply in `done` then takes the place of what was shown. "
) + _QUOTED.format(field="has_quoted_text")
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
        text=_EVENTS,
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
        text="Only the key that asked can give feedback on a decision, and change it by sending it again.",
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
        text="Needs the scope `metrics`. docs/telemetry.md lists what is counted.",
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


def describe() -> dict[str, Any]:
    """Returns the description as OpenAPI 3.1."""
    kinds = [kind for one in OPERATIONS for kind in (*one.replies.values(), one.request)]
    structs = [
        part for kind in kinds for part in (kind if isinstance(kind, tuple) else (kind,)) if isinstance(part, type)
    ]
    structs += [EnvelopeReply, ProblemReply]
    _, schemas = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method] = _operation(one)
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
        "paths": paths,
        "components": {
            "schemas": schemas,
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


def _operation(one: Described) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": one.id, "summary": one.summary, "responses": _responses(one)}
    if one.text:
        told["description"] = one.text
    told |= _security(one)
    if isinstance(one.request, type | tuple):
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": _schema(one.request)}}}
    elif one.request:
        content = {media: {"schema": schema} for media, schema in one.request.items()}
        told["requestBody"] = {"required": True, "content": content}
    parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in one.parameters]
    parameters += [{"name": name, "in": "query", "required": False, "schema": TEXT} for name in one.query]
    headers = (*one.headers, *((IDEMPOTENCY_KEY,) if _takes_repeats(one) else ()))
    parameters += [{"name": name, "in": "header", "required": False, "schema": TEXT} for name in headers]
    if parameters:
        told["parameters"] = parameters
    return told


def _security(one: Described) -> dict[str, Any]:
    """Returns what opens an operation, where that is not an API key."""
    if not one.needs_key:
        return {"security": []}
    if is_widget_path(one.path):
        return {"security": [{"visit": []}]}
    name = f"{one.method.upper()} {one.path}"
    session: dict[str, list[str]] = {"session": []} if one.method == "get" else {"session": [], "csrf": []}
    if name in _PERSONAL:
        return {"security": [session]}
    return {"security": [{"key": []}, session]} if one.path.startswith(ADMIN) else {}


def _takes_repeats(one: Described) -> bool:
    """Whether a repeated request is known by its Idempotency-Key."""
    return one.needs_key and one.method != "get" and not is_widget_path(one.path)


def _responses(one: Described) -> dict[str, Any]:
    headers = {"x-request-id": {"schema": TEXT, "description": "The request's id; quote it to the operator."}}
    content = {media: {"schema": _schema(kind)} for media, kind in one.replies.items()}
    told: dict[str, Any] = {str(one.status): {"description": one.summary, "headers": headers, "content": content}}
    media, kind = (PROBLEM, ProblemReply) if tells_problems(one.path) else (JSON, EnvelopeReply)
    content = {media: {"schema": _schema(kind)}}
    if HTML in one.replies:
        content |= {HTML: {"schema": TEXT}}  # a page tells what a person can mend as a page
    for status in sorted({*one.errors, *(_REPEAT_ERRORS if _takes_repeats(one) else ())}):
        told[str(status)] = {"description": _REASONS[status], "headers": headers, "content": content}
    if one.not_ready:
        content = {JSON: {"schema": _schema(one.not_ready)}}
        told["503"] = {"description": "Not ready", "headers": headers, "content": content}
    return told


def _schema(kind: Any) -> dict[str, Any]:
    if isinstance(kind, tuple):
        return {"oneOf": [_schema(one) for one in kind]}
    return {"$ref": f"#/components/schemas/{kind.__name__}"} if isinstance(kind, type) else kind


_REASONS = {
    400: "The request is malformed, or asks for something that approved prompts do not do",
    401: "The credential is missing, wrong, expired or revoked",
    403: "The credential lacks the scope or the role, or another site sent this",
    404: "There is no such thing, or the caller may not know of it",
    409: "Somebody else changed it meanwhile, or its state does not allow this; the reply says what it is now",
    412: "If-Match names another state than the one that is there",
    413: "The body is too large",
    415: "The body has another type than the one described",
    422: "What was sent cannot be accepted as it is",
    428: "This needs If-Match with the state that was read",
    429: "Too many requests; see Retry-After",
    499: "The work was stopped before there was an answer",
    500: "The gateway failed; quote the request id to the operator",
    503: "A check, the matcher or the store is not able to answer; see Retry-After and x-should-retry",
}
_REPEAT_ERRORS = (400, 409, 422)
"""What an Idempotency-Key may come to."""
_PERSONAL = {re.sub(r":[a-z]+}", "}", name) for name in PERSONAL_ROUTES}
_DOCUMENT = msgspec.json.encode(describe())
