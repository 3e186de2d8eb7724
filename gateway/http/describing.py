"""Makes one OpenAPI document of described operations, with what holds for all: errors, headers, scopes, examples."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.http.access import ROUTE_SCOPES
from gateway.http.admin.guard import PREFIX as ADMIN
from gateway.http.admin.key_authenticator import KEY_ROLES
from gateway.http.admin.route_table import PERSONAL_ROUTES, ROUTES
from gateway.http.described import FORM, HTML, JSON, PLAIN, PROBLEM, TEXT, Described
from gateway.http.error_codes import ErrorCode, Surface, codes_of
from gateway.http.examples import example_of, example_of_struct
from gateway.http.problems import EnvelopeReply, ProblemReply, tells_problems
from gateway.http.repeats import IDEMPOTENCY_KEY, REPLAYED
from gateway.http.streams import EVENT_STREAM
from gateway.http.widget.origins import is_widget_path
from rails.json_schema import portable_schema
from store.types import KeyScope

HEADERS: Final[Mapping[str, str]] = {
    "x-request-id": "The request's id; quote it to the operator.",
    "retry-after": "Whole seconds to wait before another try.",
    "x-should-retry": "`false` where another try cannot help.",
    "x-ratelimit-limit-requests": "Requests a minute for this key.",
    "x-ratelimit-remaining-requests": "How many are left.",
    "x-ratelimit-reset-requests": "When all of them are left again, such as `12s`.",
    "x-ratelimit-limit-tokens": "Tokens a day of the budget, where there is one.",
    "x-ratelimit-remaining-tokens": "How many are left after this reply.",
    "x-ratelimit-reset-tokens": "When the next day (UTC) begins.",
    "x-canongate-outcome": "What became of the message.",
    "x-canongate-prompt": "The approved prompt and its version, where the message means one.",
    "x-canongate-policy-version": "The policy and its revision.",
    "x-canongate-duration-ms": "How long it took.",
    "x-canongate-overhead-ms": "The part of it that was not the model's.",
    REPLAYED: "`true` on the kept reply of an earlier request with the same Idempotency-Key.",
}
_RATES: Final = tuple(name for name in HEADERS if name.startswith("x-ratelimit"))
_OF_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "create_chat_completion": (*_RATES, *(name for name in HEADERS if name.startswith("x-canongate"))),
    "chat": (*_RATES, *(name for name in HEADERS if name.startswith("x-canongate"))),
    "check_text": (*_RATES, "x-canongate-policy-version"),
    "try_match": (*_RATES, "x-canongate-outcome"),
    "create_embeddings": _RATES,
    "give_feedback": tuple(name for name in _RATES if name.endswith("-requests")),
}
"""What successful replies of an operation carry beside what all do."""
_REASONS: Final = {
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
    504: "The time that the request gave was over before there was an answer; nothing was decided",
}
_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_REPEAT_ERRORS: Final = (400, 409, 422)
"""What an Idempotency-Key may come to."""
_ENVELOPES: Final = frozenset({Surface.QUESTIONS, Surface.WIDGET})
_SERVER_ERRORS: Final = 500
_SLOW_DOWN: Final[Mapping[int, tuple[str, ...]]] = {
    **dict.fromkeys((429, 503), ("retry-after", "x-should-retry")),
    504: ("x-should-retry",),
}
_PLAIN: Final = re.compile(r":[a-z]+}")
_PERSONAL: Final = {_PLAIN.sub("}", name) for name in PERSONAL_ROUTES}
_ROLES: Final = {_PLAIN.sub("}", name): tuple(sorted(role.value for role in roles)) for name, roles in ROUTES.items()}
_KEY_SCOPES: Final = {
    _PLAIN.sub("}", name): tuple(scope.value for scope, role in KEY_ROLES.items() if role in roles)
    for name, roles in ROUTES.items()
    if name not in PERSONAL_ROUTES
}


def paths_and_components(operations: Sequence[Described], said: Mapping[str, str]) -> dict[str, Any]:
    """Returns `paths` and `components`. `said` has what handlers say of themselves, by the id of the operation."""
    structs = [one for operation in operations for kind in _kinds(operation) for one in _structs(kind)]
    structs += [EnvelopeReply, ProblemReply]
    _, schemas = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method] = _operation(one, schemas, said.get(one.id, ""))
    told = {status for one in operations for status in _errors(one)}
    responses = {_error_name(*place): _error(*place) for place in sorted(told)}
    examples = {kind.__name__: {"value": example_of_struct(kind.__name__, schemas)} for kind in dict.fromkeys(structs)}
    headers = {name: {"description": text, "schema": TEXT} for name, text in HEADERS.items()}
    components = {"schemas": schemas, "responses": responses, "headers": headers, "examples": examples}
    return dict(portable_schema({"paths": paths, "components": components}))


def _operation(one: Described, schemas: Mapping[str, Any], said: str) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": one.id, "tags": [_tag(one.path)], "summary": one.summary}
    told["description"] = "\n\n".join(part for part in (one.text or said, _events_table(one), _access(one)) if part)
    told |= {"responses": _responses(one, schemas), **_security(one)}
    if isinstance(one.request, type | tuple):
        told["requestBody"] = {"required": True, "content": {JSON: _content(one.request)}}
    elif one.request:
        content = {media: _ready(media, schema, schemas) for media, schema in one.request.items()}
        told["requestBody"] = {"required": True, "content": content}
    parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in one.parameters]
    parameters += [{"name": name, "in": "query", "required": False, "schema": TEXT} for name in one.query]
    headers = (*one.headers, *((IDEMPOTENCY_KEY,) if _takes_repeats(one) else ()))
    parameters += [{"name": name, "in": "header", "required": False, "schema": TEXT} for name in headers]
    if parameters:
        told["parameters"] = parameters
    return told


def _tag(path: str) -> str:
    """Returns the group that an operation is listed in."""
    parts = path.strip("/").split("/")
    if path.startswith(ADMIN):
        return f"Admin: {parts[2].replace('-', ' ')}"
    if parts[0] in {"livez", "readyz", "openapi.json"}:
        return "Operation"
    return {"v1": "Questions", "widget": "Widget", "embed": "Widget"}.get(parts[0], "Pages")


def _access(one: Described) -> str:
    if not one.needs_key:
        return "Open to anybody."
    if is_widget_path(one.path):
        return "Needs a visitor's session."
    if not one.path.startswith(ADMIN):
        return f"Needs an API key with the scope `{_scope(one)}`."
    name = f"{one.method.upper()} {one.path}"
    roles = ", ".join(f"`{role}`" for role in _ROLES.get(name, ()))
    keys = " or ".join(f"`{scope}`" for scope in _KEY_SCOPES.get(name, ()))
    return f"Needs a session of somebody with one of the roles {roles}{f', or an API key with {keys}' if keys else ''}."


def _security(one: Described) -> dict[str, Any]:
    """Returns what opens an operation, with the scopes of keys and the roles of people."""
    if not one.needs_key:
        return {"security": []}
    if is_widget_path(one.path):
        return {"security": [{"visit": []}]}
    if not one.path.startswith(ADMIN):
        return {"security": [{"key": [_scope(one)]}]}
    name = f"{one.method.upper()} {one.path}"
    session: dict[str, list[str]] = {"session": list(_ROLES.get(name, ()))}
    if one.method != "get":
        session["csrf"] = []
    if name in _PERSONAL:
        return {"security": [session]}
    return {"security": [{"key": list(_KEY_SCOPES.get(name, ()))}, session]}


def _scope(one: Described) -> str:
    return ROUTE_SCOPES.get(one.path, KeyScope.CHAT).value


def _takes_repeats(one: Described) -> bool:
    """Whether a repeated request is known by its Idempotency-Key."""
    return one.is_kept and one.needs_key and one.method != "get" and not is_widget_path(one.path)


def _responses(one: Described, schemas: Mapping[str, Any]) -> dict[str, Any]:
    headers = ("x-request-id", *_OF_OPERATIONS.get(one.id, ()), *((REPLAYED,) if _takes_repeats(one) else ()))
    content = {
        media: _content(kind) if isinstance(kind, type | tuple) else _ready(media, kind, schemas, one)
        for media, kind in one.replies.items()
    }
    if one.events and EVENT_STREAM in content:
        content[EVENT_STREAM]["x-sse-events"] = [
            {"event": event.name, "description": event.text, **({"schema": _schema(event.kind)} if event.kind else {})}
            for event in one.events
        ]
    told: dict[str, Any] = {
        str(one.status): {"description": one.summary, "headers": _headers(headers), "content": content}
    }
    for place in _errors(one):
        told[str(place[1])] = {"$ref": f"#/components/responses/{_error_name(*place)}"}
    if one.not_ready:
        content = {JSON: _content(one.not_ready)}
        told["503"] = {"description": "Not ready", "headers": _headers(("x-request-id",)), "content": content}
    return told


def _errors(one: Described) -> list[tuple[Surface, int, bool]]:
    """Returns the surface and status of each error of an operation, and whether people read it as a page."""
    surface = Surface.PAGES
    if is_widget_path(one.path):
        surface = Surface.WIDGET
    elif not tells_problems(one.path):
        surface = Surface.QUESTIONS
    elif one.path.startswith(ADMIN):
        surface = Surface.ADMIN
    of_repeats = _REPEAT_ERRORS if _takes_repeats(one) else ()
    of_keys = (429,) if one.needs_key else ()  # one that has to be looked up counts by its address
    return [(surface, status, HTML in one.replies) for status in sorted({*one.errors, *of_keys, *of_repeats})]


def _error_name(surface: Surface, status: int, is_page: bool) -> str:  # noqa: FBT001 -- a part of the name
    return f"{surface.value}_{status}{'_page' if is_page else ''}"


def _error(surface: Surface, status: int, is_page: bool) -> dict[str, Any]:  # noqa: FBT001 -- as above
    media, kind = (JSON, EnvelopeReply) if surface in _ENVELOPES else (PROBLEM, ProblemReply)
    codes = codes_of(surface, status)
    examples = {one.name: {"summary": one.text, "value": _error_example(one, surface)} for one in codes}
    content: dict[str, Any] = {media: {"schema": _schema(kind), "examples": examples}}
    if is_page:
        content[HTML] = {"schema": TEXT}  # a page tells what a person can mend as a page
    lines = [f"{_REASONS.get(status, 'It failed')}.", *(f"- `{one.name}`: {one.text}" for one in codes)]
    names = ["x-request-id", *_SLOW_DOWN.get(status, ())]
    if surface is Surface.QUESTIONS and status == 429:  # noqa: PLR2004 -- RFC 6585
        names += _RATES
    return {"description": "\n".join(lines), "headers": _headers(names), "content": content}


def _error_example(one: ErrorCode, surface: Surface) -> dict[str, Any]:
    text = f"{one.text[0].upper()}{one.text[1:]}."
    if surface in _ENVELOPES:
        kind = "server_error" if one.status >= _SERVER_ERRORS else _TYPES.get(one.status, "invalid_request_error")
        return {"error": {"message": text, "type": kind, "param": None, "code": one.name}}
    return {
        "type": f"urn:canongate:problem:{one.name}",
        "title": one.name.replace("_", " ").capitalize(),
        "status": one.status,
        "detail": text,
        "code": one.name,
        "param": None,
        "request_id": "0198c7a4-6f1c-7d11-8a0e-5b0f4f3f9a21",
    }


def _events_table(one: Described) -> str:
    if not one.events:
        return ""
    lines = ["| event | data | |", "|---|---|---|"]
    for event in one.events:
        kind = f"`{event.kind.__name__}`" if event.kind else ""
        lines.append(f"| {f'`{event.name}`' if event.name else ''} | {kind} | {event.text} |")
    return "\n".join(lines)


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _content(kind: Any) -> dict[str, Any]:
    """Returns schema and examples of a struct, or of several of which one is sent."""
    examples = {one.__name__: {"$ref": f"#/components/examples/{one.__name__}"} for one in _structs(kind)}
    return {"schema": _schema(kind), "examples": examples}


def _ready(
    media: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], one: Described | None = None
) -> dict[str, Any]:
    """Returns a ready schema with an example."""
    if media == EVENT_STREAM and one is not None and one.events:
        frames = [
            f"id: {number}\nevent: {event.name}\ndata: {_compact(event.kind, schemas)}\n\n"
            for number, event in enumerate(one.events, 1)
            if event.kind is not None and event.name not in {"error", "blocked"}
        ]
        return {"schema": schema, "example": "".join(frames)}
    texts = {
        HTML: "<!doctype html>…",
        PLAIN: "canongate_requests_in_work 3.0\n",
        "text/css": ":root { color-scheme: light dark; }",
        "image/svg+xml": "<svg/>",
    }
    if media in texts:
        return {"schema": schema, "example": texts[media]}
    if media == FORM or schema.get("properties"):
        return {"schema": schema, "example": example_of(schema, schemas)}
    if schema.get("type") == "string":
        return {"schema": schema, "example": '{"key": "it.password-reset", "title": "Reset a forgotten password"}\n'}
    return {"schema": schema, "example": example_of(schema, schemas)}


def _compact(kind: Any, schemas: Mapping[str, Any]) -> str:
    return msgspec.json.encode(example_of_struct(kind.__name__, schemas)).decode()


def _schema(kind: Any) -> dict[str, Any]:
    if isinstance(kind, tuple):
        return {"oneOf": [_schema(one) for one in kind]}
    return {"$ref": f"#/components/schemas/{kind.__name__}"} if isinstance(kind, type) else kind


def _kinds(one: Described) -> list[Any]:
    return [*one.replies.values(), one.request, one.not_ready, *(event.kind for event in one.events)]


def _structs(kind: Any) -> list[type]:
    return [part for part in (kind if isinstance(kind, tuple) else (kind,)) if isinstance(part, type)]
