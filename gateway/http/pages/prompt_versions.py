"""Versions of a prompt: all that were live, what differs between two of them, and an old one drafted again."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.errors import InvalidRequest
from gateway.http.pages.changes import names_of
from gateway.http.pages.diff import document_difference
from gateway.http.pages.documents import PROMPTS, changing_of, prompt_crumbs, prompt_item, prompt_path
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form
from gateway.http.pages.visit import ROWS, Visit
from store.changes.contents import Shown
from store.changes.types import Change, EditKind, Item
from store.errors import NotFound, Refused

_Asked = NamedDependency[SkipValidation[Visit]]
_VERSIONS = PROMPTS + "/{prompt_key:str}/versions"
_SIDES = ("from", "to")
_MOST_DIGITS = 9


@get(_VERSIONS, operation_id="prompt_versions_page")
async def prompt_versions_page(prompt_key: FromPath[str], visit: _Asked) -> Response[str]:
    """Lists the versions, newest first, and what differs between those of `?from=` and `?to=`."""
    return await _versions(visit, prompt_item(prompt_key), Form())


@post(f"{_VERSIONS}/{{number:str}}/restore", status_code=200, operation_id="restore_prompt_version")
async def restore_prompt_version(prompt_key: FromPath[str], number: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts an old version in place of what is live; it is reviewed as every other change."""
    item = prompt_item(prompt_key)
    _, document = await visit.call(changing_of(visit).contents.version, visit.actor, item, _whole(number))
    try:
        made = await visit.call(_draft, visit, item, document)
    except (*REFUSALS, Refused) as error:
        return await _versions(visit, item, refused(visit, visit.form, error))
    return visit.go(prompt_path(prompt_key, made.id), done="version_restored")


def _draft(visit: Visit, item: Item, document: Mapping[str, Any]) -> Change:
    """Drafts over what the page showed as live; a prompt that is gone is made anew."""
    contents = changing_of(visit).contents
    if read := visit.form.text("read"):
        return contents.replace(visit.actor, item, document, read=read)
    return contents.create(visit.actor, EditKind.PROMPT, document)


async def _versions(visit: Visit, item: Item, form: Form) -> Response[str]:
    contents, query = changing_of(visit).contents, visit.request.query_params
    before = _whole(query["after"]) if query.get("after") else None
    found = await visit.call(contents.versions, visit.actor, item, limit=ROWS + 1, before=before)
    live = await _live(visit, item)
    chosen = [_whole(query[name]) for name in _SIDES if query.get(name)]
    compared = None
    if len(chosen) == len(_SIDES):
        old, new = sorted(chosen)
        _, one = await visit.call(contents.version, visit.actor, item, old)
        _, other = await visit.call(contents.version, visit.actor, item, new)
        compared = (old, new, document_difference(one, other))
    return visit.show(
        "prompt_versions.html",
        status=form.status,
        form=form,
        item=item,
        versions=found[:ROWS],
        further=found[ROWS - 1].number if len(found) > ROWS else None,
        is_first=before is None,
        chosen=_preset(chosen, [one.number for one in found]),
        compared=compared,
        read=live.digest if live else "",
        names=await names_of(visit, {one.author for one in found}),
        crumbs=prompt_crumbs(visit, item.name, str(live.document.get("title", "")) if live else ""),
    )


async def _live(visit: Visit, item: Item) -> Shown | None:
    try:
        return await visit.call(changing_of(visit).contents.get, visit.actor, item)
    except NotFound:
        return None


def _preset(chosen: list[int], numbers: list[int]) -> tuple[int, int]:
    """Returns the two versions that the form stands at: the newest two, until others are chosen."""
    if len(chosen) == len(_SIDES):
        return min(chosen), max(chosen)
    return (numbers[1] if len(numbers) > 1 else 0), (numbers[0] if numbers else 0)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidRequest("invalid_query", "A version is a whole number.", param="from")
    return int(text)
