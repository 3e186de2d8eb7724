"""Unmatched: what was asked without a good answer, by meaning; where it may belong, and what was done about it."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from gateway.errors import NotServing
from gateway.http.ids import plain_id
from gateway.http.pages.choices import assistants_of, silent_of, titles_of, typed
from gateway.http.pages.forms import Form
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.unmatched_acting import FILTERS, UNMATCHED, act, actions_link, list_link, wanted_of
from gateway.http.pages.unmatched_forms import Selection, first_form
from gateway.http.pages.visit import ROWS, Crumb, Visit
from gateway.reviewing.prospects import Prospects
from store.changes.held import DRAFTS
from store.changes.types import ChangeHead
from store.errors import InvalidContent, NotFound, StoreError
from store.review.actions import Done
from store.review.reading import SORTS
from store.review.types import LISTED_FROM, Cluster, QuestionState, Reason, Wanted

_Asked = NamedDependency[SkipValidation[Visit]]
_ONE = UNMATCHED + "/clusters/{cluster:str}"
_LATEST = 20
"""Actions among which the one is looked for that was just done."""
_OTHERS = 100
"""Groups to choose from for a merge."""
SNOOZES = (7, 30, 90)
"""Days to choose from."""


@get(UNMATCHED, operation_id="unmatched_page")
async def unmatched_page(visit: _Asked) -> Response[str]:
    """Lists groups, those with most messages first."""
    reviewing, query = visit.administration.reviewing, visit.request.query_params
    least, sorting = 1 if query.get("singles") == "1" else LISTED_FROM, sorting_of(visit, SORTS, "-messages")
    call, wanted = reviewing.sorted_clusters, wanted_of(visit)
    found = await visit.call(call, visit.actor, wanted, sorting.order, least=least, limit=ROWS + 1)
    clusters, further = sorting.cut(found, lambda one: one.id)
    figures = await visit.call(reviewing.figures, visit.actor)
    return visit.show(
        "unmatched.html",
        clusters=clusters,
        sorting=sorting,
        further=further,
        figures=figures,
        assistants=assistants_of(visit),
        silent=silent_of(visit),
        states=list(QuestionState),
        reasons=list(Reason),
        filters={name: typed(visit, name) for name in FILTERS},
        is_filtered=any(typed(visit, name) for name in FILTERS),
        has_singles=least == 1,
        least=LISTED_FROM,
        did=await _just_done(visit),
        query=list_link(visit).removeprefix(UNMATCHED),
        titles=titles_of(visit),
    )


@get(_ONE, operation_id="unmatched_cluster_page")
async def unmatched_cluster_page(cluster: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows a group with its questions, and what can be done about it."""
    return await show_cluster(visit, cluster, Form())


@post(f"{_ONE}/act", status_code=200, operation_id="act_on_cluster_page")
async def act_on_cluster_page(cluster: FromPath[str], visit: _Asked) -> Response[str] | Redirect:
    """Does to the ticked questions what the pressed button says."""
    outcome = await act(visit, plain_id(cluster))
    if isinstance(outcome, Done):
        return visit.go(list_link(visit, did=outcome.id))
    if isinstance(outcome, Selection):
        return await _show_new_prompt(visit, outcome)
    return await show_cluster(visit, cluster, outcome)


@get(f"{UNMATCHED}/actions", operation_id="unmatched_actions_page")
async def unmatched_actions_page(visit: _Asked) -> Response[str]:
    """Lists what was done, the latest first."""
    after = typed(visit, "after") or None
    page = await visit.call(visit.administration.reviewing.actions, visit.actor, after=after, limit=ROWS)
    people = {one.actor.partition(":")[2] for one in page.items if one.actor.startswith("user:")}
    names = await visit.call(visit.access.users.names, visit.actor, people) if people else {}
    return visit.show(
        "unmatched_actions.html",
        actions=page.items,
        names={f"user:{one}": name for one, name in dict(names).items()},
        titles=titles_of(visit),
        further=page.next,
        is_first=after is None,
        crumbs=(_crumb(visit),),
    )


@post(f"{UNMATCHED}/actions/{{action:str}}/undo", status_code=200, operation_id="undo_on_page")
async def undo_on_page(action: FromPath[str], visit: _Asked) -> Redirect:
    """Undoes an action."""
    done = await visit.call(visit.administration.reviewing.undo, visit.actor, plain_id(action))
    return visit.go(actions_link(), done="undone_but_stays" if done.edit_stays_in else "question_undone")


async def show_cluster(visit: Visit, cluster_id: str, form: Form) -> Response[str]:
    """Shows a group, and the form as it was typed."""
    reviewing, wanted = visit.administration.reviewing, wanted_of(visit)
    detail = await visit.call(reviewing.cluster, visit.actor, plain_id(cluster_id), wanted)
    prospects = await _prospects(visit, detail.cluster)
    can_act = visit.may(f"{_ONE}/act") and wanted.state in (QuestionState.OPEN, QuestionState.SNOOZED)
    ticked = {one.partition(":")[0] for one in form.many("target")} if form.values else None
    return visit.show(
        "unmatched_cluster.html",
        status=form.status,
        cluster=detail.cluster,
        questions=detail.questions,
        ticked=ticked,
        prospects=prospects,
        can_act=can_act,
        drafts=await _drafts(visit) if can_act else (),
        others=await _others(visit, detail.cluster) if can_act else (),
        snoozes=SNOOZES,
        form=form,
        query=list_link(visit).removeprefix(UNMATCHED),
        crumbs=(Crumb(visit.texts("unmatched.title"), list_link(visit)),),
    )


async def _show_new_prompt(visit: Visit, selection: Selection) -> Response[str]:
    assistant = visit.components.live.current.catalog.assistants.get(selection.assistant) if visit.components else None
    areas = sorted(assistant.areas) if assistant else []
    languages = list(assistant.languages) if assistant else ["en"]
    form = selection.form if selection.is_typed else first_form(selection, areas, languages, visit.actor, visit.now)
    return visit.show(
        "unmatched_new_prompt.html",
        status=form.status,
        selection=selection,
        form=form,
        areas=areas,
        spoken=languages,
        drafts=await _drafts(visit),
        query=list_link(visit).removeprefix(UNMATCHED),
        crumbs=(_crumb(visit), Crumb(selection.label, f"{UNMATCHED}/clusters/{selection.cluster}")),
    )


async def _prospects(visit: Visit, cluster: Cluster) -> Prospects | None:
    """Returns what the matcher makes of the group now; None where it cannot say, which the page tells."""
    try:
        return await visit.call(visit.administration.reviewing.cluster_prospects, visit.actor, cluster.id)
    except (NotFound, NotServing, InvalidContent):
        return None


async def _drafts(visit: Visit) -> tuple[ChangeHead, ...]:
    """Returns the person's own changes that take edits."""
    drafts = visit.administration.changing.drafts
    found = await visit.call(drafts.page, visit.actor, limit=_LATEST, states=DRAFTS, author=visit.actor.person)
    return found.changes


async def _others(visit: Visit, cluster: Cluster) -> tuple[Cluster, ...]:
    """Returns the groups that this one may be put into."""
    clusters = visit.administration.reviewing.clusters
    wanted = Wanted(assistant=cluster.assistant, state=None)
    found = await visit.call(clusters, visit.actor, wanted, least=1, after=None, limit=_OTHERS)
    return tuple(one for one in found.items if one.id != cluster.id)


async def _just_done(visit: Visit) -> Done | None:
    wanted = typed(visit, "did")
    if not wanted:
        return None
    try:
        page = await visit.call(visit.administration.reviewing.actions, visit.actor, after=None, limit=_LATEST)
    except StoreError:
        return None
    return next((one for one in page.items if one.id == wanted and one.undone_at is None), None)


def _crumb(visit: Visit) -> Crumb:
    return Crumb(visit.texts("unmatched.title"), UNMATCHED)
