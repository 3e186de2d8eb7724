"""The surface of OpenAI's chat completions, and the one contract of blocked answers that stock clients understand."""

import time
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.access import principal_of
from gateway.http.asking import Asking, deadline_of
from gateway.http.headers import request_id
from gateway.http.openai_request import ChatCompletionRequest, ExtensionRequest, read_request
from gateway.http.problems import problem_of
from gateway.http.replies import (
    CachedReply,
    Clock,
    ContactReply,
    MatchReply,
    PromptReply,
    RailReply,
    SlotReply,
    SuggestionReply,
    UsageReply,
    cached_reply,
    contact_reply,
    policy_version,
    prompt_reply,
    ran_out,
    reply_headers,
    slot_reply,
    suggestion_replies,
    trace_reply,
    usage_reply,
)
from gateway.http.streams import EventStream, comment, data
from gateway.turn import Question, Reply
from store.types import Outcome

ON_BLOCK_HEADER = "x-canongate-on-block"
HOLD_S = 2.0
"""How long a stream's headers wait for the outcome. Most outcomes, and so most errors, keep their own status."""
_PIECE_CHARS = 48
_BLOCKED = (Outcome.BLOCKED_INPUT, Outcome.BLOCKED_OUTPUT)
_IN_OPENAI_WORDS = {
    "message_too_long": ("context_length_exceeded", "messages"),
    "message_empty": ("invalid_value", "messages"),
    "invalid_slot": ("invalid_value", "canongate.slots"),
}

FinishReason = Literal["stop", "length", "content_filter"]


class MessageReply(msgspec.Struct, frozen=True):
    """The answer; `refusal` stays null, because clients then show `content`."""

    role: Literal["assistant"]
    content: str
    refusal: None = None


class ChoiceReply(msgspec.Struct, frozen=True):
    """The only choice."""

    index: int
    message: MessageReply
    finish_reason: FinishReason
    logprobs: None = None


class GuardrailsReply(msgspec.Struct, frozen=True):
    """The policy's name, where clients of NeMo Guardrails look for it."""

    config_id: str


class ExtensionReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided. `match` and `rails` are there for keys with the scope `debug`."""

    outcome: Outcome
    source: Literal["generate", "verbatim", "handoff", "fallback", "none"]
    prompt: PromptReply | None
    policy_version: str
    store_revision: int
    suggestions: tuple[SuggestionReply, ...]
    slot: SlotReply | None
    contact: ContactReply | None
    has_quoted_text: bool
    """Whether a `quoted_text` value was used: the person's own text for the model, approved for this prompt alone."""
    decision: str
    reference: str
    cached: CachedReply | None = None
    """There when the model worded the answer before, for the very same prompt."""
    match: MatchReply | None = None
    rails: tuple[RailReply, ...] | None = None


class ChatCompletionReply(msgspec.Struct, frozen=True):
    """OpenAI's chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: tuple[ChoiceReply, ...]
    usage: UsageReply
    guardrails: GuardrailsReply
    canongate: ExtensionReply


class DeltaReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoiceReply(msgspec.Struct, frozen=True):
    """The only choice of a chunk."""

    index: int
    delta: DeltaReply
    finish_reason: FinishReason | None = None


class ChunkReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """OpenAI's chunk; the one with the finish reason carries the decision, the last one may carry the usage."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: tuple[ChunkChoiceReply, ...]
    usage: UsageReply | None = None
    guardrails: GuardrailsReply | None = None
    canongate: ExtensionReply | None = None


@post("/v1/chat/completions", status_code=200, operation_id="create_chat_completion")
async def create_chat_completion(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[Any]:
    """Answers the last message. A refusal is a decision, status 200; streamed or not, it is the same one."""
    clock = Clock.start()
    asked = await read_request(request)
    fails_on_block = _fails_on_block(request)
    extension = asked.canongate or ExtensionRequest()
    question = Question(
        text=asked.text,
        assistant=asked.model,
        principal=principal_of(request),
        deadline=deadline_of(request, components.settings.limits.deadline_s),
        slots=extension.slots or {},
        conversation=extension.conversation,
        max_tokens=asked.most_tokens,
    )
    asking = Asking(components.pipeline, question)
    may_open = asked.stream and not fails_on_block
    await asking.until_settled(request.receive, at_most_s=HOLD_S if may_open else None)
    if not asking.is_settled:
        return EventStream(_frames(asking, request, asked), on_close=asking.stop)
    try:
        reply = asking.reply()
    except InvalidRequest as error:
        raise _in_openai_words(error) from error
    if fails_on_block and reply.decision.outcome in _BLOCKED:
        raise InvalidRequest("content_filter", reply.text, param="messages")
    headers = reply_headers(reply, clock)
    if asked.stream:
        return EventStream(_frames(asking, request, asked), on_close=asking.stop, headers=headers)
    return Response(_completion(reply, request), media_type="application/json", headers=headers)


async def _frames(
    asking: Asking, request: Request[Any, Any, Any], asked: ChatCompletionRequest
) -> AsyncIterator[bytes]:
    """Stages as comments, then the verified answer; an error that comes after the headers ends the stream."""
    async for step in asking.steps():
        yield comment("ping" if step is None else f"stage {step.value}")
    if error := asking.error:
        told = _in_openai_words(error) if isinstance(error, InvalidRequest) else error
        yield data(problem_of(told, request.scope).envelope())
        return
    reply = asking.reply()
    for chunk in _chunks(reply, request, asked):
        yield data(chunk)
    yield b"data: [DONE]\n\n"


def _chunks(reply: Reply, request: Request[Any, Any, Any], asked: ChatCompletionRequest) -> list[ChunkReply]:
    created = int(time.time())

    def chunk(*choices: ChunkChoiceReply, **more: Any) -> ChunkReply:
        return ChunkReply(_id(reply), "chat.completion.chunk", created, reply.decision.assistant, choices, **more)

    chunks = [chunk(ChunkChoiceReply(0, DeltaReply(role="assistant", content="")))]
    chunks += [chunk(ChunkChoiceReply(0, DeltaReply(content=piece))) for piece in _pieces(reply.text)]
    last = ChunkChoiceReply(0, DeltaReply(), _finish_reason(reply))
    chunks.append(chunk(last, guardrails=GuardrailsReply(reply.decision.policy), canongate=_extension(reply, request)))
    if asked.stream_options and asked.stream_options.include_usage:
        chunks.append(chunk(usage=usage_reply(reply)))
    return chunks


def _pieces(text: str) -> list[str]:
    """Cuts a text that is verified already behind blanks, so that it can be shown as it arrives."""
    pieces: list[str] = []
    while len(text) > _PIECE_CHARS:
        cut = text.rfind(" ", 1, _PIECE_CHARS) + 1 or _PIECE_CHARS
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text] if text else pieces


def _completion(reply: Reply, request: Request[Any, Any, Any]) -> ChatCompletionReply:
    return ChatCompletionReply(
        id=_id(reply),
        object="chat.completion",
        created=int(time.time()),
        model=reply.decision.assistant,
        choices=(ChoiceReply(0, MessageReply("assistant", reply.text), _finish_reason(reply)),),
        usage=usage_reply(reply),
        guardrails=GuardrailsReply(reply.decision.policy),
        canongate=_extension(reply, request),
    )


def _extension(reply: Reply, request: Request[Any, Any, Any]) -> ExtensionReply:
    trace = trace_reply(reply, principal_of(request))
    return ExtensionReply(
        outcome=reply.decision.outcome,
        source=reply.decision.source,
        prompt=prompt_reply(reply),
        policy_version=policy_version(reply),
        store_revision=reply.decision.store_revision,
        suggestions=suggestion_replies(reply),
        slot=slot_reply(reply.slot),
        contact=contact_reply(reply),
        has_quoted_text=reply.decision.has_quoted_text,
        decision=reply.decision.id,
        reference=request_id(request.scope),
        cached=cached_reply(reply, principal_of(request)),
        match=trace.match if trace else None,
        rails=trace.rails if trace else None,
    )


def _finish_reason(reply: Reply) -> FinishReason:
    if reply.decision.outcome in _BLOCKED:
        return "content_filter"
    return "length" if ran_out(reply) else "stop"


def _id(reply: Reply) -> str:
    return f"chatcmpl-{reply.decision.id}"


def _fails_on_block(request: Request[Any, Any, Any]) -> bool:
    sent = request.headers.get(ON_BLOCK_HEADER, "reply").lower()
    if sent not in ("reply", "error"):
        raise InvalidRequest("invalid_header", f"{ON_BLOCK_HEADER} takes `reply` or `error`.", param=ON_BLOCK_HEADER)
    return sent == "error"


def _in_openai_words(error: InvalidRequest) -> InvalidRequest:
    """Names the field of this surface, and the code that OpenAI clients know."""
    code, param = _IN_OPENAI_WORDS.get(error.code, (error.code, error.param))
    return InvalidRequest(code, error.message, param=param)
