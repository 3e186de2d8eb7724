"""Editing assistants: every save goes into an open change and never live; of two writers none loses a text."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.http.pages.assistant_forms import SAID, document_of, form_of, marked
from gateway.http.pages.assistants import (
    ASSISTANTS,
    ONE,
    assistant_crumbs,
    assistant_path,
    item_of,
)
from gateway.http.pages.diff import document_difference
from gateway.http.pages.documents import change_of, changing_of
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.presence import others_at
from gateway.http.pages.prompt_edits import held_by, now_of, put_draft
from gateway.http.pages.visit import Visit
from store.changes.contents import Shown
from store.changes.lists import Wanted
from store.changes.problems import assistant_problems
from store.changes.types import Change, EditKind, Item
from store.content import KeepsText
from store.errors import Conflict, Refused

_Asked = NamedDependency[SkipValidation[Visit]]
_MOST_POLICIES = 200


@get(f"{ASSISTANTS}/new", operation_id="new_assistant_page")
async def new_assistant_page(visit: _Asked) -> Response[str]:
    """Shows a form with what most assistants want."""
    return await _page(visit, form_of({"languages": ["en"], "keeps_text": KeepsText.REDACTED.value}), None)


@post(f"{ASSISTANTS}/new", status_code=200, operation_id="create_assistant_on_page")
async def create_assistant_on_page(visit: _Asked) -> Response[Any]:
    """Drafts a new assistant, and a policy of its own where one is wished for."""
    form = visit.form
    document = document_of(form, {})
    name, copied = document["name"], form.text("policy")
    if not name:
        return await _page(visit, form.wrong("name", Said(visit.texts("assistants.name_needed"))), None)
    is_own = form.text("own_policy") == "1"
    if is_own and not copied:
        return await _page(visit, form.wrong("policy", Said(visit.texts("assistants.policy_needed"))), None)
    if is_own:
        document["policy"] = name
    contents, actor = changing_of(visit).contents, visit.actor
    try:
        made = await visit.call(contents.create, actor, EditKind.ASSISTANT, document, change_id=change_of(visit))
        if is_own:
            made = await visit.call(_copy_policy, visit, copied, name, made)
    except (*REFUSALS, Refused) as error:
        return await _page(visit, refused(visit, form, error, at="name"), None)
    return _saved(visit, name, document, made)


@get(f"{ONE}/edit", operation_id="edit_assistant_page")
async def edit_assistant_page(assistant_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows the form of an assistant, with what is wrong with a draft."""
    found = await _found(visit, item_of(assistant_name))
    form = form_of(found.document)
    if found.change is not None:
        form = marked(form, assistant_problems(assistant_name, found.document), visit.texts)
    return await _page(visit, form, found)


@post(f"{ONE}/edit", status_code=200, operation_id="save_assistant_on_page")
async def save_assistant_on_page(assistant_name: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts the assistant as it was typed; when it was written meanwhile, both are shown and nothing is saved."""
    form, change = visit.form, change_of(visit)
    found = await _found(visit, item_of(assistant_name))
    document = document_of(form, found.document)
    try:
        made = await put_draft(visit, found, document, change)
    except Conflict as error:
        now = await now_of(visit, found, error)
        return await _page(visit, refused(visit, form, error), now, differences=(now.document, document))
    except (*REFUSALS, Refused) as error:
        return await _page(visit, refused(visit, form, error), found)
    return _saved(visit, assistant_name, document, made)


async def _found(visit: Visit, item: Item) -> Shown:
    return await visit.call(changing_of(visit).contents.get, visit.actor, item, change_of(visit))


def _copy_policy(visit: Visit, copied: str, name: str, change: Change) -> Change:
    """Drafts a copy of a live policy under another name, in the same change. Blocks."""
    contents = changing_of(visit).contents
    document = contents.get(visit.actor, Item(EditKind.POLICY, copied)).document
    return contents.create(visit.actor, EditKind.POLICY, {**document, "name": name}, change_id=change.id)


def _saved(visit: Visit, name: str, document: Mapping[str, Any], change: Change) -> Response[Any]:
    """Leads on to the draft; to the form again while something is wrong with it."""
    if assistant_problems(name, document):
        return visit.go(assistant_path(name, change.id, "/edit"), done="draft_saved_with_problems")
    return visit.go(assistant_path(name, change.id), done="draft_saved")


async def _page(
    visit: Visit,
    form: Form,
    found: Shown | None,
    *,
    differences: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
) -> Response[str]:
    policies = await visit.call(
        changing_of(visit).contents.page, visit.actor, EditKind.POLICY, Wanted(), limit=_MOST_POLICIES, after=None
    )
    names = {one.name for one in policies} | {form.text("policy")} - {""}
    title = str(found.document.get("title", "")) if found else ""
    return visit.show(
        "edit_assistant.html",
        status=form.status,
        item=found.item if found else None,
        form=form,
        read=found.digest if found else "",
        change=await held_by(visit, found) if found else None,
        where=change_of(visit),
        others=[one for one in found.open_changes if one.id != found.change] if found else (),
        differences=document_difference(*differences) if differences else (),
        has_moved=differences is not None,
        policies=sorted(names),
        present=await others_at(visit, found.item) if found else (),
        keeps=list(KeepsText),
        said=SAID,
        crumbs=assistant_crumbs(visit, found.item.name, title, found.change) if found else assistant_crumbs(visit),
    )
