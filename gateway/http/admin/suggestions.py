"""Suggestions for prompts: searches as jobs, and proposals that a person accepts or declines one by one."""

import datetime as dt
from functools import partial
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.errors import NotServing
from gateway.http.admin.guard import actor_of
from gateway.http.admin.question_queries import choice_of, limit_of, rev_of, text_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from gateway.http.ids import plain_id
from gateway.suggesting.service import Suggesting
from store.content import Key
from store.review.suggested import Job, Proposal, ProposalKind, ProposalState


class SuggestionJobRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A search for further phrasings and counterexamples of a live prompt."""

    prompt: Key


class SuggestionJobReply(msgspec.Struct, frozen=True):
    """How far a search is."""

    id: str
    prompt: str
    state: str
    made_at: dt.datetime
    updated_at: dt.datetime
    done: int
    total: int
    proposed: int
    dropped: dict[str, int]
    """Sentences that were not proposed, by reason."""
    problem: str | None


class ProposalReply(msgspec.Struct, frozen=True):
    """A proposed sentence, with where it comes from and how it was checked."""

    id: str
    prompt: str
    kind: str
    text: str
    provenance: dict[str, Any]
    state: str
    job: str
    made_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    change: str | None
    rev: int


class ProposalsReply(msgspec.Struct, frozen=True):
    """A page of proposals."""

    items: tuple[ProposalReply, ...]
    next: str | None


class AcceptSuggestionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Into which change the sentence goes; without one, into the newest of the caller made for them."""

    change: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


_ONE = (401, 403, 404, 500, 503)
_DECIDE = (401, 403, 404, 409, 412, 415, 422, 428, 500, 503)
_JOBS = "/v1/admin/suggestion-jobs"
_LIST = "/v1/admin/suggestions"

SUGGESTION_OPERATIONS = (
    Described(
        _JOBS,
        "post",
        "begin_suggestion_job",
        "Look for further phrasings and counterexamples of a prompt",
        {JSON: SuggestionJobReply},
        (400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        SuggestionJobRequest,
        text="The reply's Location tells how far it is. One search a prompt at a time.",
        status=202,
    ),
    Described(
        _JOBS + "/{job}",
        "get",
        "get_suggestion_job",
        "Tell how far a search is",
        {JSON: SuggestionJobReply},
        _ONE,
        parameters=("job",),
    ),
    Described(
        _JOBS + "/{job}",
        "delete",
        "cancel_suggestion_job",
        "Stop a search",
        {JSON: SuggestionJobReply},
        (401, 403, 404, 409, 500, 503),
        parameters=("job",),
    ),
    Described(
        _LIST,
        "get",
        "list_suggestions",
        "List proposed sentences",
        {JSON: ProposalsReply},
        (401, 403, 404, 422, 500, 503),
        text="`state` is proposed (default), accepted, declined or any; `kind` phrasing, counterexample or any.",
        query=("prompt", "state", "kind", "after", "limit"),
    ),
    Described(
        _LIST + "/{suggestion}",
        "get",
        "get_suggestion",
        "Show one proposed sentence",
        {JSON: ProposalReply},
        _ONE,
        parameters=("suggestion",),
    ),
    Described(
        _LIST + "/{suggestion}/accept",
        "post",
        "accept_suggestion",
        "Put a proposed sentence into a change",
        {JSON: ProposalReply},
        (400, 413, *_DECIDE),
        AcceptSuggestionRequest,
        ("if-match",),
        parameters=("suggestion",),
    ),
    Described(
        _LIST + "/{suggestion}/decline",
        "post",
        "decline_suggestion",
        "Decline a proposed sentence for good",
        {JSON: ProposalReply},
        _DECIDE,
        headers=("if-match",),
        text="It is remembered and not proposed again.",
        parameters=("suggestion",),
    ),
)

_Parts = NamedDependency[SkipValidation[Components]]


@post(_JOBS, operation_id="begin_suggestion_job", status_code=202)
async def begin_suggestion_job(request: Request[Any, Any, Any], components: _Parts) -> Response[SuggestionJobReply]:
    """Queues a search."""
    sent = convert(await read_object(request), SuggestionJobRequest, code="validation_error")
    call = partial(_service(components).begin, actor_of(request), sent.prompt)
    job = await to_thread.run_sync(call, limiter=_service(components).threads)
    return Response(_job(job), status_code=202, headers={"location": f"{_JOBS}/{job.id}"})


@get(_JOBS + "/{job:str}", operation_id="get_suggestion_job")
async def get_suggestion_job(request: Request[Any, Any, Any], components: _Parts) -> Response[SuggestionJobReply]:
    """Tells how far a search is."""
    call = partial(_service(components).job, actor_of(request), plain_id(request.path_params["job"]))
    return Response(_job(await to_thread.run_sync(call, limiter=_service(components).threads)))


@delete(_JOBS + "/{job:str}", operation_id="cancel_suggestion_job", status_code=200)
async def cancel_suggestion_job(request: Request[Any, Any, Any], components: _Parts) -> Response[SuggestionJobReply]:
    """Stops a search."""
    call = partial(_service(components).cancel, actor_of(request), plain_id(request.path_params["job"]))
    return Response(_job(await to_thread.run_sync(call, limiter=_service(components).threads)))


@get(_LIST, operation_id="list_suggestions")
async def list_suggestions(request: Request[Any, Any, Any], components: _Parts) -> Response[ProposalsReply]:
    """Lists proposals."""
    call = partial(
        _service(components).proposals,
        actor_of(request),
        text_of(request, "prompt"),
        state=choice_of(request, "state", ProposalState, ProposalState.PROPOSED),
        kind=choice_of(request, "kind", ProposalKind, None),
        after=text_of(request, "after"),
        limit=limit_of(request),
    )
    page = await to_thread.run_sync(call, limiter=_service(components).threads)
    return Response(ProposalsReply(tuple(map(_suggestion, page.items)), page.next))


@get(_LIST + "/{suggestion:str}", operation_id="get_suggestion")
async def get_suggestion(request: Request[Any, Any, Any], components: _Parts) -> Response[ProposalReply]:
    """Shows a proposal; its ETag is its `rev`."""
    call = partial(_service(components).proposal, actor_of(request), plain_id(request.path_params["suggestion"]))
    return _told(await to_thread.run_sync(call, limiter=_service(components).threads))


@post(_LIST + "/{suggestion:str}/accept", operation_id="accept_suggestion", status_code=200)
async def accept_suggestion(request: Request[Any, Any, Any], components: _Parts) -> Response[ProposalReply]:
    """Puts a sentence into a change."""
    sent = convert(await read_object(request), AcceptSuggestionRequest, code="validation_error")
    suggestion, rev = plain_id(request.path_params["suggestion"]), rev_of(request)
    call = partial(_service(components).accept, actor_of(request), suggestion, rev, sent.change)
    return _told(await to_thread.run_sync(call, limiter=_service(components).threads))


@post(_LIST + "/{suggestion:str}/decline", operation_id="decline_suggestion", status_code=200)
async def decline_suggestion(request: Request[Any, Any, Any], components: _Parts) -> Response[ProposalReply]:
    """Declines a sentence."""
    suggestion, rev = plain_id(request.path_params["suggestion"]), rev_of(request)
    call = partial(_service(components).decline, actor_of(request), suggestion, rev)
    return _told(await to_thread.run_sync(call, limiter=_service(components).threads))


SUGGESTION_HANDLERS = (
    begin_suggestion_job,
    get_suggestion_job,
    cancel_suggestion_job,
    list_suggestions,
    get_suggestion,
    accept_suggestion,
    decline_suggestion,
)


def _service(components: Components) -> Suggesting:
    if components.administration is None:
        raise NotServing("not_serving", "This gateway has no admin surface.")
    return components.administration.suggesting


def _job(job: Job) -> SuggestionJobReply:
    return msgspec.convert(job, SuggestionJobReply, from_attributes=True, strict=False)


def _told(proposal: Proposal) -> Response[ProposalReply]:
    return Response(_suggestion(proposal), headers={"etag": f'"{proposal.rev}"'})


def _suggestion(proposal: Proposal) -> ProposalReply:
    return msgspec.convert(proposal, ProposalReply, from_attributes=True, strict=False)
