"""Requests: what was decided about each message, the way it took, and the reveal of what is hidden."""

import datetime as dt
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.decision_archive import RevealedDecision, RevealReason, ShownDecision
from gateway.errors import InvalidRequest
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.times import day_of
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.repositories.decisions import DecisionFilter, Place
from store.types import Decision, Outcome

_Asked = NamedDependency[SkipValidation[Visit]]
_REQUESTS = "/admin/requests"
_ONE = _REQUESTS + "/{decision_id:str}"
FILTERS = ("outcome", "assistant", "prompt", "rail", "conversation", "since", "until")
_STATIONS = (("check", "input_rails"), ("match", "match"), ("word", "generate"), ("verify", "output_rails"))


@dataclass(frozen=True, slots=True)
class Timing:
    """A step on the way of a message, with its share of the whole time."""

    name: str
    duration_ms: float
    share: float


@get(_REQUESTS, operation_id="requests_page")
async def requests_page(visit: _Asked) -> Response[str]:
    """Lists decisions, newest first."""
    query = visit.request.query_params
    archive, before = visit.administration.archive, _place(query.get("after", ""))
    found = await visit.call(archive.page, visit.actor, _wanted(visit), limit=ROWS + 1, before=before)
    shown = found[:ROWS]
    return visit.show(
        "requests.html",
        decisions=shown,
        outcomes=list(Outcome),
        assistants=_assistants(visit),
        filters={name: query.get(name, "") for name in FILTERS},
        is_filtered=any(query.get(name) for name in FILTERS),
        further=_mark(shown[-1].decision) if len(found) > ROWS else None,
        is_first=before is None,
    )


@get(_ONE, operation_id="request_page")
async def request_page(decision_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows one decision and the way of its message."""
    return _request(visit, await _found(visit, decision_id), Form(), None)


@post(f"{_ONE}/reveal", status_code=200, operation_id="reveal_request")
async def reveal_request(decision_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows what is hidden, with a reason; the audit trail then says who saw it, and why."""
    form = visit.form
    if form.text("reason") not in list(RevealReason):
        form = form.wrong("reason", Said(visit.texts("requests.reason_needed")))
        return _request(visit, await _found(visit, decision_id), form, None)
    archive, reason = visit.administration.archive, RevealReason(form.text("reason"))
    revealed = await visit.call(archive.reveal, visit.actor, _known(decision_id), reason=reason)
    return _request(visit, await _found(visit, decision_id), Form(), revealed)


async def _found(visit: Visit, decision_id: str) -> ShownDecision:
    return await visit.call(visit.administration.archive.get, visit.actor, _known(decision_id))


def _request(visit: Visit, shown: ShownDecision, form: Form, revealed: RevealedDecision | None) -> Response[str]:
    catalog = visit.components.live.current.catalog if visit.components else None
    prompt = catalog.prompts.get(shown.decision.prompt_key or "") if catalog else None
    return visit.show(
        "request.html",
        status=form.status,
        shown=shown,
        decision=shown.decision,
        title=prompt.content.title if prompt else None,
        timings=_timings(shown.decision),
        total=sum(shown.decision.timings_ms.get(timing, 0.0) for _, timing in _STATIONS),
        form=form,
        revealed=revealed,
        reasons=list(RevealReason),
        may_reveal=visit.may("/admin/requests/{decision_id:str}/reveal"),
        crumbs=(Crumb(visit.texts("requests.title"), _REQUESTS),),
    )


def _timings(decision: Decision) -> list[Timing]:
    found = [(name, decision.timings_ms[timing]) for name, timing in _STATIONS if timing in decision.timings_ms]
    longest = max((duration for _, duration in found), default=0.0)
    return [Timing(name, duration, duration / longest if longest else 0.0) for name, duration in found]


def _wanted(visit: Visit) -> DecisionFilter:
    query = {name: visit.request.query_params.get(name, "").strip() or None for name in FILTERS}
    outcome = query["outcome"]
    if outcome is not None and outcome not in list(Outcome):
        raise InvalidRequest("invalid_query", f"`outcome` takes {', '.join(Outcome)}.", param="outcome")
    return DecisionFilter(
        outcome=Outcome(outcome) if outcome else None,
        assistant=query["assistant"],
        prompt=query["prompt"],
        rail=query["rail"],
        conversation=query["conversation"],
        since=day_of(visit, "since"),
        until=day_of(visit, "until", at_end=True),
    )


def _assistants(visit: Visit) -> list[str]:
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return sorted(name for name in live if visit.actor.may_see(name))


def _mark(decision: Decision) -> str:
    return f"{decision.at.isoformat().replace('+00:00', 'Z')}_{decision.id}"


def _place(mark: str) -> Place | None:
    at, _, key = mark.partition("_")
    try:
        moment = dt.datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment.astimezone(dt.UTC), key) if moment.tzinfo and key else None


def _known(decision_id: str) -> str:
    """An id that no database could look up is one that is not there."""
    return decision_id if decision_id.isprintable() else ""
