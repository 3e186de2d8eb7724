"""Test sets: what is asked before anything goes live, what came of it last, and edits that go into a change."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from gateway.changing.live_suites import baselines_of, compared
from gateway.http.pages.choices import assistants_of, typed
from gateway.http.pages.diff import ShownDifference, document_difference
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form
from gateway.http.pages.prompt_edits import now_of
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.suite_forms import (
    FIELDS,
    both_cases,
    case_form,
    case_of,
    said_in,
    with_case,
    without_case,
    written_over,
)
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.changes.contents import Shown
from store.changes.lists import ContentHead, Wanted
from store.changes.suite_results import SuiteResult
from store.changes.suite_runs import SuiteRunState
from store.changes.types import Change, EditKind, Item
from store.errors import Conflict, NotFound, Refused
from store.folding import folded
from store.formats.suite import Expectation
from store.sorting import LONG_AGO, Sort, sorted_by

_Asked = NamedDependency[SkipValidation[Visit]]
_SUITES = "/admin/suites"
_ONE = _SUITES + "/{suite_name:str}"
_MOST = 1000
"""Live test sets that are listed."""
_Listed = tuple[ContentHead, SuiteResult | None]


def _share(listed: _Listed) -> float:
    result = listed[1]
    return result.evidence.right / max(1, result.evidence.cases) if result else -1.0


def _asked(listed: _Listed) -> dt.datetime:
    run = listed[1].run if listed[1] else None
    return (run.finished_at or run.started_at) if run else LONG_AGO


def _name(listed: _Listed) -> str:
    return listed[0].name


SORTS: Mapping[str, Sort[_Listed]] = {
    "title": Sort(str, lambda one: folded(one[0].title)),
    "assistant": Sort(str, lambda one: ", ".join(one[0].assistants)),
    "result": Sort(float, _share),
    "asked": Sort(dt.datetime, _asked),
}
"""Columns that the list is sorted by."""


@get(_SUITES, operation_id="suites_page")
async def suites_page(visit: _Asked) -> Response[str]:
    """Lists live test sets, with what they came to last."""
    changing, search, sorting = (
        visit.administration.changing,
        typed(visit, "search"),
        sorting_of(visit, SORTS, "title"),
    )
    wanted = Wanted(search=search or None, assistant=typed(visit, "assistant") or None)
    call, results = changing.contents.page, await visit.call(changing.results.last, visit.actor)
    heads = await visit.call(call, visit.actor, EditKind.SUITE, wanted, limit=_MOST, after=None)
    listed = [(head, results.get(head.name)) for head in heads]
    found = sorted_by(listed, sorting.order, SORTS[sorting.order.column], _name, ROWS + 1)
    suites, further = sorting.cut(found, _name)
    return visit.show(
        "suites.html",
        suites=suites,
        filters={"search": search, "assistant": typed(visit, "assistant")},
        is_filtered=bool(search or typed(visit, "assistant")),
        assistants=assistants_of(visit),
        sorting=sorting,
        further=further,
    )


@get(_ONE, operation_id="suite_page")
async def suite_page(suite_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows a test set as it is live, or as a change would have it."""
    shown = await _found(visit, suite_name, _change_id(typed(visit, "change")))
    results = await visit.call(visit.administration.changing.results.last, visit.actor)
    every = list(shown.document.get("cases") or ())
    text, after = typed(visit, "text"), typed(visit, "after")
    cases = [case for case in every if text.casefold() in said_in(case)]
    ids = [str(case.get("id")) for case in cases]
    start = ids.index(after) + 1 if after in ids else 0
    return visit.show(
        "suite.html",
        shown=shown,
        document=shown.document,
        cases=cases[start : start + ROWS],
        case_count=len(every),
        text=text,
        further=ids[start + ROWS - 1] if len(ids) > start + ROWS else None,
        is_first=not start,
        result=results.get(shown.item.name),
        **await _live_runs(visit, shown),
        change=await _change(visit, shown),
        can_edit=visit.may(_ONE + "/case"),
        crumbs=(_crumb(visit),),
    )


@get(f"{_ONE}/case", operation_id="suite_case_page")
async def suite_case_page(suite_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows the form of one case, or of a new one."""
    shown = await _found(visit, suite_name, _change_id(typed(visit, "change")))
    case = case_of(shown.document, typed(visit, "case"))
    filled = {name: typed(visit, name) for name in ("message", "expect", "prompt") if typed(visit, name)}
    return _case(visit, shown, case_form(case or filled or None, shown.digest, str(shown.change or "")))


@post(f"{_ONE}/case", status_code=200, operation_id="draft_suite_case")
async def draft_suite_case(suite_name: FromPath[str], visit: _Asked) -> Response[str] | Redirect:
    """Drafts a case, or its removal, in the person's change."""
    form = visit.form
    change_id = _change_id(form.text("change"))
    shown = await _found(visit, suite_name, change_id)
    old = form.text("case") if form.text("do") == "remove" else ""
    try:
        document = without_case(shown.document, old) if old else with_case(shown.document, form)
        replace = visit.administration.changing.contents.replace
        read = form.text("read")
        made = await visit.call(replace, visit.actor, shown.item, document, read=read, change_id=change_id)
    except Conflict as error:
        now = await now_of(visit, shown, error)
        over = written_over(form, now.document, now.digest, str(now.change or change_id or ""))
        both = both_cases(form, now.document)
        return _case(visit, now, refused(visit, over, error), differences=document_difference(*both))
    except (*REFUSALS, Refused) as error:
        return _case(visit, shown, refused(visit, form, error))
    done = "case_removed" if old else "case_drafted"
    return visit.go(f"{_SUITES}/{shown.item.name}?change={made.id}", done=done)


@get(f"{_SUITES}/new", operation_id="new_suite_page")
async def new_suite_page(visit: _Asked) -> Response[str]:
    """Shows an empty form with the first case."""
    return _new(visit, case_form(None, "", ""))


@post(f"{_SUITES}/new", status_code=200, operation_id="draft_suite")
async def draft_suite(visit: _Asked) -> Response[str] | Redirect:
    """Drafts a new test set in the person's change."""
    form = visit.form
    document = {name: form.text(name) for name in ("name", "title", "assistant") if form.text(name)}
    try:
        whole = with_case({**document, "cases": []}, form)
        create = visit.administration.changing.contents.create
        made = await visit.call(create, visit.actor, EditKind.SUITE, whole)
    except (*REFUSALS, Refused) as error:
        return _new(visit, refused(visit, form, error, at="name"))
    return visit.go(f"{_SUITES}/{form.text('name')}?change={made.id}", done="suite_drafted")


@post(f"{_ONE}/run", status_code=200, operation_id="run_suite_on_page")
async def run_suite_on_page(suite_name: FromPath[str], visit: _Asked) -> Response[str] | Redirect:
    """Asks the test set of what is live; for a draft, begins a run of the gate for the change that has it."""
    form, changing = visit.form, visit.administration.changing
    change_id = _change_id(form.text("change"))
    if change_id is None:
        await visit.call(visit.administration.suites.start, visit.actor, suite_name)
        return visit.go(f"{_SUITES}/{suite_name}#live-run", done="run_begun")
    opened = await visit.call(changing.drafts.get, visit.actor, change_id)
    if opened.change.edit_of(Item(EditKind.SUITE, suite_name)) is None:
        raise NotFound("the change has no such test set")
    await visit.call(changing.gate.start, visit.actor, change_id, rev=opened.change.rev)
    return visit.go(f"{_SUITES}/{suite_name}?change={change_id}", done="run_begun")


def _case(visit: Visit, shown: Shown, form: Form, *, differences: tuple[ShownDifference, ...] = ()) -> Response[str]:
    name = shown.item.name
    back = f"{_SUITES}/{name}" + (f"?change={shown.change}" if shown.change else "")
    return visit.show(
        "suite_case.html",
        status=form.status,
        form=form,
        name=name,
        back=back,
        differences=differences,
        fields=FIELDS,
        expectations=list(Expectation),
        crumbs=(_crumb(visit), Crumb(str(shown.document.get("title") or name), back)),
    )


def _new(visit: Visit, form: Form) -> Response[str]:
    return visit.show(
        "suite_new.html",
        status=form.status,
        form=form,
        fields=FIELDS,
        assistants=assistants_of(visit),
        expectations=list(Expectation),
        crumbs=(_crumb(visit),),
    )


async def _found(visit: Visit, name: str, change_id: UUID | None) -> Shown:
    item = Item(EditKind.SUITE, name if name.isprintable() else "?")
    return await visit.call(visit.administration.changing.contents.get, visit.actor, item, change_id)


async def _change(visit: Visit, shown: Shown) -> tuple[Change, Mapping[str, Any]] | None:
    """Returns the change whose draft is shown, with its newest run of the gate."""
    if shown.change is None:
        return None
    view = await visit.call(visit.administration.changing.views.get, visit.actor, shown.change)
    return view.change, {"run": view.run, "possible": view.possible}


async def _live_runs(visit: Visit, shown: Shown) -> Mapping[str, Any]:
    """Returns the runs against what is live, and the newest one beside the baseline of `?baseline=`."""
    runs = await visit.call(visit.administration.suites.of, visit.actor, shown.item.name)
    finished = [one for one in runs if one.state is SuiteRunState.DONE]
    baselines = baselines_of(runs)
    wanted = typed(visit, "baseline")
    baseline = next((one for one in baselines if str(one.id) == wanted), baselines[0] if baselines else None)
    return {
        "run": runs[0] if runs else None,
        "finished": finished[0] if finished else None,
        "baselines": baselines,
        "baseline": baseline,
        "evidence": compared(finished[0], baseline) if finished else None,
    }


def _change_id(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("there is no such change") from error


def _crumb(visit: Visit) -> Crumb:
    return Crumb(visit.texts("suites.title"), _SUITES)
