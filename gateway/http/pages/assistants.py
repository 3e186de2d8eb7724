"""Assistants: whom people talk to, what each of them may answer, what it keeps of words, and how it does."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.analysing import Period
from gateway.http.pages.assistant_forms import SAID, form_of
from gateway.http.pages.choices import titles_of
from gateway.http.pages.diff import ShownDifference, shown
from gateway.http.pages.documents import change_of, changing_of
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.changes.contents import Shown
from store.changes.history import Version
from store.changes.lists import Wanted
from store.changes.problems import assistant_problems
from store.changes.types import OPEN_STATES, EditKind, Item
from store.content import KeepsText
from store.errors import NotFound, StoreError
from store.types import Outcome

_Asked = NamedDependency[SkipValidation[Visit]]
ASSISTANTS: Final = "/admin/assistants"
ONE: Final = ASSISTANTS + "/{assistant_name:str}"
_SHOWN_VERSIONS = 5


@get(ASSISTANTS, operation_id="assistants_page")
async def assistants_page(visit: _Asked) -> Response[str]:
    """Lists assistants by name, and the drafts of new ones."""
    contents, after = changing_of(visit).contents, visit.request.query_params.get("after") or None
    found = await visit.call(contents.page, visit.actor, EditKind.ASSISTANT, Wanted(), limit=ROWS + 1, after=after)
    heads = found[:ROWS]
    documents = {head.name: await visit.call(contents.get, visit.actor, item_of(head.name)) for head in heads}
    return visit.show(
        "assistants.html",
        heads=heads,
        shown=documents,
        counts=_prompts_of(visit, documents.values()),
        further=heads[-1].name if len(found) > ROWS else None,
        is_first=after is None,
        may_add=visit.may(f"{ASSISTANTS}/new"),
    )


@get(ONE, operation_id="assistant_page")
async def assistant_page(assistant_name: FromPath[str], visit: _Asked) -> Response[Any]:
    """Shows an assistant as it is live, or as the change of `?change=` would have it."""
    item, change = item_of(assistant_name), change_of(visit)
    try:
        found = await visit.call(changing_of(visit).contents.get, visit.actor, item, change)
    except NotFound:
        return await _elsewhere(visit, item, change)
    typed = form_of(found.document)
    return visit.show(
        "assistant.html",
        shown=found,
        typed=typed,
        words={name: typed.text(name) for name in ("title", "greeting", "instructions", "policy")},
        areas=typed.text("areas").split(),
        spoken=typed.text("languages").split(),
        suggestions=typed.text("suggestions").split(),
        origins=typed.text("allowed_origins").split(),
        titles=titles_of(visit),
        rate=_rate(visit, typed.text("false_match_rate")),
        keeps=typed.text("keeps_text") if typed.text("keeps_text") in list(KeepsText) else "",
        said=SAID,
        counts=_prompts_of(visit, (found,))[item.name],
        figures=await _figures(visit, item.name) if found.number is not None else None,
        outcomes=list(Outcome),
        change=next((one for one in found.open_changes if one.id == found.change), None),
        versions=await _versions(visit, found),
        differences=await _differences(visit, found),
        problems=assistant_problems(item.name, found.document) if found.change else (),
        crumbs=assistant_crumbs(visit),
    )


def item_of(name: str) -> Item:
    """Returns the assistant of an address. Raises `NotFound` for what no database could look up."""
    if not name.isprintable():
        raise NotFound("there is no such assistant")
    return Item(EditKind.ASSISTANT, name)


def assistant_path(name: str, change: UUID | None = None, more: str = "") -> str:
    """Returns the address of an assistant, as it is live or as a change would have it."""
    return f"{ASSISTANTS}/{name}{more}" + (f"?change={change}" if change else "")


def assistant_crumbs(visit: Visit, name: str = "", title: str = "", change: UUID | None = None) -> tuple[Crumb, ...]:
    """Returns the pages above a page of an assistant."""
    above = (Crumb(visit.texts("assistants.title"), ASSISTANTS),)
    return (*above, Crumb(title or name, assistant_path(name, change))) if name else above


async def _elsewhere(visit: Visit, item: Item, change: UUID | None) -> Response[Any]:
    """Leads to the newest open change that has an assistant which is not live. Raises `NotFound`."""
    page = await visit.call(changing_of(visit).drafts.page, visit.actor, limit=1, states=OPEN_STATES, item=item)
    if not page.changes:
        raise NotFound(f"there is no {item}")
    if change == page.changes[0].id:  # it takes the assistant away, so nothing of it can be shown
        return visit.go(f"/admin/changes/{change}")
    return visit.go(assistant_path(item.name, page.changes[0].id))


def _rate(visit: Visit, typed: str) -> str:
    """Returns a share in hundredths as people read it; what is no number as it is written."""
    try:
        return visit.texts("format.percent", number=visit.texts.number(float(typed) * 100, 1))
    except ValueError:
        return typed


async def _figures(visit: Visit, name: str) -> Mapping[Outcome, int] | None:
    """Returns what became of the questions of a month, None when it cannot be read."""
    try:
        report = await visit.call(visit.administration.analysing.report, visit.actor, Period.MONTH, name)
    except StoreError:
        return None
    return report.whole.outcomes


async def _versions(visit: Visit, found: Shown) -> tuple[Version, ...]:
    if found.number is None:
        return ()
    versions = changing_of(visit).contents.versions
    return await visit.call(versions, visit.actor, found.item, limit=_SHOWN_VERSIONS, before=None)


async def _differences(visit: Visit, found: Shown) -> tuple[ShownDifference, ...]:
    if found.change is None:
        return ()
    _, view = await visit.call(changing_of(visit).views.edit, visit.actor, found.change, found.item)
    return shown(view.differences)


def _prompts_of(visit: Visit, assistants: Iterable[Shown]) -> dict[str, dict[str, int]]:
    """Returns, by assistant and area, how many live prompts it may answer with."""
    live = visit.components.live.current.catalog.prompts if visit.components else {}
    areas = [key.partition(".")[0] for key in live]
    return {
        one.item.name: {area: areas.count(area) for area in form_of(one.document).text("areas").split()}
        for one in assistants
    }
