"""Versions of a document: all that were live, what differs between two of them, and an old one drafted again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Response

from gateway.errors import InvalidRequest
from gateway.http.pages.changes import names_of
from gateway.http.pages.diff import document_difference
from gateway.http.pages.documents import changing_of
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.changes.contents import Shown
from store.changes.types import Change, Item
from store.errors import NotFound, Refused

_SIDES = ("from", "to")
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Versioned:
    """A document whose versions are shown, and where its pages are."""

    item: Item
    path: Callable[[str, UUID | None], str]
    """Gives the address of a document, as it is live or as a change would have it."""
    crumbs: Callable[[Visit, str, str], tuple[Crumb, ...]]
    restoring: str
    """The page that restores, as the table of pages names it."""


async def show_versions(visit: Visit, one: Versioned, form: Form) -> Response[str]:
    """Lists the versions, newest first, and what differs between those of `?from=` and `?to=`."""
    contents, query, item = changing_of(visit).contents, visit.request.query_params, one.item
    before = _whole(query["after"]) if query.get("after") else None
    found = await visit.call(contents.versions, visit.actor, item, limit=ROWS + 1, before=before)
    live = await _live(visit, item)
    title = str(live.document.get("title", "")) if live else ""
    chosen = [_whole(query[name]) for name in _SIDES if query.get(name)]
    compared = None
    if len(chosen) == len(_SIDES):
        old, new = sorted(chosen)
        _, this = await visit.call(contents.version, visit.actor, item, old)
        _, other = await visit.call(contents.version, visit.actor, item, new)
        compared = (old, new, document_difference(this, other))
    return visit.show(
        "versions.html",
        status=form.status,
        form=form,
        title=title or item.name,
        here=f"{quote(one.path(item.name, None))}/versions",
        may_restore=visit.may(one.restoring),
        versions=found[:ROWS],
        further=found[ROWS - 1].number if len(found) > ROWS else None,
        is_first=before is None,
        chosen=_preset(chosen, [version.number for version in found]),
        compared=compared,
        read=live.digest if live else "",
        names=await names_of(visit, {version.author for version in found}),
        crumbs=one.crumbs(visit, item.name, title),
    )


async def restore(visit: Visit, one: Versioned, number: str) -> Response[Any]:
    """Drafts an old version in place of what is live; it is reviewed as every other change."""
    _, document = await visit.call(changing_of(visit).contents.version, visit.actor, one.item, _whole(number))
    try:
        made = await visit.call(_draft, visit, one.item, document)
    except (*REFUSALS, Refused) as error:
        return await show_versions(visit, one, refused(visit, visit.form, error))
    return visit.go(one.path(one.item.name, made.id), done="version_restored")


def _draft(visit: Visit, item: Item, document: Mapping[str, Any]) -> Change:
    """Drafts over what the page showed as live; a document that is gone is made anew."""
    contents = changing_of(visit).contents
    if read := visit.form.text("read"):
        return contents.replace(visit.actor, item, document, read=read)
    return contents.create(visit.actor, item.kind, document)


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
