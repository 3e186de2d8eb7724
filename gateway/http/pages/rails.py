"""Rails: the policies that there are, what each of them does, and a text tried against one."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.errors import GatewayError, InvalidRequest
from gateway.http.pages.failing import refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.page_table import PAGES
from gateway.http.pages.visit import ROWS, Crumb, Visit
from gateway.policy_desk.reading import PolicyView, differences, view_of, weakenings
from gateway.rail_checks import Checked, CheckQuestion
from gateway.trying import principal_of
from rails.types import Stage
from store.changes.contents import Shown
from store.changes.lists import Wanted
from store.changes.types import EditKind, Item
from store.errors import NotFound

_Asked = NamedDependency[SkipValidation[Visit]]
RAILS: Final = "/admin/rails"
ONE: Final = RAILS + "/{policy_name:str}"
_MOST_TRIED = 8000
_CHANGE_PAGE = "GET /admin/changes/{change_id:str}"


@get(RAILS, operation_id="rails_page")
async def rails_page(visit: _Asked) -> Response[str]:
    """Lists policies by name."""
    query = visit.request.query_params
    search, after = query.get("search", "").strip(), query.get("after", "") or None
    contents = visit.administration.changing.contents
    wanted = Wanted(search=search or None)
    found = await visit.call(contents.page, visit.actor, EditKind.POLICY, wanted, limit=ROWS + 1, after=after)
    heads = found[:ROWS]
    shown = {head.name: await visit.call(contents.get, visit.actor, item_of(head.name)) for head in heads}
    return visit.show(
        "rails.html",
        heads=heads,
        shown=shown,
        views={name: view_of(one.document) for name, one in shown.items()},
        search=search,
        further=heads[-1].name if len(found) > ROWS else None,
        is_first=after is None,
    )


@get(ONE, operation_id="policy_page")
async def policy_page(policy_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows what a policy does, stage by stage."""
    return await _page(visit, policy_name, Form())


@post(f"{ONE}/try", status_code=200, operation_id="try_rails_on_page")
async def try_rails_on_page(policy_name: FromPath[str], visit: _Asked) -> Response[str]:
    """Tries a text at a stage of the live policy, under the same limits as any caller."""
    form = visit.form
    stage, text = form.text("stage"), form.secret("text")
    if stage not in list(Stage):
        raise InvalidRequest("invalid_form", "The form is malformed.")
    if not 0 < len(text) <= _MOST_TRIED:
        return await _page(visit, policy_name, form.wrong("text", Said(visit.texts("rails.text_wrong"))))
    if form.text("assistant") not in _assistants(visit, policy_name):
        raise InvalidRequest("not_found", "There is no such assistant.")
    question = CheckQuestion(
        assistant=form.text("assistant"),
        principal=principal_of(visit.actor, requests_per_minute=_rate(visit)),
        texts={Stage(stage): text},
        facts=form.secret("facts")[:32000],
    )
    try:
        checked = await _checked(visit, question)
    except GatewayError as error:
        return await _page(visit, policy_name, refused(visit, form, error, at="text"))
    return await _page(visit, policy_name, form, checked)


def item_of(name: str) -> Item:
    """Returns the policy of that name; what is no name is looked for, and is not there."""
    return Item(EditKind.POLICY, name if name.isprintable() else "?")


def change_of(text: str) -> UUID | None:
    """Returns the change that an address names. Raises `NotFound` for what names none."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"there is no change {text[:40]}") from error


async def shown_of(visit: Visit, name: str, change: UUID | None) -> Shown:
    """Returns the policy as it is live, or as a change would have it."""
    return await visit.call(visit.administration.changing.contents.get, visit.actor, item_of(name), change)


async def live_of(visit: Visit, shown: Shown) -> Shown | None:
    """Returns the live policy beside a draft; None when nothing is live."""
    if shown.change is None:
        return shown
    return await visit.call(_live, visit, shown.item)


def frame_of(visit: Visit, shown: Shown, live: Shown | None) -> dict[str, Any]:
    """Returns what the three views of a policy show around themselves."""
    found = differences(live.document if live else None, shown.document) if shown.change else ()
    return {
        "policy": shown,
        "name": shown.item.name,
        "view": view_of(shown.document),
        "live": live,
        "found": found,
        "weaker": weakenings(found),
        "assistants": _assistants(visit, shown.item.name),
        "draft_of": next((one for one in shown.open_changes if one.id == shown.change), None),
        "has_change_pages": _CHANGE_PAGE in PAGES,
        "crumbs": (Crumb(visit.texts("rails.title"), RAILS),),
        "may_edit": visit.may(f"{ONE}/code"),
        "may_try": visit.may(f"{ONE}/try"),
    }


async def _page(visit: Visit, name: str, form: Form, checked: Checked | None = None) -> Response[str]:
    shown = await shown_of(visit, name, change_of(visit.request.query_params.get("change", "")))
    live = await live_of(visit, shown)
    frame = frame_of(visit, shown, live)
    view: PolicyView = frame["view"]
    return visit.show(
        "policy.html",
        status=form.status,
        form=form,
        checked=checked,
        most=_MOST_TRIED,
        unwatched=view.rails - view.watching,
        **frame,
    )


async def _checked(visit: Visit, question: CheckQuestion) -> Checked:
    if visit.components is None:
        raise InvalidRequest("not_found", "There is nothing to try it on.")
    return await visit.components.checks.check(question)


def _assistants(visit: Visit, policy: str) -> list[str]:
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return sorted(name for name, one in live.items() if one.policy == policy and visit.actor.may_see(name))


def _live(visit: Visit, item: Item) -> Shown | None:
    try:
        return visit.administration.changing.contents.get(visit.actor, item)
    except NotFound:
        return None


def live_document(visit: Visit, item: Item) -> Mapping[str, Any] | None:
    """Returns what is live of a policy, None for one that is not. Blocks."""
    found = _live(visit, item)
    return found.document if found else None


def _rate(visit: Visit) -> int:
    return visit.components.settings.limits.visitor_requests_per_minute if visit.components else 1
