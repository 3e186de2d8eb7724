"""Several prompts at once: what the list's filters mean, the prompts that were ticked, and both as a file."""

from dataclasses import dataclass
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Stream

from gateway.changing.bulk import FIELDS, MOST_AT_ONCE, BulkEdits
from gateway.changing.prompt_lists import PromptLists, Standing
from gateway.errors import InvalidRequest
from gateway.exporting import EXPORTS, WholeFormat, export_content
from gateway.http.downloads import download
from gateway.http.pages.choices import chosen, typed
from gateway.http.pages.documents import PROMPTS, change_of, change_path, changing_of, prompt_crumbs
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.visit import Visit
from store.catalog import load_catalog
from store.changes.held import DRAFTS
from store.changes.lists import ContentHead, Wanted
from store.changes.types import EditKind
from store.errors import Refused

_Asked = NamedDependency[SkipValidation[Visit]]
FILTERS: Final = ("search", "area", "assistant", "language", "owner", "state")
SELECTED: Final = f"{PROMPTS}/selected"
LIST_EXPORTS: Final = (
    WholeFormat.CSV_PROMPTS,
    WholeFormat.BUNDLE_JSON,
    *(one for one in EXPORTS if one not in (WholeFormat.CSV_PROMPTS, WholeFormat.BUNDLE_JSON)),
)
"""Formats of a download, those that most people want first."""
_MY_CHANGES = 50


@dataclass(frozen=True, slots=True)
class WishedList:
    """What the filters of an address ask for."""

    wanted: Wanted
    standing: Standing | None
    query: dict[str, str]
    """The filters as they were typed."""


def wished_list(visit: Visit) -> WishedList:
    """Reads the filters. Raises `InvalidRequest`."""
    query = {name: typed(visit, name) for name in FILTERS}
    if not all(one.isprintable() for one in query.values()):
        raise InvalidRequest("invalid_query", "A filter has characters that cannot be.", param="search")
    wanted = Wanted(
        query["search"] or None,
        query["area"] or None,
        query["assistant"] or None,
        query["language"] or None,
        owner=query["owner"] or None,
    )
    return WishedList(wanted, chosen(visit, "state", Standing), query)


def lists_of(visit: Visit) -> PromptLists:
    """Returns what reads lists of prompts."""
    services = visit.administration
    return PromptLists(services.changing, services.analysing, services.feedback)


@get(f"{PROMPTS}/export", operation_id="export_prompts_page")
async def export_prompts_page(visit: _Asked) -> Stream:
    """Streams the prompts of a list, or those that were ticked, in any format."""
    name, database, keys = typed(visit, "format"), visit.administration.database, _keys(visit)
    if name not in EXPORTS:
        raise InvalidRequest("invalid_query", f"`format` takes {', '.join(EXPORTS)}.", param="format")
    wished = wished_list(visit)

    def made() -> Any:
        heads = lists_of(visit).live(visit.actor, wished.wanted, standing=wished.standing, now=visit.now)
        wanted = frozenset(keys) or frozenset(head.name for head in heads)
        return export_content(load_catalog(database), name, visit.actor, keys=wanted)

    export = await visit.call(made)
    headers = {"content-disposition": f'attachment; filename="{export.name}"'}
    return await download(export.pieces, media_type="application/octet-stream", headers=headers)


@get(SELECTED, operation_id="selected_prompts_page")
async def selected_prompts_page(visit: _Asked) -> Response[Any]:
    """Shows what can be done with the prompts that were ticked."""
    if not _keys(visit):
        return visit.go(PROMPTS, done="none_selected")
    return await _selected(visit, _keys(visit), Form())


@post(SELECTED, status_code=200, operation_id="edit_selected_prompts")
async def edit_selected_prompts(visit: _Asked) -> Response[Any]:
    """Drafts the same owner, audience or day of review for all of them; a field that is empty stays as it is."""
    form, keys = visit.form, tuple(dict.fromkeys(visit.form.many("key")))
    fields = {name: form.text(name) for name in FIELDS if form.text(name)}
    if not keys:
        return visit.go(PROMPTS, done="none_selected")
    if not fields:
        return await _selected(visit, keys, form.wrong("owner", Said(visit.texts("selection.nothing_typed"))))
    bulk = BulkEdits(changing_of(visit))
    try:
        made = await visit.call(bulk.set_fields, visit.actor, keys, fields, change_id=change_of(visit))
    except (*REFUSALS, Refused) as error:
        return await _selected(visit, keys, refused(visit, form, error))
    return visit.go(change_path(made.id), done="selection_drafted")


async def _selected(visit: Visit, keys: tuple[str, ...], form: Form) -> Response[str]:
    changing, actor = changing_of(visit), visit.actor
    wanted = Wanted(names=frozenset(keys))
    heads: tuple[ContentHead, ...] = await visit.call(
        changing.contents.page, actor, EditKind.PROMPT, wanted, limit=MOST_AT_ONCE, after=None
    )
    mine = await visit.call(changing.drafts.page, actor, limit=_MY_CHANGES, states=DRAFTS, author=actor.person)
    return visit.show(
        "selected_prompts.html",
        status=form.status,
        form=form,
        heads=heads,
        missing=len(keys) - len(heads),
        changes=mine.changes,
        exports=LIST_EXPORTS,
        crumbs=prompt_crumbs(visit),
    )


def _keys(visit: Visit) -> tuple[str, ...]:
    found = visit.request.query_params.getall("key", [])
    return tuple(dict.fromkeys(one for one in found if one.isprintable() and one))[:MOST_AT_ONCE]
