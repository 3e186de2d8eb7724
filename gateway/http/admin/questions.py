"""The review queue: questions, clusters, what the live matcher says of them, and what is done about them."""

from functools import partial
from typing import Any

from anyio import to_thread
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import NotServing
from gateway.http.admin.guard import actor_of
from gateway.http.admin.question_queries import choice_of, limit_of, number_of, text_of
from gateway.http.admin.question_replies import (
    ProspectsReply,
    QuestionActionReply,
    QuestionActionsReply,
    QuestionClusterDetailReply,
    QuestionClustersReply,
    QuestionReply,
    QuestionsReply,
    QueueFiguresReply,
    actions_reply,
    clusters_reply,
    detail_reply,
    done_reply,
    figures_reply,
    prospects_reply,
    question_reply,
    questions_reply,
)
from gateway.http.admin.question_requests import QuestionActionRequest, action_of, target_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from gateway.http.ids import plain_id
from gateway.reviewing.service import Reviewing
from store.review.types import LISTED_FROM, QuestionState, Reason, Wanted

"""Messages that a cluster has at least to be listed, unless the caller says otherwise: one is too noisy."""
MOST = 1_000_000
_READ = (401, 403, 422, 500, 503)
_ONE = (401, 403, 404, 500, 503)
_FILTERS = ("assistant", "state", "reason", "text")
_STATES = "`state` is open (default), snoozed, drafted, discarded or any; `reason` no_match, clarify, blocked, "
_STATES += "thumbs_down or any. Texts are redacted. "
_ACT = (
    "All targets or none: 409 when one has another `rev` than the one sent, or is not open. Actions that change "
    "content make an edit in the draft that `change` names; without it in the caller's newest draft that was made for "
    "questions of the queue, or in a new one. `change` of the reply says which. `wording` takes the place of a "
    "single question's own words."
)
_UNDO = (
    "Puts the questions back and takes the edit out of its change; `edit_stays_in` names a change that keeps it, "
    "because it is no longer a draft or somebody went on with it. 409 when a target has changed since."
)

QUESTION_OPERATIONS = (
    Described(
        "/v1/admin/questions",
        "get",
        "list_questions",
        "List messages without a good answer",
        {JSON: QuestionsReply},
        _READ,
        text=_STATES + "The last seen first.",
        query=(*_FILTERS, "cluster", "after", "limit"),
    ),
    Described(
        "/v1/admin/questions/{question}",
        "get",
        "get_question",
        "Show one question",
        {JSON: QuestionReply},
        _ONE,
        parameters=("question",),
    ),
    Described(
        "/v1/admin/questions/{question}/prospects",
        "get",
        "get_question_prospects",
        "Tell which prompts a question comes near, and what adding it would do",
        {JSON: ProspectsReply},
        _ONE,
        text="A dry run on the live matcher; nothing is recorded.",
        parameters=("question",),
    ),
    Described(
        "/v1/admin/question-clusters",
        "get",
        "list_question_clusters",
        "List questions by meaning",
        {JSON: QuestionClustersReply},
        _READ,
        text=_STATES
        + f"The largest first; `least` (default {LISTED_FROM}) is how many messages a cluster has at least.",
        query=(*_FILTERS, "least", "after", "limit"),
    ),
    Described(
        "/v1/admin/question-clusters/{cluster}",
        "get",
        "get_question_cluster",
        "Show one cluster with its questions",
        {JSON: QuestionClusterDetailReply},
        (*_ONE, 422),
        text=_STATES,
        query=_FILTERS,
        parameters=("cluster",),
    ),
    Described(
        "/v1/admin/question-clusters/{cluster}/prospects",
        "get",
        "get_question_cluster_prospects",
        "Tell which prompts a cluster's most central question comes near",
        {JSON: ProspectsReply},
        _ONE,
        text="A dry run on the live matcher; nothing is recorded.",
        parameters=("cluster",),
    ),
    Described(
        "/v1/admin/question-actions",
        "post",
        "act_on_questions",
        "Do something about questions",
        {JSON: QuestionActionReply},
        (400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        QuestionActionRequest,
        text=_ACT,
        status=201,
    ),
    Described(
        "/v1/admin/question-actions",
        "get",
        "list_question_actions",
        "List what was done about questions",
        {JSON: QuestionActionsReply},
        _READ,
        text="The latest first.",
        query=("after", "limit"),
    ),
    Described(
        "/v1/admin/question-actions/{action}/undo",
        "post",
        "undo_question_action",
        "Undo an action",
        {JSON: QuestionActionReply},
        (401, 403, 404, 409, 415, 500, 503),
        text=_UNDO,
        parameters=("action",),
    ),
    Described(
        "/v1/admin/question-figures",
        "get",
        "get_question_figures",
        "Count what came to the queue in 30 days",
        {JSON: QueueFiguresReply},
        (401, 403, 500, 503),
        text="Also what was not kept: over the bound, not surely redacted, or lost while the database was away.",
    ),
)

_Parts = NamedDependency[SkipValidation[Components]]


@get("/v1/admin/questions", operation_id="list_questions")
async def list_questions(request: Request[Any, Any, Any], components: _Parts) -> Response[QuestionsReply]:
    """Lists questions."""
    wanted = _wanted(request, cluster=text_of(request, "cluster"))
    call = partial(
        _service(components).questions,
        actor_of(request),
        wanted,
        after=text_of(request, "after"),
        limit=limit_of(request),
    )
    return Response(questions_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


@get("/v1/admin/questions/{question:str}", operation_id="get_question")
async def get_question(request: Request[Any, Any, Any], components: _Parts) -> Response[QuestionReply]:
    """Shows a question; its ETag is its `rev`."""
    call = partial(_service(components).question, actor_of(request), plain_id(request.path_params["question"]))
    found = await to_thread.run_sync(call, limiter=_service(components).threads)
    return Response(question_reply(found), headers={"etag": f'"{found.rev}"'})


@get("/v1/admin/questions/{question:str}/prospects", operation_id="get_question_prospects")
async def get_question_prospects(request: Request[Any, Any, Any], components: _Parts) -> Response[ProspectsReply]:
    """Tries a question on the live matcher."""
    call = partial(_service(components).prospects, actor_of(request), plain_id(request.path_params["question"]))
    return Response(prospects_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


@get("/v1/admin/question-clusters", operation_id="list_question_clusters")
async def list_question_clusters(
    request: Request[Any, Any, Any], components: _Parts
) -> Response[QuestionClustersReply]:
    """Lists clusters."""
    call = partial(
        _service(components).clusters,
        actor_of(request),
        _wanted(request),
        least=number_of(request, "least", LISTED_FROM, most=MOST),
        after=text_of(request, "after"),
        limit=limit_of(request),
    )
    return Response(clusters_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


@get("/v1/admin/question-clusters/{cluster:str}", operation_id="get_question_cluster")
async def get_question_cluster(
    request: Request[Any, Any, Any], components: _Parts
) -> Response[QuestionClusterDetailReply]:
    """Shows a cluster; its ETag is its `rev`."""
    cluster = plain_id(request.path_params["cluster"])
    call = partial(_service(components).cluster, actor_of(request), cluster, _wanted(request))
    found = await to_thread.run_sync(call, limiter=_service(components).threads)
    return Response(detail_reply(found), headers={"etag": f'"{found.cluster.rev}"'})


@get("/v1/admin/question-clusters/{cluster:str}/prospects", operation_id="get_question_cluster_prospects")
async def get_question_cluster_prospects(
    request: Request[Any, Any, Any], components: _Parts
) -> Response[ProspectsReply]:
    """Tries a cluster's most central question on the live matcher."""
    call = partial(_service(components).cluster_prospects, actor_of(request), plain_id(request.path_params["cluster"]))
    return Response(prospects_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


@post("/v1/admin/question-actions", operation_id="act_on_questions")
async def act_on_questions(request: Request[Any, Any, Any], components: _Parts) -> Response[QuestionActionReply]:
    """Does something to all targets or to none."""
    sent = convert(await read_object(request), QuestionActionRequest, code="validation_error")
    targets = tuple(map(target_of, sent.targets))
    call = partial(_service(components).act, actor_of(request), action_of(sent.action), targets)
    return Response(done_reply(await to_thread.run_sync(call, limiter=_service(components).threads)), status_code=201)


@get("/v1/admin/question-actions", operation_id="list_question_actions")
async def list_question_actions(request: Request[Any, Any, Any], components: _Parts) -> Response[QuestionActionsReply]:
    """Lists actions."""
    after, limit = text_of(request, "after"), limit_of(request)
    call = partial(_service(components).actions, actor_of(request), after=after, limit=limit)
    return Response(actions_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


@post("/v1/admin/question-actions/{action:str}/undo", operation_id="undo_question_action", status_code=200)
async def undo_question_action(request: Request[Any, Any, Any], components: _Parts) -> Response[QuestionActionReply]:
    """Undoes an action."""
    call = partial(_service(components).undo, actor_of(request), plain_id(request.path_params["action"]))
    return Response(done_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


@get("/v1/admin/question-figures", operation_id="get_question_figures")
async def get_question_figures(request: Request[Any, Any, Any], components: _Parts) -> Response[QueueFiguresReply]:
    """Counts what came to the queue."""
    call = partial(_service(components).figures, actor_of(request))
    return Response(figures_reply(await to_thread.run_sync(call, limiter=_service(components).threads)))


QUESTION_HANDLERS = (
    list_questions,
    get_question,
    get_question_prospects,
    list_question_clusters,
    get_question_cluster,
    get_question_cluster_prospects,
    act_on_questions,
    list_question_actions,
    undo_question_action,
    get_question_figures,
)


def _service(components: Components) -> Reviewing:
    if components.administration is None:
        raise NotServing("not_serving", "This gateway has no admin surface.")
    return components.administration.reviewing


def _wanted(request: Request[Any, Any, Any], cluster: str | None = None) -> Wanted:
    return Wanted(
        assistant=text_of(request, "assistant"),
        state=choice_of(request, "state", QuestionState, QuestionState.OPEN),
        reason=choice_of(request, "reason", Reason, None),
        cluster=cluster,
        text=text_of(request, "text"),
    )
