"""Playground: a question by the very way that the chat uses, beside everything that was decided on it."""

import secrets
import shlex
from dataclasses import dataclass
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import GatewayError, InvalidRequest, NotServing
from gateway.http.asking import Asking, deadline_of
from gateway.http.explanation import explain
from gateway.http.page import origin_of
from gateway.http.pages.failing import said
from gateway.http.pages.forms import Form
from gateway.http.pages.visit import Visit
from gateway.http.problems import problem_of
from gateway.http.replies import contact_reply, slot_reply, suggested
from gateway.trying import principal_of
from gateway.turn import Question, Reply
from store.content import SLOT_MARK
from store.people import Role
from store.types import Outcome

_Asked = NamedDependency[SkipValidation[Visit]]
_PLAYGROUND: Final = "/admin/playground"
_CONVERSATION_CHARS = 22
_MOST_CHARS = 8000
_SEE_WITHHELD = (Role.EDITOR, Role.APPROVER, Role.ADMIN)
"""Who reads what the model said when it was withheld: it is not approved, and may be anything."""

_WITHHELD = (Outcome.BLOCKED_OUTPUT, Outcome.DEGRADED)


@dataclass(frozen=True, slots=True)
class Snippet:
    """The same question from a program."""

    name: str
    text: str


@get(_PLAYGROUND, operation_id="playground_page")
async def playground_page(visit: _Asked) -> Response[str]:
    """Shows an empty form; an address may hold a question, which is asked only when somebody sends it."""
    query = visit.request.query_params
    names = _assistants(visit)
    assistant = query.get("assistant", "")
    asked = {
        "assistant": (assistant if assistant in names else next(iter(names), ""),),
        "question": (query.get("question", "")[:_MOST_CHARS],),
    }
    return _page(visit, Form(asked), None)


@post(_PLAYGROUND, status_code=200, operation_id="ask_on_playground")
async def ask_on_playground(visit: _Asked) -> Response[str]:
    """Asks, and shows the reply with its trace, or what went wrong."""
    form, components = visit.form, _serving(visit)
    if form.text("assistant") not in _assistants(visit):
        raise InvalidRequest("not_found", "There is no such assistant.")
    limits = components.settings.limits
    question = Question(
        text=form.secret("question"),
        assistant=form.text("assistant"),
        principal=principal_of(visit.actor, requests_per_minute=limits.visitor_requests_per_minute),
        deadline=deadline_of(visit.request, limits.deadline_s),
        conversation=_conversation(form),
    )
    asking = Asking(components.pipeline, question)
    await asking.until_settled(visit.request.receive)
    try:
        reply = asking.reply()
    except GatewayError as error:
        problem = problem_of(error, visit.request.scope)
        wrong = form.wrong("question", said(visit.texts, error, problem), status=problem.status)
        return _page(visit, wrong, None)
    return _page(visit, form, reply)


def _page(visit: Visit, form: Form, reply: Reply | None) -> Response[str]:
    return visit.show(
        "playground.html",
        status=form.status,
        form=form,
        assistants=_assistants(visit),
        conversation=_conversation(form),
        most=_MOST_CHARS,
        reply=reply,
        how=explain(reply) if reply else None,
        read=(reply.turn.message or reply.turn.sent_message) if reply else "",
        withheld=_withheld(visit, reply) if reply else "",
        contact=contact_reply(reply) if reply else None,
        slot=slot_reply(reply.slot) if reply else None,
        offers=_offers(reply) if reply else (),
        snippets=requests_of(origin_of(visit.request), form.text("assistant"), form.secret("question")),
    )


def _serving(visit: Visit) -> Components:
    if visit.components is None:
        raise NotServing("not_serving", "The gateway is not ready.")
    return visit.components


def _assistants(visit: Visit) -> list[str]:
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return sorted(name for name in live if visit.actor.may_see(name))


def _conversation(form: Form) -> str:
    """Returns the conversation of a form that goes on, or a new one."""
    sent = form.text("conversation")
    is_ours = len(sent) == _CONVERSATION_CHARS and sent.replace("-", "").replace("_", "").isalnum() and sent.isascii()
    return sent if is_ours else secrets.token_urlsafe(16)


def _withheld(visit: Visit, reply: Reply) -> str:
    """Returns the model's words where people got others in their place, for those who may read them."""
    was_worded = reply.turn.completion is not None and reply.decision.outcome in _WITHHELD
    may_see = any(map(visit.actor.may, _SEE_WITHHELD))
    return reply.turn.completion.text if reply.turn.completion and was_worded and may_see else ""


def _offers(reply: Reply) -> tuple[tuple[str, str], ...]:
    """Returns titles of prompts that may have been meant, each with a phrasing that can be asked as it stands."""
    found = []
    for prompt in suggested(reply):
        phrasing = next((text for text in prompt.content.phrasings if not SLOT_MARK.search(text)), None)
        if phrasing:
            found.append((prompt.content.title, phrasing))
    return tuple(found)


def requests_of(origin: str, assistant: str, question: str) -> tuple[Snippet, ...]:
    """Returns the request as programs send it; the key comes from where a program keeps it."""
    sent = {"model": assistant or "ASSISTANT", "messages": [{"role": "user", "content": question or "…"}]}
    body = msgspec.json.encode(sent).decode()
    address = f"{origin}/v1/chat/completions"
    return (
        Snippet(
            "curl",
            f'curl {address} \\\n  -H "Authorization: Bearer $CANONGATE_KEY" \\\n'
            f'  -H "Content-Type: application/json" \\\n  -d {shlex.quote(body)}',
        ),
        Snippet(
            "Python",
            "import os\n\nimport httpx\n\n"
            f'reply = httpx.post(\n    "{address}",\n'
            '    headers={"Authorization": f"Bearer {os.environ[\'CANONGATE_KEY\']}"},\n'
            f"    json={body},\n    timeout=60,\n)\n"
            'print(reply.raise_for_status().json()["choices"][0]["message"]["content"])',
        ),
        Snippet(
            "fetch",
            f'const reply = await fetch("{address}", {{\n  method: "POST",\n'
            '  headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },\n'
            f"  body: JSON.stringify({body}),\n}});\n"
            "console.log((await reply.json()).choices[0].message.content);",
        ),
    )
