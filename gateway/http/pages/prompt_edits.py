"""Editing prompts: every save goes into an open change and never live; of two writers none loses a text."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.changing.phrasing_checks import PhrasingCheck, PhrasingChecks
from gateway.errors import NotServing
from gateway.http.pages.diff import document_difference
from gateway.http.pages.documents import (
    PROMPTS,
    change_of,
    changing_of,
    may_edit,
    prompt_crumbs,
    prompt_item,
    prompt_path,
)
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.presence import others_at
from gateway.http.pages.prompt_forms import MODES, document_of, form_of, marked
from gateway.http.pages.slot_forms import TYPES
from gateway.http.pages.visit import Visit
from store.changes.contents import Shown
from store.changes.held import DRAFTS
from store.changes.problems import prompt_problems
from store.changes.types import Change, ChangeHead, Edit, EditKind, Item
from store.errors import Conflict, NotFound, Refused

_Asked = NamedDependency[SkipValidation[Visit]]
_ONE = PROMPTS + "/{prompt_key:str}"
_CONFLICT = 409


@get(f"{PROMPTS}/new", operation_id="new_prompt_page")
async def new_prompt_page(visit: _Asked) -> Response[str]:
    """Shows an empty form."""
    return _new(visit, form_of({"language": "en"}))


@post(f"{PROMPTS}/new", status_code=200, operation_id="create_prompt_on_page")
async def create_prompt_on_page(visit: _Asked) -> Response[Any]:
    """Drafts a new prompt, in the change that is named or in an open one of one's own."""
    form = visit.form
    document = document_of(form, {})
    if (where := change_of(visit)) is None and not document["key"]:
        return _new(visit, form.wrong("key", marked_key(visit)))
    try:
        change = await visit.call(
            changing_of(visit).contents.create, visit.actor, EditKind.PROMPT, document, change_id=where
        )
    except (*REFUSALS, Refused) as error:
        if isinstance(error, Conflict) and error.rule == "document_there":
            wrong = form.wrong("key", Said(visit.texts("prompts.key_taken")), status=_CONFLICT)
            return _new(visit, wrong, taken=_path_of(error, document["key"]))
        return _new(visit, refused(visit, form, error, at="key"))
    return _saved(visit, document["key"], document, change.id)


@get(f"{_ONE}/edit", operation_id="edit_prompt_page")
async def edit_prompt_page(prompt_key: FromPath[str], visit: _Asked) -> Response[Any]:
    """Shows the form of a prompt, with what is wrong with a draft and how its phrasings stand among the live ones.

    Whoever may not edit in its area is led to the prompt, where that is said, before anything is typed.
    """
    if not may_edit(visit, prompt_key):
        return visit.go(prompt_path(prompt_key, change_of(visit)))
    found = await _found(visit, prompt_item(prompt_key), change_of(visit))
    form = form_of(found.document)
    if found.change is not None:
        form = marked(form, prompt_problems(prompt_key, found.document), visit.texts)
    return await _edit(visit, found, form)


@post(f"{_ONE}/edit", status_code=200, operation_id="save_prompt_on_page")
async def save_prompt_on_page(prompt_key: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts the prompt as it was typed; when it was written meanwhile, both texts are shown and nothing is saved."""
    form, item, change = visit.form, prompt_item(prompt_key), change_of(visit)
    found = await _found(visit, item, change)
    document = document_of(form, found.document)
    try:
        made = await put_draft(visit, found, document, change)
    except Conflict as error:
        now = await now_of(visit, found, error)
        return await _edit(visit, now, refused(visit, form, error), differences=(now.document, document))
    except (*REFUSALS, Refused) as error:
        return await _edit(visit, found, refused(visit, form, error))
    return _saved(visit, prompt_key, document, made.id)


@post(f"{PROMPTS}/new/check", status_code=200, operation_id="check_new_prompt_on_page")
async def check_new_prompt_on_page(visit: _Asked) -> Response[str]:
    """Shows how the phrasings of a new prompt would stand; nothing is saved."""
    return _new(visit, visit.form, checks=await checks_of(visit, document_of(visit.form, {})))


@post(f"{_ONE}/check", status_code=200, operation_id="check_prompt_on_page")
async def check_prompt_on_page(prompt_key: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows how the phrasings stand as they are typed; nothing is saved, and what was read stays what was read."""
    found = await _found(visit, prompt_item(prompt_key), change_of(visit))
    return await _edit(visit, found, visit.form, typed=document_of(visit.form, found.document))


@get(f"{_ONE}/remove", operation_id="remove_prompt_page")
async def remove_prompt_page(prompt_key: FromPath[str], visit: _Asked) -> Response[str]:
    """Says what comes of removing a prompt, before anything is done."""
    found = await _found(visit, prompt_item(prompt_key), change_of(visit))
    return _remove(visit, found, Form())


@post(f"{_ONE}/remove", status_code=200, operation_id="remove_prompt_on_page")
async def remove_prompt_on_page(prompt_key: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts the removal of a prompt."""
    form, item, change = visit.form, prompt_item(prompt_key), change_of(visit)
    try:
        made = await visit.call(
            changing_of(visit).contents.remove, visit.actor, item, read=form.text("read"), change_id=change
        )
    except (*REFUSALS, Refused) as error:
        return _remove(visit, await _found(visit, item, change), refused(visit, form, error))
    return visit.go(f"/admin/changes/{made.id}", done="removal_drafted")


def marked_key(visit: Visit) -> Any:
    """Returns what is said to a new prompt without a key."""
    return marked(Form(), prompt_problems("", {}), visit.texts).errors["key"]


async def _found(visit: Visit, item: Item, change: UUID | None) -> Shown:
    return await visit.call(changing_of(visit).contents.get, visit.actor, item, change)


async def put_draft(visit: Visit, found: Shown, document: Mapping[str, Any], change: UUID | None) -> Change:
    """Drafts a document. One in a change that is no draft any more takes that back to a draft, as its page says."""
    changing, form, actor, item = changing_of(visit), visit.form, visit.actor, found.item
    if found.change is not None:
        held, view = await visit.call(changing.views.edit, actor, found.change, item)
        if held.state not in DRAFTS:
            edit = Edit(item.kind, item.name, document, view.edit.base)
            return await visit.call(changing.drafts.add_edit, actor, held.id, edit, rev=form.number("rev"))
    read = form.text("read")
    return await visit.call(changing.contents.replace, actor, item, document, read=read, change_id=change)


async def held_by(visit: Visit, found: Shown) -> ChangeHead | None:
    """Returns the change whose draft is shown."""
    if found.change is None:
        return None
    held, _ = await visit.call(changing_of(visit).views.edit, visit.actor, found.change, found.item)
    return held


async def now_of(visit: Visit, found: Shown, error: Conflict) -> Shown:
    """Returns what is there now: in the change that the service looked into, else what was found."""
    told = (error.found or {}).get("change")
    if found.change is None and isinstance(told, str):
        try:
            return await _found(visit, found.item, UUID(told))
        except NotFound:
            return found
    return found


def _saved(visit: Visit, key: str, document: Mapping[str, Any], change: UUID) -> Response[Any]:
    """Leads on to the draft; to the form again while something is wrong with it."""
    has_problems = bool(prompt_problems(key, document))
    if has_problems:
        return visit.go(prompt_path(key, change, "/edit"), done="draft_saved_with_problems")
    return visit.go(prompt_path(key, change), done="draft_saved")


async def _edit(
    visit: Visit,
    found: Shown,
    form: Form,
    *,
    differences: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Response[str]:
    """Shows the form. `typed` is a document that was sent to be looked at alone: its ground stays that of the form."""
    held = await held_by(visit, found)
    rev = held.rev if held else ""
    return visit.show(
        "edit_prompt.html",
        status=form.status,
        item=found.item,
        form=form,
        read=found.digest if typed is None else form.text("read"),
        rev=rev if typed is None else form.text("rev"),
        change=held,
        is_own=held is not None and held.authors == {visit.actor.person},
        where=change_of(visit),
        others=[one for one in found.open_changes if one.id != found.change],
        differences=document_difference(*differences) if differences else (),
        has_moved=differences is not None,
        checks=await checks_of(visit, found.document if typed is None else typed),
        modes=MODES,
        slot_types=TYPES,
        is_new=False,
        present=await others_at(visit, found.item),
        crumbs=prompt_crumbs(visit, found.item.name, str(found.document.get("title", "")), found.change),
    )


async def checks_of(visit: Visit, document: Mapping[str, Any]) -> tuple[PhrasingCheck, ...] | None:
    """Returns how the phrasings stand; None when that cannot be said."""
    if visit.components is None:
        return None
    try:
        return await visit.call(PhrasingChecks(visit.components.live).of, visit.actor, document)
    except NotServing:
        return None


def _path_of(error: Conflict, key: str) -> str:
    """Returns where the prompt is whose key is taken: live, or in the change that the service looked into."""
    found: dict[str, Any] = dict(error.found or {})
    is_live = any(one["live"] is not None for one in found.get("items", ()))
    return prompt_path(key, None if is_live or "change" not in found else UUID(found["change"]))


def _new(
    visit: Visit, form: Form, taken: str = "", *, checks: tuple[PhrasingCheck, ...] | None = None
) -> Response[str]:
    return visit.show(
        "edit_prompt.html",
        status=form.status,
        item=None,
        form=form,
        taken=taken,
        read="",
        rev="",
        change=None,
        where=change_of(visit),
        others=(),
        differences=(),
        has_moved=False,
        checks=checks,
        modes=MODES,
        slot_types=TYPES,
        is_new=True,
        present=(),
        crumbs=prompt_crumbs(visit),
    )


def _remove(visit: Visit, found: Shown, form: Form) -> Response[str]:
    return visit.show(
        "remove_prompt.html",
        status=form.status,
        shown=found,
        form=form,
        crumbs=prompt_crumbs(visit, found.item.name, str(found.document.get("title", "")), found.change),
    )
