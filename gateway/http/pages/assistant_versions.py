"""Versions of an assistant, and its removal with what then has nobody to ask."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.assistant_uses import uses_of
from gateway.http.pages.assistants import ONE, assistant_crumbs, assistant_path, item_of
from gateway.http.pages.documents import change_of, changing_of
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form
from gateway.http.pages.versions import Versioned, restore, show_versions
from gateway.http.pages.visit import Visit
from store.errors import Refused

_Asked = NamedDependency[SkipValidation[Visit]]
_VERSIONS = f"{ONE}/versions"
_RESTORE = f"{_VERSIONS}/{{number:str}}/restore"


@get(_VERSIONS, operation_id="assistant_versions_page")
async def assistant_versions_page(assistant_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Lists the versions of an assistant, and what differs between two of them."""
    return await show_versions(visit, _versioned(assistant_name), Form())


@post(_RESTORE, status_code=200, operation_id="restore_assistant_version")
async def restore_assistant_version(
    assistant_name: FromPath[str], number: FromPath[str], visit: _Asked
) -> Response[Any]:
    """Drafts an old version of an assistant."""
    return await restore(visit, _versioned(assistant_name), number)


@get(f"{ONE}/remove", operation_id="remove_assistant_page")
async def remove_assistant_page(assistant_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Says what comes of removing an assistant, before anything is done."""
    return await _remove(visit, assistant_name, Form())


@post(f"{ONE}/remove", status_code=200, operation_id="remove_assistant_on_page")
async def remove_assistant_on_page(assistant_name: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts the removal of an assistant."""
    form, change = visit.form, change_of(visit)
    remove = changing_of(visit).contents.remove
    try:
        made = await visit.call(remove, visit.actor, item_of(assistant_name), read=form.text("read"), change_id=change)
    except (*REFUSALS, Refused) as error:
        return await _remove(visit, assistant_name, refused(visit, form, error))
    return visit.go(f"/admin/changes/{made.id}", done="assistant_removal_drafted")


async def _remove(visit: Visit, name: str, form: Form) -> Response[str]:
    found = await visit.call(changing_of(visit).contents.get, visit.actor, item_of(name), change_of(visit))
    title = str(found.document.get("title", ""))
    return visit.show(
        "remove_assistant.html",
        status=form.status,
        shown=found,
        form=form,
        uses=await visit.call(uses_of, visit.administration, visit.actor, name),
        crumbs=assistant_crumbs(visit, name, title, found.change),
    )


def _versioned(name: str) -> Versioned:
    return Versioned(item_of(name), assistant_path, assistant_crumbs, _RESTORE)
