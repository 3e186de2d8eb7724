"""Requests: what was decided about each message, the way it took, and the reveal of what is hidden."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.decision_archive import RETENTION_DAYS, RevealedDecision, RevealReason, ShownDecision
from gateway.errors import InvalidRequest
from gateway.http.ids import plain_id
from gateway.http.pages.choices import assistants_of, chosen, titles_of, typed
from gateway.http.pages.clients import askers_named, client_names
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.times import day_of
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.repositories.decision_filters import DecisionFilter
from store.repositories.decisions import SORTS
from store.types import Decision, Outcome

_Asked = NamedDependency[SkipValidation[Visit]]
_REQUESTS = "/admin/requests"
_ONE = _REQUESTS + "/{decision_id:str}"
FILTERS = ("id", "outcome", "rail", "assistant", "client", "prompt", "least_ms", "conversation", "since", "until")
_MOST_DIGITS = 7
_NAME = "rails.name_"
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
    filters = {name: typed(visit, name) for name in FILTERS}
    archive, sorting = visit.administration.archive, sorting_of(visit, SORTS, "-at")
    wanted = await _wanted(visit, filters)
    found = await visit.call(archive.sorted_page, visit.actor, wanted, sorting.order, limit=ROWS + 1)
    shown, further = sorting.cut(found, lambda one: one.decision.id)
    return visit.show(
        "requests.html",
        decisions=shown,
        clients=await client_names(visit, {one.decision.principal for one in shown}),
        outcomes=list(Outcome),
        rails=_rails(visit),
        assistants=assistants_of(visit),
        titles=titles_of(visit),
        filters=filters,
        is_filtered=any(filters.values()),
        sorting=sorting,
        further=further,
        kept=await _kept(visit),
    )


@get(_ONE, operation_id="request_page")
async def request_page(decision_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows one decision and the way of its message."""
    return await _request(visit, await _found(visit, decision_id), Form(), None)


@post(f"{_ONE}/reveal", status_code=200, operation_id="reveal_request")
async def reveal_request(decision_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows what is hidden, with a reason; the audit trail then says who saw it, and why."""
    form = visit.form
    if form.text("reason") not in list(RevealReason):
        form = form.wrong("reason", Said(visit.texts("requests.reason_needed")))
        return await _request(visit, await _found(visit, decision_id), form, None)
    archive, reason = visit.administration.archive, RevealReason(form.text("reason"))
    revealed = await visit.call(archive.reveal, visit.actor, plain_id(decision_id), reason=reason)
    return await _request(visit, await _found(visit, decision_id), Form(), revealed)


async def _found(visit: Visit, decision_id: str) -> ShownDecision:
    return await visit.call(visit.administration.archive.get, visit.actor, plain_id(decision_id))


async def _request(visit: Visit, shown: ShownDecision, form: Form, revealed: RevealedDecision | None) -> Response[str]:
    asker = shown.decision.principal
    days = (await visit.call(visit.administration.archive.kept_days)).get(shown.decision.assistant, RETENTION_DAYS)
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
        client=(await client_names(visit, {asker})).get(asker, asker),
        kept_until=shown.decision.at + dt.timedelta(days=days),
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


async def _wanted(visit: Visit, filters: Mapping[str, str]) -> DecisionFilter:
    least = filters["least_ms"]
    if least and not (least.isascii() and least.isdigit() and len(least) <= _MOST_DIGITS):
        raise InvalidRequest("invalid_query", "`least_ms` takes a number of milliseconds.", param="least_ms")
    return DecisionFilter(
        id=filters["id"] or None,
        outcome=chosen(visit, "outcome", Outcome),
        assistant=filters["assistant"] or None,
        prompt=filters["prompt"] or None,
        rail=filters["rail"] or None,
        conversation=filters["conversation"] or None,
        askers=await askers_named(visit, filters["client"]) if filters["client"] else None,
        least_ms=float(least) if least else None,
        since=day_of(visit, "since"),
        until=day_of(visit, "until", at_end=True),
    )


def _rails(visit: Visit) -> dict[str, str]:
    """Returns what the rails of the gateway are called, and those of the page's address, in the order of the words."""
    known = {one.removeprefix(_NAME): words for one, words in visit.texts.entries.items() if one.startswith(_NAME)}
    return dict(sorted(known.items(), key=lambda one: one[1]))


async def _kept(visit: Visit) -> list[tuple[int, list[str]]]:
    """Returns for how many days decisions are kept, and of which of the person's assistants."""
    days = await visit.call(visit.administration.archive.kept_days)
    mine = {name: kept for name, kept in sorted(days.items()) if visit.actor.may_see(name)}
    return [(kept, [name for name in mine if mine[name] == kept]) for kept in sorted(set(mine.values()))]
