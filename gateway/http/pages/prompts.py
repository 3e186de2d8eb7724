"""Prompts: the list of what is approved, and one of them in plain words with its use, tests and story."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.changing.prompt_lists import SORTS, USED_WITHIN, Standing
from gateway.http.pages.charts import Plane
from gateway.http.pages.choices import choices_of
from gateway.http.pages.diff import ShownDifference, shown
from gateway.http.pages.documents import (
    PROMPTS,
    change_of,
    changing_of,
    edited_areas,
    may_edit,
    prompt_crumbs,
    prompt_item,
    prompt_path,
)
from gateway.http.pages.prompt_edits import checks_of
from gateway.http.pages.prompt_selection import LIST_EXPORTS, lists_of, wished_list
from gateway.http.pages.prompt_words import PromptWords
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.visit import ROWS, Visit
from store.changes.contents import Shown
from store.changes.lists import Wanted
from store.changes.problems import FieldProblem, prompt_problems
from store.changes.types import OPEN_STATES, EditKind, Item
from store.errors import NotFound, StoreError
from store.folding import folded
from store.repositories.decision_filters import DecisionFilter
from store.types import Outcome

_Asked = NamedDependency[SkipValidation[Visit]]
_ONE = PROMPTS + "/{prompt_key:str}"
FOUND = f"{PROMPTS}/found"
_MOST_FOUND, _LONGEST_SEARCH = 8, 200
_NOT_KEPT = {"cache-control": "no-store"}
_SHOWN_VERSIONS, _MOST_SUITES, _MOST_CASES = 5, 50, 20


@dataclass(frozen=True, slots=True)
class TestCase:
    """A message of a test set that is about the prompt."""

    __test__ = False

    suite: str
    id: str
    message: str
    expect: str


@get(PROMPTS, operation_id="prompts_page")
async def prompts_page(visit: _Asked) -> Response[str]:
    """Lists prompts, by title first."""
    wished, sorting = wished_list(visit), sorting_of(visit, SORTS, "title")
    found = await visit.call(
        lists_of(visit).page,
        visit.actor,
        wished.wanted,
        sorting.order,
        standing=wished.standing,
        now=visit.now,
        limit=ROWS + 1,
    )
    rows, further = sorting.cut(found, lambda row: row.key)
    return visit.show(
        "prompts.html",
        prompts=rows,
        sorting=sorting,
        further=further,
        filters=wished.query,
        is_filtered=any(wished.query.values()),
        standings=list(Standing),
        choices=choices_of(visit),
        plane=Plane(is_mirrored=visit.texts.direction == "rtl"),
        exports=LIST_EXPORTS,
    )


@get(FOUND, operation_id="found_prompts")
async def found_prompts(visit: _Asked) -> Response[list[dict[str, str]]]:
    """Tells the palette which live prompts fit a few letters."""
    search = " ".join(visit.request.query_params.get("q", "")[:_LONGEST_SEARCH].split())
    if not search or not search.isprintable():
        return Response([], headers=_NOT_KEPT)
    contents, wanted = changing_of(visit).contents, Wanted(search=search)
    heads = await visit.call(contents.page, visit.actor, EditKind.PROMPT, wanted, limit=_MOST_FOUND, after=None)
    by_title = sorted(heads, key=lambda one: folded(search) not in folded(one.title))
    return Response([{"title": one.title, "path": prompt_path(one.name)} for one in by_title], headers=_NOT_KEPT)


@get(_ONE, operation_id="prompt_page")
async def prompt_page(prompt_key: FromPath[str], visit: _Asked) -> Response[Any]:
    """Shows a prompt as it is live, or as the change of `?change=` would have it."""
    item, change, contents = prompt_item(prompt_key), change_of(visit), changing_of(visit).contents
    try:
        found = await visit.call(contents.get, visit.actor, item, change)
    except NotFound:
        return await _elsewhere(visit, item, change)
    versions = (
        await visit.call(contents.versions, visit.actor, item, limit=_SHOWN_VERSIONS, before=None)
        if (found.number is not None)
        else ()
    )
    return visit.show(
        "prompt.html",
        shown=found,
        words=PromptWords.of(found.document),
        change=next((one for one in found.open_changes if one.id == found.change), None),
        differences=await _differences(visit, found),
        problems=await _problems(visit, found),
        collisions=[one for one in await checks_of(visit, found.document) or () if one.collides]
        if found.change
        else (),
        versions=versions,
        usage=await _usage(visit, item),
        tests=await _tests(visit, item),
        is_due=_is_due(visit, found),
        may_edit=may_edit(visit, item.name),
        edited_areas=edited_areas(visit),
        crumbs=prompt_crumbs(visit),
    )


async def _elsewhere(visit: Visit, item: Item, change: UUID | None) -> Response[Any]:
    """Leads to the newest open change that has a prompt which is not live. Raises `NotFound`."""
    drafts = changing_of(visit).drafts
    page = await visit.call(drafts.page, visit.actor, limit=1, states=OPEN_STATES, item=item)
    if not page.changes:
        raise NotFound(f"there is no {item}")
    if change == page.changes[0].id:  # it takes the prompt away, so nothing of it can be shown
        return visit.go(f"/admin/changes/{change}")
    return visit.go(prompt_path(item.name, page.changes[0].id))


async def _differences(visit: Visit, found: Shown) -> tuple[ShownDifference, ...]:
    if found.change is None:
        return ()
    _, view = await visit.call(changing_of(visit).views.edit, visit.actor, found.change, found.item)
    return shown(view.differences)


async def _problems(visit: Visit, found: Shown) -> tuple[FieldProblem, ...]:
    return await visit.call(prompt_problems, found.item.name, found.document) if found.change else ()


async def _usage(visit: Visit, item: Item) -> dict[Outcome, int] | None:
    """Returns what became of the questions that meant the prompt, None when it cannot be read."""
    wanted = DecisionFilter(prompt=item.name, since=visit.now - USED_WITHIN)
    try:
        return await visit.call(visit.administration.archive.count, visit.actor, wanted)
    except StoreError:
        return None


async def _tests(visit: Visit, item: Item) -> list[TestCase]:
    """Returns the cases of live test sets that expect the prompt."""
    contents = changing_of(visit).contents
    heads = await visit.call(contents.page, visit.actor, EditKind.SUITE, Wanted(), limit=_MOST_SUITES, after=None)
    found: list[TestCase] = []
    for head in heads:
        suite = await visit.call(contents.get, visit.actor, Item(EditKind.SUITE, head.name))
        cases = suite.document.get("cases")
        for case in cases if isinstance(cases, list) else ():
            if isinstance(case, Mapping) and case.get("prompt") == item.name:
                texts = (str(case.get(name, "")) for name in ("id", "message", "expect"))
                found.append(TestCase(head.name, *texts))
    return found[:_MOST_CASES]


def _is_due(visit: Visit, found: Shown) -> bool:
    day = found.document.get("review_by")
    return isinstance(day, str) and day < visit.now.date().isoformat()
