"""Feedback over REST: lists, helpful rates with their intervals, and exports as preference pairs or messages."""

import datetime as dt
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Stream

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import Query, administration_of
from gateway.http.described import JSON, TEXT, Described
from gateway.http.downloads import download
from store.content import KeepsText
from store.feedback import FeedbackReason, Verdict
from store.repositories.feedback import FeedbackFilter, JudgedAnswer

JSON_LINES = "application/jsonl"
_THREADS = CapacityLimiter(4)
_FILTERS = ("verdict", "assistant", "prompt", "version", "since", "until")


class SaidReply(msgspec.Struct, frozen=True):
    """What was said, redacted."""

    comment: str
    better: str


class AnswerReply(msgspec.Struct, frozen=True):
    """The message and the answer, redacted."""

    message: str
    answer: str


class FeedbackItemReply(msgspec.Struct, frozen=True):
    """A verdict. `said` and `words` are there when they are kept redacted."""

    decision: str
    assistant: str
    prompt_key: str | None
    prompt_version: int | None
    verdict: Verdict
    reasons: tuple[FeedbackReason, ...]
    given_at: dt.datetime
    changed_at: dt.datetime
    kept: KeepsText
    said: SaidReply | None
    words: AnswerReply | None


class FeedbackPageReply(msgspec.Struct, frozen=True):
    """Feedback, the last changed first. `next` is what to send as `after` for older; null at the end."""

    feedback: tuple[FeedbackItemReply, ...]
    next: str | None


class RateReply(msgspec.Struct, frozen=True):
    """How often a prompt version helped, with Wilson's interval of 95 %."""

    assistant: str
    prompt_key: str
    prompt_version: int
    up: int
    down: int
    rate: float
    at_least: float
    at_most: float


class RatesReply(msgspec.Struct, frozen=True):
    """Rates by assistant, prompt and version."""

    rates: tuple[RateReply, ...]


class PairingReply(msgspec.Struct, frozen=True):
    """What an export of pairs would hold, and why the rest is in no pair."""

    judged: int
    pairs: int
    by_better: int
    without_text: int
    """Verdicts on answers whose text is not kept."""
    unpaired: int
    """Answers to which there is none of the other verdict for the same prompt version and slots, and replaced ones."""
    same_answer: int
    """Of these, how many met only their own words."""


FEEDBACK_OPERATIONS = (
    Described(
        "/v1/admin/feedback",
        "get",
        "list_feedback",
        "List feedback, the last changed first",
        {JSON: FeedbackPageReply},
        (400, 401, 403, 500, 503),
        query=(*_FILTERS, "after", "limit"),
    ),
    Described(
        "/v1/admin/feedback/rates",
        "get",
        "list_helpful_rates",
        "Show the helpful rate of each prompt version",
        {JSON: RatesReply},
        (400, 401, 403, 500, 503),
        query=_FILTERS[1:],
    ),
    Described(
        "/v1/admin/feedback/pairing",
        "get",
        "show_pairing",
        "Show what an export of preference pairs would hold",
        {JSON: PairingReply},
        (400, 401, 403, 500, 503),
        query=_FILTERS[1:],
    ),
    Described(
        "/v1/admin/feedback/exports/{format_name}",
        "get",
        "export_feedback",
        "Export feedback as preference pairs (hh-rlhf, dpo) or messages (oasst, oasst-messages)",
        {JSON_LINES: TEXT},
        (400, 401, 403, 404, 500, 503),
        parameters=("format_name",),
        query=_FILTERS,
        text="Texts are as the assistant keeps them; the audit trail says who exported them. Answers whose text is not "
        "kept are in no export: `pairing` counts them.",
    ),
)


@get("/v1/admin/feedback", operation_id="list_feedback")
async def list_feedback(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> FeedbackPageReply:
    """Returns feedback, the last changed first."""
    query = Query(request, (*_FILTERS, "after", "limit"))
    wanted, limit, before = _wanted(query), query.limit(), query.place("after")
    desk, actor = administration_of(components).feedback, actor_of(request)
    found = await to_thread.run_sync(lambda: desk.page(actor, wanted, limit=limit + 1, before=before), limiter=_THREADS)
    shown = found[:limit]
    return FeedbackPageReply(tuple(map(_item, shown)), _mark(shown[-1]) if len(found) > limit else None)


@get("/v1/admin/feedback/rates", operation_id="list_helpful_rates")
async def list_helpful_rates(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> RatesReply:
    """Returns the helpful rate of each prompt version."""
    wanted = _wanted(Query(request, _FILTERS[1:]))
    desk, actor = administration_of(components).feedback, actor_of(request)
    found = await to_thread.run_sync(desk.rates, actor, wanted, limiter=_THREADS)
    return RatesReply(
        tuple(
            RateReply(one.assistant, one.prompt_key, one.prompt_version, one.up, one.down, one.rate, *one.interval)
            for one in found
        )
    )


@get("/v1/admin/feedback/pairing", operation_id="show_pairing")
async def show_pairing(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> PairingReply:
    """Returns how much can be paired."""
    wanted = _wanted(Query(request, _FILTERS[1:]))
    desk, actor = administration_of(components).feedback, actor_of(request)
    found = await to_thread.run_sync(desk.unpaired, actor, wanted, limiter=_THREADS)
    return PairingReply(
        found.judged, found.pairs, found.by_better, found.without_text, found.unpaired, found.same_answer
    )


@get("/v1/admin/feedback/exports/{format_name:str}", operation_id="export_feedback")
async def export_feedback(
    format_name: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Stream:
    """Streams feedback in a format."""
    wanted = _wanted(Query(request, _FILTERS))
    desk, actor = administration_of(components).feedback, actor_of(request)
    made = await to_thread.run_sync(desk.export, actor, wanted, format_name, limiter=_THREADS)
    return await download(made.pieces, media_type=JSON_LINES, headers={"cache-control": "no-store"})


def _item(judged: JudgedAnswer) -> FeedbackItemReply:
    feedback, words, texts = judged.feedback, judged.words, judged.feedback.texts
    is_shown = texts is not None and texts.kept is KeepsText.REDACTED
    return FeedbackItemReply(
        decision=feedback.decision,
        assistant=feedback.assistant,
        prompt_key=feedback.prompt_key,
        prompt_version=feedback.prompt_version,
        verdict=feedback.verdict,
        reasons=feedback.reasons,
        given_at=feedback.given_at,
        changed_at=feedback.changed_at,
        kept=texts.kept if texts else KeepsText.OFF,
        said=SaidReply(texts.comment, texts.better) if texts and is_shown else None,
        words=AnswerReply(words.message, words.answer) if words else None,
    )


def _wanted(query: Query) -> FeedbackFilter:
    verdict = query.text("verdict")
    if verdict is not None and verdict not in list(Verdict):
        raise InvalidRequest("invalid_query", "`verdict` takes up or down.", param="verdict")
    version = query.number("version")
    if version is not None and version >= 2**31:
        raise InvalidRequest("invalid_query", "`version` takes the number of a version.", param="version")
    return FeedbackFilter(
        verdict=Verdict(verdict) if verdict else None,
        assistant=query.text("assistant"),
        prompt=query.text("prompt"),
        version=version,
        since=query.moment("since"),
        until=query.moment("until"),
    )


def _mark(judged: JudgedAnswer) -> str:
    return f"{judged.feedback.changed_at.isoformat().replace('+00:00', 'Z')}_{judged.feedback.decision}"


FEEDBACK_HANDLERS = (list_feedback, list_helpful_rates, show_pairing, export_feedback)
