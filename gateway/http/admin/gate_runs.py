"""Runs of the gate over REST: begun here, and looked at until they are done."""

from functools import partial
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.admin.change_calls import (
    READ_ERRORS,
    STEP_ERRORS,
    change_id_of,
    changing_of,
    in_thread,
    known_id,
    query_id,
)
from gateway.http.admin.change_replies import GateRunReply, GateRunsReply, run_reply
from gateway.http.admin.guard import actor_of
from gateway.http.admin.preconditions import rev_of
from gateway.http.admin.queries import Query
from gateway.http.described import JSON, Described

_RUNS = "/v1/admin/changes/{change_id:str}/gate-runs"
_TOLD = "/v1/admin/changes/{change_id}/gate-runs"
_Parts = NamedDependency[SkipValidation[Components]]

GATE_RUN_OPERATIONS = (
    Described(
        _TOLD,
        "post",
        "start_gate_run",
        "Try what a change would make of the gateway",
        {JSON: GateRunReply},
        STEP_ERRORS,
        None,
        ("if-match",),
        parameters=("change_id",),
        status=202,
        text="Location tells how far the run is, and what it found. One that is going on for this content is told "
        "instead of a new one. If-Match is the change's ETag.",
    ),
    Described(
        _TOLD,
        "get",
        "list_gate_runs",
        "List the runs of the gate for a change",
        {JSON: GateRunsReply},
        (*READ_ERRORS, 400),
        parameters=("change_id",),
        query=("after", "limit"),
    ),
    Described(
        f"{_TOLD}/{{run_id}}",
        "get",
        "get_gate_run",
        "Show how far a run of the gate is, and what it found",
        {JSON: GateRunReply},
        READ_ERRORS,
        parameters=("change_id", "run_id"),
    ),
)


@post(_RUNS, status_code=202, operation_id="start_gate_run")
async def start_gate_run(request: Request[Any, Any, Any], components: _Parts) -> Response[GateRunReply]:
    """Begins a run."""
    rev, change_id = rev_of(request), change_id_of(request)
    call = partial(changing_of(components).gate.start, actor_of(request), change_id, rev=rev)
    body = run_reply(await in_thread(call))
    location = f"/v1/admin/changes/{change_id}/gate-runs/{body.id}"
    return Response(body, status_code=202, headers={"location": location})


@get(_RUNS, operation_id="list_gate_runs")
async def list_gate_runs(request: Request[Any, Any, Any], components: _Parts) -> GateRunsReply:
    """Lists runs."""
    query = Query(request, ("after", "limit"))
    limit, after = query.limit(), query_id(query.text("after"), "after")
    changing, actor, change_id = changing_of(components), actor_of(request), change_id_of(request)
    found = await in_thread(partial(changing.views.runs, actor, change_id, limit=limit + 1, after=after))
    return GateRunsReply(tuple(map(run_reply, found[:limit])), found[limit - 1].id if len(found) > limit else None)


@get(f"{_RUNS}/{{run_id:str}}", operation_id="get_gate_run")
async def get_gate_run(request: Request[Any, Any, Any], components: _Parts) -> GateRunReply:
    """Shows a run."""
    change_id, run_id = change_id_of(request), known_id(request.path_params["run_id"], "gate run")
    changing, actor = changing_of(components), actor_of(request)
    return run_reply(await in_thread(partial(changing.views.one_run, actor, change_id, run_id)))


GATE_RUN_HANDLERS = (start_gate_run, list_gate_runs, get_gate_run)
