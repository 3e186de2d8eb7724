"""Rails: a policy edited as text or as a form; either way it becomes a draft in a change."""

from collections.abc import Iterable, Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.rails import ONE, change_of, frame_of, item_of, live_of, shown_of
from gateway.http.pages.visit import Visit
from gateway.policy_desk.drafting import Draft, Looked, PolicyDesk, PolicyRefused, WeakeningUnconfirmed
from gateway.policy_desk.fields import FieldKind, FieldSpec
from gateway.policy_desk.forms import FieldsWrong, Mistake, document_of, stages_of, tests_gone, typed_of
from gateway.policy_desk.reading import Difference, weakenings
from rails.findings import Finding
from store.changes.contents import Shown
from store.errors import Conflict, Refused
from store.formats.documents import write_yaml

_Asked = NamedDependency[SkipValidation[Visit]]
_CODE, _FORM = f"{ONE}/code", f"{ONE}/form"
_MOVED = 409
_WORDS = {
    Mistake.NO_NUMBER: "rails.wrong_no_number",
    Mistake.NOT_WHOLE: "rails.wrong_not_whole",
    Mistake.MISSING: "rails.wrong_missing",
}


@get(_CODE, operation_id="policy_code_page")
async def policy_code_page(policy_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows a policy as text."""
    shown = await shown_of(visit, policy_name, change_of(visit.request.query_params.get("change", "")))
    return await _code(visit, shown, Form({"text": (write_yaml(dict(shown.document)),), "read": (shown.digest,)}))


@post(_CODE, status_code=200, operation_id="save_policy_code")
async def save_policy_code(policy_name: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts the text, or shows it again with what is wrong and where."""
    form = visit.form
    change = change_of(form.text("change"))
    shown = await shown_of(visit, policy_name, change)
    draft = Draft(form.secret("text"), form.text("read"), change, is_meant=form.text("meant") == "1")
    try:
        return await _save(visit, policy_name, draft, "code")
    except PolicyRefused as error:
        wrong = form.wrong("text", Said(visit.texts("rails.text_refused", number=len(error.findings))))
        return await _code(visit, shown, wrong, findings=error.findings)
    except WeakeningUnconfirmed as error:
        return await _code(visit, shown, _unconfirmed(visit, form), asked=error.found)
    except (*REFUSALS, Refused) as error:
        return await _code(visit, shown, refused(visit, form, error), is_moved=isinstance(error, Conflict))


@post(f"{_CODE}/check", status_code=200, operation_id="check_policy_code")
async def check_policy_code(policy_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows what is wrong with the text as it is typed, and what it would take away; nothing is saved."""
    form = visit.form
    shown = await shown_of(visit, policy_name, change_of(form.text("change")))
    looked = await _look(visit, policy_name, form.secret("text"))
    return await _code(visit, shown, form, findings=looked.findings, looked=looked)


@get(_FORM, operation_id="policy_form_page")
async def policy_form_page(policy_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows a policy as a form."""
    shown = await shown_of(visit, policy_name, change_of(visit.request.query_params.get("change", "")))
    return await _form(visit, shown, Form({"read": (shown.digest,)}))


@post(_FORM, status_code=200, operation_id="save_policy_form")
async def save_policy_form(policy_name: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts what the form says, or shows it again with what is wrong."""
    form = visit.form
    change = change_of(form.text("change"))
    shown = await shown_of(visit, policy_name, change)
    if shown.digest != form.text("read"):
        return await _form(visit, shown, form.wrong("", Said(visit.texts("rails.moved_form")), status=_MOVED))
    try:
        document = document_of(shown.document, form.values)
        tests = tests_gone(shown.document, document)
        text = write_yaml(document)
        draft = Draft(text, form.text("read"), change, is_meant=form.text("meant") == "1")
        return await _save(visit, policy_name, draft, "form")
    except FieldsWrong as error:
        for name, (mistake, spec) in error.mistakes.items():
            form = form.wrong(name, Said(_mistake(visit, mistake, spec)))
        return await _form(visit, shown, form)
    except PolicyRefused as error:
        wrong = form.wrong("", Said(visit.texts("rails.form_refused")))
        return await _form(visit, shown, wrong, findings=error.findings)
    except WeakeningUnconfirmed as error:
        return await _form(visit, shown, _unconfirmed(visit, form), asked=error.found, tests=tests)
    except (*REFUSALS, Refused) as error:
        return await _form(visit, shown, refused(visit, form, error), is_moved=isinstance(error, Conflict))


@post(f"{_FORM}/check", status_code=200, operation_id="check_policy_form")
async def check_policy_form(policy_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows what is wrong with the form as it is typed, and what it would take away; nothing is saved."""
    form = visit.form
    shown = await shown_of(visit, policy_name, change_of(form.text("change")))
    if shown.digest != form.text("read"):
        return await _form(visit, shown, form.wrong("", Said(visit.texts("rails.moved_form")), status=_MOVED))
    try:
        text = write_yaml(document_of(shown.document, form.values))
    except FieldsWrong as error:
        for name, (mistake, spec) in error.mistakes.items():
            form = form.wrong(name, Said(_mistake(visit, mistake, spec)))
        return await _form(visit, shown, form)
    looked = await _look(visit, policy_name, text)
    return await _form(visit, shown, form, findings=looked.findings, looked=looked)


async def _look(visit: Visit, name: str, text: str) -> Looked:
    desk = PolicyDesk(visit.administration.changing.contents)
    return await visit.call(desk.look, visit.actor, item_of(name), text)


async def _save(visit: Visit, name: str, draft: Draft, view: str) -> Response[Any]:
    desk = PolicyDesk(visit.administration.changing.contents)
    change = await visit.call(desk.save, visit.actor, item_of(name), draft)
    return visit.go(f"/admin/rails/{name}?change={change.id}&from={view}", done="policy_drafted")


async def _code(
    visit: Visit,
    shown: Shown,
    form: Form,
    *,
    findings: Iterable[Finding] = (),
    looked: Looked | None = None,
    asked: tuple[Difference, ...] = (),
    is_moved: bool = False,
) -> Response[str]:
    lines = form.secret("text").split("\n")
    return visit.show(
        "policy_code.html",
        status=form.status,
        form=form,
        findings=[(one, lines[one.line - 1] if one.line <= len(lines) else "") for one in findings],
        present=await _present(visit, shown),
        looked=looked,
        losing=weakenings(looked.found) if looked else (),
        asked=asked,
        moved=write_yaml(dict(shown.document)) if is_moved else None,
        **frame_of(visit, shown, await live_of(visit, shown)),
    )


async def _form(
    visit: Visit,
    shown: Shown,
    form: Form,
    *,
    findings: Iterable[Finding] = (),
    looked: Looked | None = None,
    asked: tuple[Difference, ...] = (),
    tests: Iterable[Mapping[str, Any]] = (),
    is_moved: bool = False,
) -> Response[str]:
    frame = frame_of(visit, shown, await live_of(visit, shown))
    is_readable = not frame["view"].problem
    typed = typed_of(shown.document) if is_readable else {}
    if form.text("sent"):
        boxes = {name for name in typed if name.endswith(".monitor") or len(typed[name]) != 1}
        typed = {name: value for name, value in typed.items() if name not in boxes} | dict(form.values)
    return visit.show(
        "policy_form.html",
        status=form.status,
        form=form,
        typed=Form(typed, form.errors),
        stages=stages_of(shown.document) if is_readable else (),
        findings=[(one, "") for one in findings],
        present=await _present(visit, shown),
        looked=looked,
        losing=weakenings(looked.found) if looked else (),
        asked=asked,
        tests=[one["text"] for one in tests],
        is_moved=is_moved,
        kinds=FieldKind,
        **frame,
    )


async def _present(visit: Visit, shown: Shown) -> tuple[str, ...]:
    """Returns who else edits the policy; whoever may only read it is not noted."""
    if not visit.may(_FORM):
        return ()
    presence = visit.administration.presence
    return await visit.call(presence.meet, visit.actor, shown.item, shown.change)


def _unconfirmed(visit: Visit, form: Form) -> Form:
    return form.wrong("meant", Said(visit.texts("rails.weakens_asked")))


def _mistake(visit: Visit, mistake: Mistake, spec: FieldSpec | None) -> str:
    if mistake in _WORDS:
        return visit.texts(_WORDS[mistake])
    low, high = (_bound(visit, spec.low), _bound(visit, spec.high)) if spec else ("", "")
    return visit.texts("rails.wrong_out_of_bounds", low=low, high=high)


def _bound(visit: Visit, bound: float | None) -> str:
    return "" if bound is None else visit.texts.number(bound, 0 if float(bound).is_integer() else 2)
