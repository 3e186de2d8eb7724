"""Tries what a message would be matched to: candidates, scores and the gate that decides, for keys of scope `debug`."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.access import principal_of
from gateway.http.asking import TIMEOUT_HEADER, deadline_of, watched
from gateway.http.bodies import convert, read_object
from gateway.http.chat import Conversation, SlotTexts
from gateway.http.described import JSON, Described
from gateway.http.headers import request_id
from gateway.http.problems import rate_headers
from gateway.http.replies import SlotReply, SuggestionReply, slot_reply
from gateway.match_trial import Tried
from gateway.turn import Question
from store.matches import Candidate, Gate
from store.types import Outcome


class MatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message to try."""

    assistant: str
    message: str
    conversation: Conversation | None = None
    """Counts as in a question: a follow-up, or a value that was asked for. It is read and not continued."""
    slots: SlotTexts | None = None
    """Values for the prompt's blanks."""


class CandidateReply(msgspec.Struct, frozen=True):
    """An approved prompt that came near."""

    id: str
    version: int
    title: str
    score: float
    """What the limits are about: 0 to 1, and 1 for an approved phrasing word for word."""
    similarity: float
    """Cosine of its nearest phrasing, -1 to 1."""
    counter_similarity: float | None
    """Cosine of its nearest counterexample; null when it has none."""
    is_chosen: bool


class LimitsReply(msgspec.Struct, frozen=True):
    """What the scores are held against."""

    answer: float | None
    """The score from which a message is answered; null when only an approved phrasing word for word is."""
    suggest: float
    """The score from which a prompt is offered as a choice."""
    margin: float
    """How far the best candidate must be ahead of the next."""
    floor: float
    """The cosine below which nothing is near."""


class MatchTrialReply(msgspec.Struct, frozen=True):
    """What the message would be matched to. No rail ran and no model, and no decision was made."""

    outcome: Outcome
    """What it would be if every check passes and the model answers; `blocked_input` for hidden characters alone."""
    gate: Gate | None
    """The check that decided; null when the message was refused before it was matched."""
    method: str | None
    """How the prompt was found; null without one."""
    difference: str | None
    """The kind of contradiction that was found, such as `negation`; never the words."""
    refused: str | None
    """Why the message was refused before it was matched."""
    candidates: tuple[CandidateReply, ...]
    """Best first."""
    limits: LimitsReply
    suggestions: tuple[SuggestionReply, ...]
    """What a person would be offered to choose from."""
    slot: SlotReply | None
    """The blank that a person would be asked to fill."""
    matcher: str | None
    """Fingerprint of what the matcher was fitted from."""
    store_revision: int
    duration_ms: float
    reference: str


@post("/v1/match", status_code=200, operation_id="try_match")
async def try_match(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[MatchTrialReply]:
    """Matches a message and does nothing else."""
    asked = convert(await read_object(request), MatchRequest, code="validation_error")
    question = Question(
        text=asked.message,
        assistant=asked.assistant,
        principal=principal_of(request),
        deadline=deadline_of(request, components.settings.limits.deadline_s),
        slots=asked.slots or {},
        conversation=asked.conversation,
    )
    try:
        tried = await watched(components.matches.match(question), request.receive)
    except InvalidRequest as error:
        param = "assistant" if error.code == "model_not_found" else error.param
        raise InvalidRequest(error.code, error.message, param=param) from error
    rate = tried.rate
    headers = rate_headers(rate) | {"x-canongate-outcome": tried.outcome.value}
    return Response(_reply(tried, request_id(request.scope)), media_type="application/json", headers=headers)


def _reply(tried: Tried, reference: str) -> MatchTrialReply:
    turn, evidence, limits = tried.turn, tried.turn.evidence, tried.limits
    chosen = turn.prompt.key if turn.prompt else None
    difference = evidence.difference if evidence else None
    return MatchTrialReply(
        outcome=tried.outcome,
        gate=evidence.gate if evidence else None,
        method=turn.method.value if turn.method else None,
        difference=difference.partition(":")[0] if difference else None,
        refused=tried.refused,
        candidates=tuple(_candidate(one, chosen) for one in tried.candidates),
        limits=LimitsReply(
            answer=None if limits.is_word_for_word else round(limits.answer, 4),
            suggest=round(limits.suggest, 4),
            margin=round(limits.margin, 4),
            floor=round(limits.floor, 4),
        ),
        suggestions=tuple(SuggestionReply(prompt.key, prompt.content.title) for prompt in tried.choices),
        slot=slot_reply(tried.slot),
        matcher=turn.state.matcher.fingerprint,
        store_revision=turn.state.catalog.revision,
        duration_ms=turn.timings_ms.get("match", 0.0),
        reference=reference,
    )


def _candidate(one: Candidate, chosen: str | None) -> CandidateReply:
    counter = one.counter_similarity
    return CandidateReply(
        id=one.prompt.key,
        version=one.prompt.number,
        title=one.prompt.content.title,
        score=round(one.score, 4),
        similarity=round(one.similarity, 4),
        counter_similarity=None if counter is None else round(counter, 4),
        is_chosen=one.prompt.key == chosen,
    )


MATCH_OPERATION = Described(
    "/v1/match",
    "post",
    "try_match",
    "Try what a message would be matched to",
    {JSON: MatchTrialReply},
    (400, 401, 403, 404, 413, 415, 422, 429, 500, 503, 504),
    MatchRequest,
    (TIMEOUT_HEADER,),
    text="Needs the scope `debug`. Says which approved prompts come near and which gate decides. No rail runs and no "
    "model, and no decision is made: `/v1/checks` tries the rails.",
)
