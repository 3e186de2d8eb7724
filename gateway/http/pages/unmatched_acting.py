"""Turns the button that was pressed on a group into an action of the review queue."""

import datetime as dt
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from gateway.errors import InvalidRequest
from gateway.http.pages.choices import chosen, typed
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.unmatched_forms import Selection, targets_of
from gateway.http.pages.visit import Visit
from store.content import Key, Line, Name
from store.errors import NotFound, Refused
from store.review.actions import (
    AddCounterexample,
    AddPhrasing,
    AnyAction,
    Discard,
    Done,
    Merge,
    NewPrompt,
    OutOfScope,
    Snooze,
)
from store.review.types import QuestionState, Reason, Target, Wanted

UNMATCHED = "/admin/unmatched"
FILTERS = ("assistant", "state", "reason", "text")
_MOST_DAYS = 365
_Language = Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")]
_FIELDS: dict[str, tuple[Any, str]] = {
    "key": (Key, "unmatched.wrong_key"),
    "title": (Line, "unmatched.wrong_title"),
    "area": (Name, "unmatched.wrong_area"),
    "owner": (Line, "unmatched.wrong_owner"),
    "language": (_Language, "unmatched.wrong_language"),
}
"""What a new prompt needs, and what is told where it is not that."""


def wanted_of(visit: Visit) -> Wanted:
    """Returns the questions that the address asks for; open ones where it says nothing."""
    return Wanted(
        assistant=typed(visit, "assistant") or None,
        state=chosen(visit, "state", QuestionState) or QuestionState.OPEN,
        reason=chosen(visit, "reason", Reason),
        text=typed(visit, "text") or None,
    )


def list_link(visit: Visit, *, did: str = "") -> str:
    """Returns the address of the list, filtered as this page is."""
    query = {name: typed(visit, name) for name in (*FILTERS, "singles")} | {"did": did}
    filled = {name: value for name, value in query.items() if value}
    return f"{UNMATCHED}?{urlencode(filled)}" if filled else UNMATCHED


def actions_link() -> str:
    """Returns the address of what was done."""
    return f"{UNMATCHED}/actions"


async def act(visit: Visit, cluster: str) -> Done | Selection | Form:
    """Does what the form says; returns the form where something is wrong with it, or a prompt that is to be written."""
    form, reviewing = visit.form, visit.administration.reviewing
    do, _, about = form.text("do").partition(" ")
    try:
        if do == "merge":
            own, into = (_target(form, name) for name in ("self", "into"))
            if own is None or into is None:
                return form.wrong("into", Said(visit.texts("unmatched.choose_group")))
            return await visit.call(reviewing.act, visit.actor, Merge(into), (own,))
        targets = targets_of(form)
        if not targets:
            return form.wrong("target", Said(visit.texts("unmatched.choose_questions")))
        if do == "new":
            return await _new_prompt(visit, cluster, targets)
        action = _action(visit, form, do, about)
        return action if isinstance(action, Form) else await visit.call(reviewing.act, visit.actor, action, targets)
    except (*REFUSALS, NotFound, Refused) as error:
        return refused(visit, form, error)


def _action(visit: Visit, form: Form, do: str, about: str) -> AnyAction | Form:
    change, wording = form.text("change") or None, form.text("wording") or None
    prompt = about or form.text("prompt")
    match do:
        case "add" | "counter" if not _is(prompt, Key):
            return form.wrong("prompt", Said(visit.texts("unmatched.prompt_needed")))
        case "add":
            return AddPhrasing(prompt, wording, change)
        case "counter":
            return AddCounterexample(prompt, wording, change)
        case "out":
            return OutOfScope(None, change)
        case "snooze":
            days = min(form.number("days"), _MOST_DAYS)
            return Snooze(dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
        case "discard":
            return Discard()
        case _:
            raise InvalidRequest("invalid_form", "The form is malformed.")


async def _new_prompt(visit: Visit, cluster: str, targets: tuple[Target, ...]) -> Done | Selection:
    """Drafts the prompt once it is typed; before that, and when something is wrong with it, it is to be written."""
    form, reviewing = visit.form, visit.administration.reviewing
    detail = await visit.call(reviewing.cluster, visit.actor, cluster, Wanted(state=None))
    is_typed = "key" in form.values
    if is_typed:
        form = _checked(visit, form)
        if not form.errors:
            try:
                return await visit.call(reviewing.act, visit.actor, _prompt(form), targets)
            except (*REFUSALS, NotFound, Refused) as error:
                form = refused(visit, form, error, at="key")
    label, assistant = detail.cluster.label, detail.cluster.assistant
    return Selection(cluster, label, assistant, tuple(form.many("target")), form, is_typed)


def _prompt(form: Form) -> NewPrompt:
    return NewPrompt(
        **{name: form.text(name) for name in _FIELDS},
        review_by=dt.date.fromisoformat(form.text("review_by")),
        answer=form.text("answer"),
        change=form.text("change") or None,
    )


def _checked(visit: Visit, form: Form) -> Form:
    for name, (kind, told) in _FIELDS.items():
        if not _is(form.text(name), kind):
            form = form.wrong(name, Said(visit.texts(told)))
    try:
        dt.date.fromisoformat(form.text("review_by"))
    except ValueError:
        form = form.wrong("review_by", Said(visit.texts("unmatched.wrong_review_by")))
    return form


def _target(form: Form, name: str) -> Target | None:
    found = targets_of(Form({"target": (form.text(name),)}))
    return found[0] if found else None


def _is(text: str, kind: Any) -> bool:
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError:
        return False
    return True
