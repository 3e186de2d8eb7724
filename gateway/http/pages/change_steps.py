"""Steps of a change, each on a page that says what it does before it is taken; the gate; and catching up with live."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.changing.gate import is_startable
from gateway.changing.resolving import resolve
from gateway.changing.services import Changing
from gateway.errors import InvalidRequest
from gateway.http.pages.changes import STEPS, show_change
from gateway.http.pages.documents import CHANGES, change_crumbs, change_path, changing_of, known_id, named_as_shown
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.visit import Visit
from store.changes.evidence import CaseEvidence, SuiteEvidence
from store.changes.rules import NEEDS_REASON, Action
from store.changes.types import Change, EditKind, Item
from store.changes.viewing import ChangeView
from store.errors import InvalidContent, NotFound, Refused
from store.people import Actor

_Asked = NamedDependency[SkipValidation[Visit]]
_ONE = CHANGES + "/{change_id:str}"
_STEP = f"{_ONE}/steps/{{step:str}}"
_GATE = f"{_ONE}/gate"
_REBASE = f"{_ONE}/rebase"
_Take = Callable[[Changing, Actor, UUID, Form, int], Change]
SIDES: Final = ("live", "draft")
"""Of a field that both sides wrote."""


@dataclass(frozen=True, slots=True)
class SuiteCases:
    """What the gate found of a test set, its questions apart by whether the change makes a difference."""

    suite: SuiteEvidence
    changed: list[CaseEvidence]
    """What comes out otherwise than it does live; what was right before, and is not any more, first."""
    unchanged: list[CaseEvidence]
    """What is not as expected, and was not before."""
    questions: dict[str, str]
    """By the ids of their cases."""


def _submit(changing: Changing, actor: Actor, one: UUID, form: Form, rev: int) -> Change:
    """Submits; title and note that were typed on the way are put down first."""
    change = changing.views.get(actor, one).change
    title, note = form.text("title") or change.title, form.text("note") or change.note
    if (title, note) != (change.title, change.note):
        rev = changing.drafts.describe(actor, one, rev=rev, title=title, note=note).rev
    return changing.review.submit(actor, one, rev=rev)


_TAKE: dict[str, _Take] = {
    "submit": _submit,
    "approve": lambda c, actor, one, form, rev: c.review.approve(actor, one, rev=rev, text=form.text("reason")),
    "request_changes": lambda c, actor, one, form, rev: c.review.request_changes(
        actor, one, form.text("reason"), rev=rev
    ),
    "reject": lambda c, actor, one, form, rev: c.review.reject(actor, one, form.text("reason"), rev=rev),
    "withdraw": lambda c, actor, one, form, rev: c.review.withdraw(actor, one, form.text("reason"), rev=rev),
    "publish": lambda c, actor, one, form, rev: (
        c.publishing.schedule(actor, one, moment_of(form), rev=rev)
        if form.text("when") == "later"
        else c.publishing.publish(actor, one, rev=rev)
    ),
    "unschedule": lambda c, actor, one, _form, rev: c.publishing.unschedule(actor, one, rev=rev),
    "emergency": lambda c, actor, one, form, rev: c.publishing.publish_in_emergency(
        actor, one, form.text("reason"), rev=rev
    ),
    "take_back": lambda c, actor, one, _form, rev: c.taking_back.take_back(actor, one, rev=rev),
    "revert": lambda c, actor, one, _form, _rev: c.rebase.revert(actor, one),
}


@get(_STEP, operation_id="change_step_page")
async def change_step_page(change_id: FromPath[str], step: FromPath[str], visit: _Asked) -> Response[Any]:
    """Says what a step does and asks for what it needs; one that cannot be taken leads back to the change."""
    view = await _view(visit, change_id, step)
    if Action(step) not in view.possible:
        return visit.go(change_path(view.change.id))
    return _step(visit, view, step, Form())


@post(_STEP, status_code=200, operation_id="take_change_step")
async def take_change_step(change_id: FromPath[str], step: FromPath[str], visit: _Asked) -> Response[Any]:
    """Takes a step over the state that the page showed."""
    form, view = visit.form, await _view(visit, change_id, step)
    if Action(step) in NEEDS_REASON and not form.text("reason"):
        return _step(visit, view, step, form.wrong("reason", Said(visit.texts("changes.reason_needed"))))
    try:
        made = await visit.call(_TAKE[step], changing_of(visit), visit.actor, view.change.id, form, form.number("rev"))
    except (*REFUSALS, Refused) as error:
        at = "publish_at" if form.text("when") == "later" else "note" if step == "submit" else ""
        view = await _view(visit, change_id, step)
        if isinstance(error, InvalidContent):
            error = InvalidContent(named_as_shown(str(error)), rule=error.rule)
        return _step(visit, view, step, refused(visit, form, error, at=at if str(error).startswith(at) else ""))
    return visit.go(change_path(made.id), done=f"step_{step}")


@get(_GATE, operation_id="gate_page")
async def gate_page(change_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows how far the gate is with a change, and all that it found; while it runs, the page opens itself again."""
    return await _gate(visit, known_id(change_id), Form())


@post(_GATE, status_code=200, operation_id="run_gate_on_page")
async def run_gate_on_page(change_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Begins a run; one that is going on for this content is shown instead of a new one."""
    one, form = known_id(change_id), visit.form
    try:
        await visit.call(changing_of(visit).gate.start, visit.actor, one, rev=form.number("rev"))
    except (*REFUSALS, Refused) as error:
        return await _gate(visit, one, refused(visit, form, error))
    return visit.go(change_path(one, "/gate"))


@get(_REBASE, operation_id="rebase_page")
async def rebase_page(change_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Shows what moved under a change, with all three texts of what both sides wrote."""
    view = await visit.call(changing_of(visit).views.get, visit.actor, known_id(change_id))
    if not view.moved:
        return visit.go(change_path(view.change.id))
    return _rebase(visit, view, Form())


@post(_REBASE, status_code=200, operation_id="rebase_on_page")
async def rebase_on_page(change_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Brings a change up to what is live, with the sides that were chosen."""
    form, changing, one = visit.form, changing_of(visit), known_id(change_id)
    view = await visit.call(changing.views.get, visit.actor, one)
    sides = [
        [(conflict.field, form.text(f"side_{number}_{place}")) for place, conflict in enumerate(moved.conflicts)]
        for number, moved in enumerate(view.moved)
    ]
    if any(side not in SIDES for fields in sides for _, side in fields):
        return _rebase(visit, view, form.wrong("sides", Said(visit.texts("changes.choose_sides"))))
    chosen = {
        moved.item: resolve(moved, [name for name, side in fields if side == SIDES[0]])
        for moved, fields in zip(view.moved, sides, strict=True)
        if fields
    }
    try:
        await visit.call(changing.rebase.rebase, visit.actor, one, rev=form.number("rev"), chosen=chosen)
    except (*REFUSALS, Refused) as error:
        return await show_change(visit, one, refused(visit, Form(), error))
    return visit.go(change_path(one), done="rebased")


def moment_of(form: Form) -> dt.datetime:
    """Returns the time to publish at, which is typed in UTC. Raises `InvalidRequest`."""
    try:
        return dt.datetime.fromisoformat(form.text("publish_at")).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise InvalidRequest("time_needed", "Choose a day and a time.") from error


async def _view(visit: Visit, change_id: str, step: str) -> ChangeView:
    if step not in STEPS:
        raise NotFound("there is no such step")
    return await visit.call(changing_of(visit).views.get, visit.actor, known_id(change_id))


def _step(visit: Visit, view: ChangeView, step: str, form: Form) -> Response[str]:
    return visit.show(
        "change_step.html",
        status=form.status,
        change=view.change,
        run=view.run,
        step=step,
        form=form,
        needs_reason=Action(step) in NEEDS_REASON,
        may_schedule=Action.SCHEDULE in view.possible,
        crumbs=change_crumbs(visit, view.change.id, view.change.title),
    )


async def _gate(visit: Visit, change_id: UUID, form: Form) -> Response[str]:
    changing = changing_of(visit)
    view = await visit.call(changing.views.get, visit.actor, change_id)
    return visit.show(
        "gate.html",
        status=form.status,
        change=view.change,
        run=view.run,
        suites=await _suites(visit, view),
        is_running=view.run is not None and view.run.finished_at is None,
        may_run=is_startable(visit.actor, await visit.call(changing.drafts.get, visit.actor, change_id)),
        form=form,
        crumbs=change_crumbs(visit, view.change.id, view.change.title),
    )


async def _suites(visit: Visit, view: ChangeView) -> list[SuiteCases]:
    found = view.run.result.suites if view.run and view.run.result else ()
    return [
        SuiteCases(
            suite,
            sorted((one for one in suite.differing if one.got != one.before), key=lambda one: not one.is_regression),
            [one for one in suite.differing if one.got == one.before],
            await _questions(visit, view, suite.name),
        )
        for suite in found
    ]


async def _questions(visit: Visit, view: ChangeView, suite: str) -> dict[str, str]:
    """Returns what the cases of a test set ask, by their ids; nothing of one that is not there any more."""
    try:
        found = await visit.call(
            changing_of(visit).contents.get, visit.actor, Item(EditKind.SUITE, suite), view.change.id
        )
    except NotFound:
        return {}
    return {str(one.get("id")): str(one.get("message") or "") for one in found.document.get("cases") or ()}


def _rebase(visit: Visit, view: ChangeView, form: Form) -> Response[str]:
    return visit.show(
        "rebase.html",
        status=form.status,
        change=view.change,
        moved=view.moved,
        sides=SIDES,
        form=form,
        crumbs=change_crumbs(visit, view.change.id, view.change.title),
    )
