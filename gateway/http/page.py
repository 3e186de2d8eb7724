"""The landing page and its try-it form; works without JavaScript, and says how each answer came about."""

import re
import secrets
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect

from gateway.components import Components
from gateway.credentials import Principal
from gateway.errors import GatewayError, InvalidRequest
from gateway.http.asking import Asking, deadline_of
from gateway.http.explanation import Explanation, explain
from gateway.http.headers import request_id
from gateway.http.problems import Problem, problem_of
from gateway.http.replies import contact_reply, slot_reply, suggested
from gateway.http.same_origin import require_same_origin
from gateway.http.static import address_of
from gateway.http.templates import load_templates
from gateway.server_settings import ServerSettings
from gateway.turn import Question, Reply
from store.content import SLOT_MARK, Assistant, PromptVersion
from store.types import KeyScope

_HTML = "text/html"
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{22}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?")
_MAX_FIELDS = 8

PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    # With no-referrer, browsers send `Origin: null` from our own form, and the check below could not tell who asks.
    "referrer-policy": "same-origin",
}

_templates = load_templates()


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that asks one approved phrasing."""

    title: str
    question: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A reply, as the page shows it."""

    reply: Reply
    offers: tuple[Offer, ...]
    explanation: Explanation | None


@get("/", operation_id="landing")
async def landing(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[str]:
    """Shows the page with an empty form."""
    return _page(request, components, conversation=secrets.token_urlsafe(16))


@get("/try", operation_id="back_to_page")
async def back_to_page() -> Redirect:
    """Sends a reloaded or bookmarked answer back to the form."""
    return Redirect("/", status_code=303)


@post("/try", status_code=200, operation_id="ask_on_page")
async def ask_on_page(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[str]:
    """Asks a question for the visitor, and shows the page with the reply or with what went wrong."""
    visitor = components.visitor
    assistant = _assistant(components)
    if visitor is None or assistant is None:
        raise InvalidRequest("not_found", "This gateway has no form to try it.")
    require_same_origin(request)
    form = await _read_form(request)
    text = form.get("question", "")
    sent = form.get("conversation", "")
    conversation = sent if _CONVERSATION.fullmatch(sent) else secrets.token_urlsafe(16)
    question = Question(
        text=text,
        assistant=assistant.name,
        principal=visitor,
        deadline=deadline_of(request, components.settings.limits.deadline_s),
        conversation=conversation,
    )
    asking = Asking(components.pipeline, question)
    await asking.until_settled(request.receive)
    try:
        reply = asking.reply()
    except GatewayError as error:
        problem = problem_of(error, request.scope)
        return _page(request, components, conversation=conversation, asked=text, problem=problem)
    return _page(request, components, conversation=conversation, asked=text, shown=_shown(reply, visitor))


def _page(
    request: Request[Any, Any, Any],
    components: Components,
    *,
    conversation: str,
    asked: str = "",
    shown: Shown | None = None,
    problem: Problem | None = None,
) -> Response[str]:
    assistant = _assistant(components)
    prompts = components.live.current.catalog.prompts
    suggestions = [prompts[key] for key in assistant.suggestions if key in prompts] if assistant else []
    offers = _offers(suggestions)
    html = _templates.get_template("landing.html").render(
        assistant=assistant,
        suggestions=offers,
        conversation=conversation,
        asked=asked,
        shown=shown,
        reply=shown.reply if shown else None,
        contact=contact_reply(shown.reply) if shown else None,
        slot=slot_reply(shown.reply.slot) if shown else None,
        problem=problem,
        reference=request_id(request.scope),
        origin=origin_of(request, components.settings.server),
        has_docs=not components.settings.server.admin_listen,
        example=_example(assistant, offers),
        tokens=address_of("tokens.css"),
        style=address_of("landing.css"),
        favicon=address_of("icon.svg"),
    )
    headers = PAGE_HEADERS | (problem.headers if problem else {})
    return Response(html, status_code=problem.status if problem else 200, media_type=_HTML, headers=headers)


def _shown(reply: Reply, visitor: Principal) -> Shown:
    explanation = explain(reply) if KeyScope.DEBUG in visitor.scopes else None
    return Shown(reply, _offers(suggested(reply)), explanation)


def _offers(prompts: Iterable[PromptVersion]) -> tuple[Offer, ...]:
    offers = ((prompt, _phrasing(prompt)) for prompt in prompts)
    return tuple(Offer(prompt.content.title, phrasing) for prompt, phrasing in offers if phrasing)


def _phrasing(prompt: PromptVersion) -> str | None:
    """Returns the first phrasing without a blank: one that can be asked as it stands."""
    return next((text for text in prompt.content.phrasings if not SLOT_MARK.search(text)), None)


def _assistant(components: Components) -> Assistant | None:
    name = components.settings.page.try_it
    return components.live.current.catalog.assistants.get(name) if components.visitor else None


async def _read_form(request: Request[Any, Any, Any]) -> dict[str, str]:
    body = await request.body()
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as error:  # also what is not UTF-8 behind its percent signs
        raise InvalidRequest("invalid_form", "The form is malformed.") from error
    return {name: values[-1] for name, values in fields.items()}


def origin_of(request: Request[Any, Any, Any], server: ServerSettings) -> str:
    """Returns the address for a page's examples: what the settings say, or the one at which the page was asked for."""
    if server.public_url or (server.admin_listen and server.origins):
        return server.origins[0]
    return asked_origin(request)


def asked_origin(request: Request[Any, Any, Any]) -> str:
    """Returns the origin at which a page was asked for, a placeholder for an odd Host header."""
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host if _HOST.fullmatch(host) else 'localhost:8080'}"


def _example(assistant: Assistant | None, offers: tuple[Offer, ...]) -> str:
    """Returns the body of the page's example request, quoted for a shell."""
    content = offers[0].question if offers else "Hello"
    message = msgspec.json.encode({"role": "user", "content": content}).decode()
    model = msgspec.json.encode(assistant.name if assistant else "ASSISTANT").decode()
    return shlex.quote(f'{{"model": {model},\n       "messages": [{message}]}}')
