"""Changes: the queue of what is on its way to people, and one change with all that is said and known about it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.changing.gate import is_startable
from gateway.changing.needs import Bound, Reviewers, stations
from gateway.changing.queue import ChangeQueue
from gateway.errors import InvalidRequest
from gateway.http.pages.diff import ShownDifference, shown
from gateway.http.pages.documents import CHANGES, change_crumbs, change_path, changing_of, known_id
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form
from gateway.http.pages.rails import live_document
from gateway.http.pages.sorting import Sorting, sorting_of
from gateway.http.pages.visit import ROWS, Visit
from gateway.policy_desk.reading import Difference, differences, weakenings
from store.catalog import live_revision
from store.changes.desk import Opened
from store.changes.ordering import SORTS
from store.changes.service import LONGEST_TITLE
from store.changes.types import OPEN_STATES, Change, ChangeEvent, ChangeHead, ChangeState, EditKind, EventKind, Item
from store.changes.viewing import EditView
from store.errors import InvalidContent, Refused

_Asked = NamedDependency[SkipValidation[Visit]]
_ONE = CHANGES + "/{change_id:str}"
TABS: Final = ("open", "waiting", "mine", "live")
_STATES: Mapping[str, Iterable[ChangeState]] = {
    "open": OPEN_STATES,
    "live": (ChangeState.LIVE, ChangeState.SUPERSEDED),
}
_ITEMS = 25
"""Edits of a change on one page, each with what differs."""
_USER = "user:"
_HUNK = re.compile(r"hunk-[0-9]{1,4}-[0-9]{1,4}")
_REVIEWERS = 5
"""Names of people who could approve that are told."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A field that differs, and what was said about it."""

    anchor: str
    place: str
    """As comments name it, such as `prompt it.vpn reply.facts`."""
    difference: ShownDifference
    remarks: tuple[ChangeEvent, ...]


@get(CHANGES, operation_id="changes_page")
async def changes_page(visit: _Asked) -> Response[str]:
    """Lists changes, the last updated first."""
    tab, sorting = visit.request.query_params.get("tab") or TABS[0], sorting_of(visit, SORTS, "-updated")
    if tab not in TABS:
        raise InvalidRequest("invalid_query", f"`tab` takes {', '.join(TABS)}.", param="tab")
    heads, further = await _listed(visit, tab, sorting)
    return visit.show(
        "changes.html",
        changes=heads,
        names=await names_of(visit, {one for head in heads for one in head.authors}),
        tab=tab,
        tabs=TABS,
        sorting=sorting,
        further=further,
    )


@get(_ONE, operation_id="change_page")
async def change_page(change_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows a change; the service says which steps can be taken."""
    return await show_change(visit, known_id(change_id), Form())


@post(f"{_ONE}/comment", status_code=200, operation_id="comment_on_page")
async def comment_on_page(change_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Adds a comment."""
    form, one = visit.form, known_id(change_id)
    drafts = changing_of(visit).drafts
    try:
        await visit.call(drafts.comment, visit.actor, one, form.text("comment"), place=form.text("place"))
    except (*REFUSALS, Refused) as error:
        return await show_change(visit, one, refused(visit, form, error, at="comment"))
    anchor = form.text("at")
    return visit.go(change_path(one, f"#{anchor}" if _HUNK.fullmatch(anchor) else "#story"), done="commented")


@post(f"{_ONE}/describe", status_code=200, operation_id="describe_on_page")
async def describe_on_page(change_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Gives the change another title and note."""
    form, one = visit.form, known_id(change_id)
    words = {"title": form.text("title"), "note": form.text("note")}
    try:
        await visit.call(changing_of(visit).drafts.describe, visit.actor, one, rev=form.number("rev"), **words)
    except (*REFUSALS, Refused) as error:
        return await show_change(visit, one, refused(visit, form, error, at="title"))
    return visit.go(change_path(one), done="described")


@post(f"{_ONE}/take-out", status_code=200, operation_id="take_out_on_page")
async def take_out_on_page(change_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Takes the edit of a document out of the change."""
    form, one = visit.form, known_id(change_id)
    drafts = changing_of(visit).drafts
    try:
        await visit.call(drafts.remove_edit, visit.actor, one, item_of(form.text("item")), rev=form.number("rev"))
    except (*REFUSALS, Refused) as error:
        return await show_change(visit, one, refused(visit, form, error))
    return visit.go(change_path(one), done="taken_out")


async def show_change(visit: Visit, change_id: UUID, form: Form) -> Response[str]:
    """Returns the page of a change, with what was typed and what is wrong with it."""
    changing, actor = changing_of(visit), visit.actor
    views = changing.views
    view = await visit.call(views.get, actor, change_id)
    change = view.change
    after = visit.request.query_params.get("after")
    _, edits = await visit.call(
        views.edits, actor, change_id, limit=_ITEMS + 1, after=item_of(after) if after else None
    )
    opened = await visit.call(changing.drafts.get, actor, change_id)
    reviewers = await _reviewers(visit, opened)
    people = {*change.authors, *filter(None, (change.approved_by, change.published_by, change.scheduled_by))}
    items = [(one, _hunks(number, one, change.events)) for number, one in enumerate(edits[:_ITEMS], 1)]
    return visit.show(
        "change.html",
        status=form.status,
        change=change,
        view=view,
        may={one.value for one in view.possible},
        may_run_gate=is_startable(actor, opened),
        stations=stations(view, opened, revision=await visit.call(live_revision, visit.administration.database)),
        reviewers=reviewers,
        bound=await _bound(visit, opened) if not reviewers else (),
        items=items,
        weaker=await _weaker(visit, change, edits[:_ITEMS]),
        anchors={hunk.place: hunk.anchor for _, hunks in items for hunk in hunks},
        further=str(edits[_ITEMS - 1].edit.item) if len(edits) > _ITEMS else None,
        is_first=not after,
        names={one.person: one.name for one in change.events} | await names_of(visit, people),
        form=form,
        is_own=visit.actor.person in change.authors,
        steps=STEPS,
        crumbs=change_crumbs(visit),
    )


def _hunks(number: int, view: EditView, events: Iterable[ChangeEvent]) -> tuple[Hunk, ...]:
    remarks = [one for one in events if one.kind is EventKind.COMMENTED]
    made = []
    for at, difference in enumerate(shown(view.differences), 1):
        place = f"{view.edit.item} {difference.field}"[:LONGEST_TITLE]
        made.append(Hunk(f"hunk-{number}-{at}", place, difference, tuple(one for one in remarks if one.place == place)))
    return tuple(made)


async def _weaker(visit: Visit, change: Change, edits: Iterable[EditView]) -> dict[str, tuple[Difference, ...]]:
    """Returns, by document, after which edits of policies less may be stopped than what is live stops.

    Nothing of a change that is not on its way any more: what is live has moved on since.
    """
    found = {}
    for one in edits if change.state in OPEN_STATES else ():
        if one.edit.kind is EditKind.POLICY and one.edit.document is not None:
            live = await visit.call(live_document, visit, one.edit.item)
            found[str(one.edit.item)] = weakenings(differences(live, one.edit.document))
    return found


async def _reviewers(visit: Visit, opened: Opened) -> tuple[str, ...]:
    """Returns who could approve a change that waits for it, or will."""
    if opened.change.state not in OPEN_STATES or opened.change.is_approved:
        return ()
    return await visit.call(Reviewers(visit.access.users).of, visit.actor, opened, limit=_REVIEWERS)


async def _bound(visit: Visit, opened: Opened) -> tuple[Bound, ...]:
    """Returns who has the role, and why they still cannot approve."""
    if opened.change.state not in OPEN_STATES or opened.change.is_approved:
        return ()
    return await visit.call(Reviewers(visit.access.users).bound, visit.actor, opened, limit=_REVIEWERS)


async def names_of(visit: Visit, people: Iterable[str]) -> dict[str, str]:
    """Returns the names of people, as far as the reader may know of them."""
    ids = [one.removeprefix(_USER) for one in people if one.startswith(_USER)]
    found = await visit.call(visit.access.users.names, visit.actor, ids) if ids else {}
    return {_USER + one: name for one, name in found.items()}


def item_of(text: str) -> Item:
    """Reads a document's kind and name, such as `prompt it.vpn`. Raises `InvalidContent`."""
    kind, _, name = text.partition(" ")
    if kind not in list(EditKind) or not name or not name.isprintable():
        raise InvalidContent("there is no such document in the change.")
    return Item(EditKind(kind), name)


STEPS: Final = (
    "submit",
    "approve",
    "publish",
    "request_changes",
    "reject",
    "withdraw",
    "unschedule",
    "take_back",
    "revert",
    "emergency",
)
"""Steps that have a page of their own, in the order of their buttons; each is named as its `Action` is."""


async def _listed(visit: Visit, tab: str, sorting: Sorting[ChangeHead]) -> tuple[Sequence[ChangeHead], str | None]:
    changing = changing_of(visit)
    if tab == "waiting":
        queue = ChangeQueue(changing)
        waiting = await visit.call(queue.waiting_for, visit.actor, limit=ROWS, order=sorting.order)
        mark = waiting.next.after if waiting.next else None
        return waiting.changes, sorting.mark(mark.value, mark.key) if mark else None
    author, states = visit.actor.person if tab == "mine" else None, tuple(_STATES.get(tab, ()))
    page = changing.drafts.sorted_page
    found = await visit.call(page, visit.actor, sorting.order, limit=ROWS + 1, states=states, author=author)
    return sorting.cut(found, lambda one: str(one.id))
