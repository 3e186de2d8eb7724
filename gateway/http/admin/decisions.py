"""Decisions over REST: pages and exports without hidden text, and the reveal of one, which is audited."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Stream

from gateway.components import Components
from gateway.decision_archive import RevealReason, ShownDecision
from gateway.errors import InvalidRequest
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import Query, administration_of
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, TEXT, Described
from gateway.http.ids import plain_id
from store.content import KeepsText
from store.repositories.decision_filters import DecisionFilter
from store.types import Outcome, Words

JSON_LINES = "application/jsonl"
_THREADS = CapacityLimiter(4)
_FILTERS = ("outcome", "prompt", "assistant", "rail", "conversation", "since", "until")


class WordsReply(msgspec.Struct, frozen=True):
    """What was said."""

    message: str
    answer: str
    context: str
    """What the page said of itself beside the message, as JSON; empty for nothing."""


class DecisionReply(msgspec.Struct, frozen=True):
    """A decision. `words` are there when they are kept redacted; slot values and full words take a reveal."""

    id: str
    at: dt.datetime
    assistant: str
    principal: str
    conversation: str | None
    outcome: Outcome
    source: str
    message_chars: int
    prompt_key: str | None
    prompt_version: int | None
    prompt_sha256: str | None
    slots: tuple[str, ...]
    """Names alone."""
    needs_slot: str | None
    has_quoted_text: bool
    score: float | None
    margin: float | None
    method: str | None
    gate: str | None
    rails: tuple[dict[str, Any], ...]
    stopped_by: str | None
    timings_ms: dict[str, float]
    store_revision: int
    matcher: str | None
    policy: str
    policy_revision: int
    model_sha256: str | None
    sent_sha256: str | None
    prompt_tokens: int
    completion_tokens: int
    failed: bool
    cached_from: str | None
    cached_at: dt.datetime | None
    kept: KeepsText
    words: WordsReply | None


class DecisionPageReply(msgspec.Struct, frozen=True):
    """Decisions, newest first. `next` is what to send as `after` for older ones; null at the end."""

    decisions: tuple[DecisionReply, ...]
    next: str | None


class RevealRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody looks at what is hidden, which the audit trail tells."""

    reason: RevealReason


class RevealReply(msgspec.Struct, frozen=True):
    """What is hidden of a decision; the audit trail now says who saw it."""

    id: str
    kept: KeepsText
    words: WordsReply | None
    slots: dict[str, str]


DECISION_OPERATIONS = (
    Described(
        "/v1/admin/decisions",
        "get",
        "list_decisions",
        "List decisions, newest first",
        {JSON: DecisionPageReply},
        (400, 401, 403, 500, 503),
        query=(*_FILTERS, "after", "limit"),
        text="`rail` is the one that stopped the text. Decisions of assistants that you may not see are left out.",
    ),
    Described(
        "/v1/admin/decisions/export",
        "get",
        "export_decisions",
        "Export decisions as JSON lines, newest first",
        {JSON_LINES: TEXT},
        (400, 401, 403, 500, 503),
        query=_FILTERS,
        text="Each line is a `DecisionReply`. The audit trail says who exported what.",
    ),
    Described(
        "/v1/admin/decisions/{decision_id}",
        "get",
        "get_decision",
        "Show one decision",
        {JSON: DecisionReply},
        (401, 403, 404, 500, 503),
        parameters=("decision_id",),
    ),
    Described(
        "/v1/admin/decisions/{decision_id}/reveal",
        "post",
        "reveal_decision",
        "Show what is hidden of a decision: full words and slot values",
        {JSON: RevealReply},
        (400, 401, 403, 404, 413, 415, 422, 500, 503),
        RevealRequest,
        is_kept=False,
        parameters=("decision_id",),
        text="Writes a row in the audit trail, with the reason, in the same transaction.",
    ),
)


@get("/v1/admin/decisions", operation_id="list_decisions")
async def list_decisions(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> DecisionPageReply:
    """Returns decisions, newest first."""
    query = Query(request, (*_FILTERS, "after", "limit"))
    wanted, limit, before = _wanted(query), query.limit(), query.place("after")
    archive, actor = administration_of(components).archive, actor_of(request)
    found = await to_thread.run_sync(
        lambda: archive.page(actor, wanted, limit=limit + 1, before=before), limiter=_THREADS
    )
    shown = found[:limit]
    return DecisionPageReply(
        decisions=tuple(map(decision_reply, shown)), next=_mark(shown[-1]) if len(found) > limit else None
    )


@get("/v1/admin/decisions/export", operation_id="export_decisions")
async def export_decisions(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Stream:
    """Streams decisions as JSON lines."""
    wanted = _wanted(Query(request, _FILTERS))
    pages = administration_of(components).archive.export(actor_of(request), wanted)
    first = await to_thread.run_sync(next, pages, (), limiter=_THREADS)  # fails before the status is sent
    return Stream(_lines(first, pages), media_type=JSON_LINES)


@get("/v1/admin/decisions/{decision_id:str}", operation_id="get_decision")
async def get_decision(
    decision_id: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> DecisionReply:
    """Returns one decision."""
    archive, actor = administration_of(components).archive, actor_of(request)
    return decision_reply(await to_thread.run_sync(archive.get, actor, plain_id(decision_id), limiter=_THREADS))


@post("/v1/admin/decisions/{decision_id:str}/reveal", status_code=200, operation_id="reveal_decision", is_kept=False)
async def reveal_decision(
    decision_id: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[RevealReply]:
    """Returns what is hidden of a decision."""
    asked = convert(await read_object(request), RevealRequest, code="validation_error")
    archive, actor = administration_of(components).archive, actor_of(request)
    reveal = partial(archive.reveal, actor, plain_id(decision_id), reason=asked.reason)
    found = await to_thread.run_sync(reveal, limiter=_THREADS)
    kept = found.words.kept if found.words else KeepsText.OFF
    told = RevealReply(found.decision.id, kept, _words(found.words), dict(found.decision.slots))
    return Response(told, media_type=JSON, headers={"cache-control": "no-store"})


def decision_reply(shown: ShownDecision) -> DecisionReply:
    """Returns a decision as it is told."""
    decision = shown.decision
    special: dict[str, Any] = {
        "slots": tuple(decision.slots),
        "rails": tuple(dict(rail) for rail in decision.rails),
        "timings_ms": dict(decision.timings_ms),
        "stopped_by": decision.stopped_by,
        "kept": shown.kept,
        "words": _words(shown.words),
    }
    names = set(DecisionReply.__struct_fields__) - special.keys()
    return DecisionReply(**{name: getattr(decision, name) for name in names}, **special)


def _words(words: Words | None) -> WordsReply | None:
    return WordsReply(words.message, words.answer, words.context) if words else None


async def _lines(first: tuple[ShownDecision, ...], pages: Iterator[tuple[ShownDecision, ...]]) -> AsyncIterator[bytes]:
    page = first
    while page:
        yield b"".join(msgspec.json.encode(decision_reply(one)) + b"\n" for one in page)
        page = await to_thread.run_sync(next, pages, (), limiter=_THREADS)


def _wanted(query: Query) -> DecisionFilter:
    outcome = query.text("outcome")
    if outcome is not None and outcome not in list(Outcome):
        raise InvalidRequest("invalid_query", f"`outcome` takes {', '.join(Outcome)}.", param="outcome")
    return DecisionFilter(
        outcome=Outcome(outcome) if outcome else None,
        prompt=query.text("prompt"),
        assistant=query.text("assistant"),
        rail=query.text("rail"),
        conversation=query.text("conversation"),
        since=query.moment("since"),
        until=query.moment("until"),
    )


def _mark(shown: ShownDecision) -> str:
    return f"{shown.decision.at.isoformat().replace('+00:00', 'Z')}_{shown.decision.id}"
