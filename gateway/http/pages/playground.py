"""Playground: a question by the very way that the chat uses, beside everything that was decided on it."""

import shlex
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.changing.rehearsing import Rehearsal
from gateway.components import Components
from gateway.errors import GatewayError, InvalidRequest, NotServing
from gateway.http.page import origin_of
from gateway.http.pages.choices import EXPECTED, assistants_of, case_path, choices_of, suites_of, typed
from gateway.http.pages.documents import change_of, changing_of
from gateway.http.pages.failing import said
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.playground_asking import READY_S, Column, Wish, asked_of, conversation_of, differences_of
from gateway.http.pages.playground_widget import widget_shown
from gateway.http.pages.visit import Visit
from gateway.http.pages.widget_preview import framing
from gateway.http.problems import problem_of
from gateway.readiness import PartReport, PartState
from store.changes.types import OPEN_STATES, ChangeHead, EditKind
from store.content import SLOT_MARK
from store.formats.suite import Expectation
from store.people import Role

_Asked = NamedDependency[SkipValidation[Visit]]
_PLAYGROUND: Final = "/admin/playground"
_MOST_CHARS = 8000
_MOST_DRAFTS, _MOST_SAMPLES = 50, 6
_ASK_DRAFTS = (Role.EDITOR, Role.APPROVER, Role.ADMIN)
"""To whom drafts are offered; the service decides."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """The same question from a program."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of asking."""

    columns: tuple[Column, ...] = ()
    """None before anything was asked, two where states are compared."""
    waiting: Rehearsal | None = None
    """The state of a draft that is still being made."""
    problems: tuple[str, ...] = field(default=())
    """Why the state of a draft cannot be made."""


@get(_PLAYGROUND, operation_id="playground_page")
async def playground_page(visit: _Asked) -> Response[str]:
    """Shows an empty form; an address may hold a question, which is asked only when somebody sends it."""
    query = visit.request.query_params
    change = change_of(visit)
    names = await _assistants(visit, change)
    assistant = query.get("assistant", "")
    asked = {
        "assistant": (assistant if assistant in names else next(iter(names), ""),),
        "question": (query.get("question", "")[:_MOST_CHARS],),
        "change": (str(change) if change else "",),
        "widget": (typed(visit, "widget"),),
    }
    return await _page(visit, Form(asked), names, Shown())


@post(_PLAYGROUND, status_code=200, operation_id="ask_on_playground")
async def ask_on_playground(visit: _Asked) -> Response[str]:
    """Asks, and shows the reply with its trace, or what went wrong."""
    form, components = visit.form, _serving(visit)
    wish = Wish(change_of(visit), bool(form.text("compare")), bool(form.text("repeat")))
    names = await _assistants(visit, wish.change)
    if form.text("assistant") not in names:
        raise InvalidRequest("not_found", "There is no such assistant.")
    if wish.is_compared and wish.change is None:
        wrong = form.wrong("change", Said(visit.texts("playground.compare_what")))
        return await _page(visit, wrong, names, Shown())
    try:
        found = await _asked(visit, components, wish)
    except GatewayError as error:
        problem = problem_of(error, visit.request.scope)
        wrong = form.wrong("question", said(visit.texts, error, problem), status=problem.status)
        return await _page(visit, wrong, names, Shown())
    return await _page(visit, form, names, found)


async def _asked(visit: Visit, components: Components, wish: Wish) -> Shown:
    rehearsing = visit.administration.rehearsing
    if wish.change is None:
        pipeline = components.pipeline if wish.is_recorded else rehearsing.live
        return Shown((await asked_of(visit, components, wish, side="live", pipeline=pipeline),))
    found = await rehearsing.settled(visit.actor, wish.change, within_s=READY_S)
    if found.pipeline is None:
        told = await visit.call(rehearsing.told, visit.actor, wish.change, found)
        return Shown(waiting=None if told else found, problems=told)
    draft = await asked_of(visit, components, wish, side="draft", pipeline=found.pipeline)
    if not wish.is_compared or visit.form.text("assistant") not in assistants_of(visit):
        return Shown((draft,))
    return Shown((await asked_of(visit, components, wish, side="live", pipeline=rehearsing.live), draft))


async def _page(visit: Visit, form: Form, names: list[str], found: Shown) -> Response[str]:
    is_compared = len(found.columns) > 1
    drafts, widget = await _drafts(visit), await widget_shown(visit, form)
    return visit.show(
        "playground.html",
        status=form.status,
        headers=framing(widget.preview),
        widget=widget,
        form=form,
        found=found,
        differences=differences_of(visit.texts, *found.columns) if is_compared else (),
        is_compared=is_compared,
        assistants=names,
        drafts=drafts,
        draft=next((one for one in drafts if str(one.id) == form.text("change")), None),
        conversation=conversation_of(form),
        most=_MOST_CHARS,
        model=await _model(visit),
        cases=await _cases(visit, form, found.columns),
        languages_asked=choices_of(visit).languages,
        language=typed(visit, "language"),
        samples=_samples(visit, form.text("assistant"), typed(visit, "language")),
        snippets=requests_of(
            origin_of(visit.request, _serving(visit).settings.server), form.text("assistant"), form.secret("question")
        ),
    )


def _serving(visit: Visit) -> Components:
    if visit.components is None:
        raise NotServing("not_serving", "The gateway is not ready.")
    return visit.components


async def _assistants(visit: Visit, change: UUID | None) -> list[str]:
    """Returns the assistants that can be asked: those that are live, and those of the draft. Raises `NotFound`."""
    names = set(assistants_of(visit))
    if change is not None:
        opened = await visit.call(changing_of(visit).drafts.get, visit.actor, change)
        names |= {one.name for one in opened.change.items if one.kind is EditKind.ASSISTANT}
    return sorted(name for name in names if visit.actor.may_see(name))


async def _drafts(visit: Visit) -> tuple[ChangeHead, ...]:
    """Returns the open changes that the person can ask, their own before those of others."""
    if not any(map(visit.actor.may, _ASK_DRAFTS)):
        return ()
    drafts = changing_of(visit).drafts
    page = await visit.call(drafts.page, visit.actor, limit=_MOST_DRAFTS, states=OPEN_STATES)
    filled = [one for one in page.changes if one.items]
    return tuple(sorted(filled, key=lambda one: visit.actor.person not in one.authors))


async def _cases(visit: Visit, form: Form, columns: tuple[Column, ...]) -> tuple[tuple[str, str], ...]:
    """Returns test sets that the question can be added to, each with the address of the form that is filled in."""
    if not columns:
        return ()
    decision = columns[-1].reply.decision
    expect = EXPECTED.get(decision.outcome, Expectation.ANSWER)
    prompt = decision.prompt_key if expect is Expectation.ANSWER else None
    names = await suites_of(visit, decision.assistant)
    return tuple((name, case_path(name, form.secret("question"), expect, prompt)) for name in names)


async def _model(visit: Visit) -> PartReport | None:
    """Returns what keeps the language model from answering, None when nothing does."""
    if visit.components is None:
        return None
    report = await visit.call(visit.components.readiness.report)
    found = report.parts.get("model")
    return None if found is None or found.state is PartState.READY else found


def _samples(visit: Visit, assistant: str, language: str) -> tuple[str, ...]:
    """Returns approved phrasings to begin with, one of each prompt that the assistant answers in that language."""
    catalog = visit.components.live.current.catalog if visit.components else None
    known = catalog.assistants.get(assistant) if catalog else None
    if catalog is None or known is None or not visit.actor.may_see(assistant):
        return ()
    found = []
    for _, version in sorted(catalog.prompts.items()):
        content = version.content
        if content.area in known.areas and language in ("", content.language):
            found += [text for text in content.phrasings if not SLOT_MARK.search(text)][:1]
        if len(found) == _MOST_SAMPLES:
            break
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
