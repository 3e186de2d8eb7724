"""The gateway's own chat surface: one message in, one decision out, as JSON or as events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.access import principal_of
from gateway.http.asking import Asking, deadline_of
from gateway.http.bodies import convert, read_object
from gateway.http.headers import request_id
from gateway.http.problems import problem_of_stream
from gateway.http.replies import (
    CachedReply,
    Clock,
    ContactReply,
    PromptReply,
    SlotReply,
    SuggestionReply,
    TraceReply,
    UsageReply,
    cached_reply,
    contact_reply,
    policy_version,
    prompt_reply,
    reply_headers,
    slot_reply,
    stream_headers,
    suggestion_replies,
    trace_reply,
    usage_reply,
)
from gateway.http.streams import EVENT_STREAM, EventStream, comment, event
from gateway.turn import News, Question, Released, Reply, Step, Withheld
from store.types import Outcome

Conversation = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
SlotTexts = Annotated[dict[str, Annotated[str, Meta(max_length=4000)]], Meta(max_length=20)]


UserId = Annotated[str, Meta(min_length=1, max_length=256)]


class ChatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message to an assistant."""

    assistant: str
    message: str
    conversation: Conversation | None = None
    """Links follow-up questions; seen only by the same key."""
    slots: SlotTexts | None = None
    """Values for the prompt's blanks, each checked by the blank's type."""
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    """May shorten the answer, never lengthen it beyond what was approved."""
    user: UserId | None = None
    """Your id of the person who asks; kept as a keyed hash, by which their data can be purged."""


class ChatReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision. `trace` is there for keys with the scope `debug`."""

    id: str
    outcome: Outcome
    text: str
    source: Literal["generate", "verbatim", "handoff", "fallback", "dialog", "none"]
    prompt: PromptReply | None
    suggestions: tuple[SuggestionReply, ...]
    slot: SlotReply | None
    contact: ContactReply | None
    has_quoted_text: bool
    """Whether a `quoted_text` value was used: the person's own text for the model, approved for this prompt alone."""
    usage: UsageReply
    policy_version: str
    store_revision: int
    reference: str
    cached: CachedReply | None = None
    """There when the model worded the answer before, for the very same prompt."""
    trace: TraceReply | None = None


class StageReply(msgspec.Struct, frozen=True):
    """The event `stage`: what the gateway is doing now."""

    stage: Step


class SentenceReply(msgspec.Struct, frozen=True):
    """The event `sentence`: the next words of the answer, checked with everything before them; append them."""

    text: str


class BlockedReply(msgspec.Struct, frozen=True):
    """The event `blocked`: the answer did not pass. What was shown of it gives way to the reply in `done`."""

    outcome: Outcome


@post("/v1/chat", status_code=200, operation_id="chat")
async def chat(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[Any]:
    """Answers a message; with `Accept: text/event-stream` stages are told as they begin, and sentences as they pass."""
    clock = Clock.start()
    is_streamed = EVENT_STREAM in request.headers.get("accept", "")
    asked = convert(await read_object(request), ChatRequest, code="validation_error")
    question = Question(
        text=asked.message,
        assistant=asked.assistant,
        principal=principal_of(request),
        deadline=deadline_of(request, components.settings.limits.deadline_s),
        slots=asked.slots or {},
        conversation=asked.conversation,
        max_tokens=asked.max_tokens,
        user=asked.user,
        is_streamed=is_streamed,
    )
    asking = Asking(components.pipeline, question)
    if is_streamed:
        await asking.until_begun(request.receive)
        if not asking.is_settled or asking.error is None:
            return EventStream(_frames(asking, request), on_close=asking.stop, headers=stream_headers(asking.admitted))
    else:
        await asking.until_settled(request.receive)
    try:
        reply = asking.reply()
    except InvalidRequest as error:
        param = "assistant" if error.code == "model_not_found" else error.param
        raise InvalidRequest(error.code, error.message, param=param) from error
    body = _chat_reply(reply, request)
    return Response(body, media_type="application/json", headers=reply_headers(reply, clock))


async def _frames(asking: Asking, request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    number = 0
    async for news in asking.news():
        if news is None:
            yield comment("ping")
            continue
        number += 1
        yield _told(news, number)
    if error := asking.error:
        yield event("error", number + 1, problem_of_stream(error, request.scope).envelope())
        return
    yield event("done", number + 1, _chat_reply(asking.reply(), request))


def _told(news: News, number: int) -> bytes:
    match news:
        case Released(text=text):
            return event("sentence", number, SentenceReply(text))
        case Withheld():
            return event("blocked", number, BlockedReply(Outcome.BLOCKED_OUTPUT))
        case Step() as step:
            return event("stage", number, StageReply(step))


def _chat_reply(reply: Reply, request: Request[Any, Any, Any]) -> ChatReply:
    return ChatReply(
        id=reply.decision.id,
        outcome=reply.decision.outcome,
        text=reply.text,
        source=reply.decision.source,
        prompt=prompt_reply(reply),
        suggestions=suggestion_replies(reply),
        slot=slot_reply(reply.slot),
        contact=contact_reply(reply),
        has_quoted_text=reply.decision.has_quoted_text,
        usage=usage_reply(reply),
        policy_version=policy_version(reply),
        store_revision=reply.decision.store_revision,
        reference=request_id(request.scope),
        cached=cached_reply(reply, principal_of(request)),
        trace=trace_reply(reply, principal_of(request)),
    )
