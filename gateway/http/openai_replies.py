"""The replies of OpenAI's surface: a completion as one body, or the same in chunks."""

import time
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from litestar import Request

from gateway.http.access import principal_of
from gateway.http.headers import request_id
from gateway.http.replies import (
    CachedReply,
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
    slot_reply,
    suggestion_replies,
    trace_reply,
    usage_reply,
)
from gateway.turn import Released, Reply
from store.answer_form import form_of, has_form
from store.types import Outcome

BLOCKED = (Outcome.BLOCKED_INPUT, Outcome.BLOCKED_OUTPUT)
_PIECE_CHARS = 48

FinishReason = Literal["stop", "length", "content_filter"]


class MessageReply(msgspec.Struct, frozen=True):
    """The answer.

    `refusal` is null, because clients then show `content`, except where a form was asked for: what is not of that form,
    such as a question back, is a refusal then.
    """

    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None


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
    source: Literal["generate", "verbatim", "handoff", "fallback", "dialog", "none"]
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
    ignored: tuple[str, ...] = ()
    """Names of the fields that were sent and had no effect: the approved settings win."""
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
    refusal: str | None = None


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


class Chunks:
    """The chunks of one stream: words as they are let out, then what is left of the reply and its decision."""

    def __init__(self, model: str, form: bytes | None = None) -> None:
        self._model = model
        self._form = form
        self._created = int(time.time())
        self._released = ""

    def released(self, news: Released) -> Iterator[ChunkReply]:
        """Gives the chunk of a sentence that passed, the opening chunk before the first.

        Where a form is asked for there is none: whether the answer has it is known of the whole alone.
        """
        if self._form is not None:
            return
        if not self._released:
            yield self._delta(news.decision, DeltaReply(role="assistant", content=""))
        self._released += news.text
        yield self._delta(news.decision, DeltaReply(content=news.text))

    def rest(self, reply: Reply, extension: ExtensionReply) -> Iterator[ChunkReply]:
        """Gives the words that were not told yet, and the chunk with the finish reason.

        A reply that is not what was let out follows it after a blank line: nothing can take words back here.
        """
        decision = reply.decision
        left = reply.text.removeprefix(self._released)
        if not self._released:
            yield self._delta(decision.id, DeltaReply(role="assistant", content=""))
        elif not reply.text.startswith(self._released):
            left = f"\n\n{reply.text}"
        is_refusal = _is_refusal(reply, self._form)
        for piece in _pieces(left):
            yield self._delta(decision.id, DeltaReply(refusal=piece) if is_refusal else DeltaReply(content=piece))
        last = ChunkChoiceReply(0, DeltaReply(), _finish_reason(reply))
        yield self._chunk(decision.id, last, guardrails=GuardrailsReply(decision.policy), canongate=extension)

    def usage(self, reply: Reply) -> ChunkReply:
        """Returns the last chunk of a stream that asks for usage."""
        return self._chunk(reply.decision.id, usage=usage_reply(reply))

    def _delta(self, decision: str, delta: DeltaReply) -> ChunkReply:
        return self._chunk(decision, ChunkChoiceReply(0, delta))

    def _chunk(self, decision: str, *choices: ChunkChoiceReply, **more: Any) -> ChunkReply:
        return ChunkReply(_id(decision), "chat.completion.chunk", self._created, self._model, choices, **more)


def _pieces(text: str) -> list[str]:
    """Cuts a text that is verified already behind blanks, so that it can be shown as it arrives."""
    pieces: list[str] = []
    while len(text) > _PIECE_CHARS:
        cut = text.rfind(" ", 1, _PIECE_CHARS) + 1 or _PIECE_CHARS
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text] if text else pieces


def completion_reply(
    reply: Reply, request: Request[Any, Any, Any], ignored: tuple[str, ...] = (), form: bytes | None = None
) -> ChatCompletionReply:
    """Returns the reply as one body; `form` is the one that was asked for."""
    is_refusal = _is_refusal(reply, form)
    words = MessageReply("assistant", None, reply.text) if is_refusal else MessageReply("assistant", reply.text)
    return ChatCompletionReply(
        id=_id(reply.decision.id),
        object="chat.completion",
        created=int(time.time()),
        model=reply.decision.assistant,
        choices=(ChoiceReply(0, words, _finish_reason(reply)),),
        usage=usage_reply(reply),
        guardrails=GuardrailsReply(reply.decision.policy),
        canongate=extension_reply(reply, request, ignored),
    )


def extension_reply(reply: Reply, request: Request[Any, Any, Any], ignored: tuple[str, ...] = ()) -> ExtensionReply:
    """Returns what was decided, as far as the key may see it."""
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
        ignored=ignored,
        match=trace.match if trace else None,
        rails=trace.rails if trace else None,
    )


def _is_refusal(reply: Reply, form: bytes | None) -> bool:
    """Whether a reply is not in the form that was asked for, and no block: that is told by the finish reason."""
    if form is None or reply.decision.outcome in BLOCKED:
        return False
    prompt = reply.turn.prompt
    return prompt is None or form_of(prompt.content) != form or not has_form(prompt.content, reply.text)


def _finish_reason(reply: Reply) -> FinishReason:
    if reply.decision.outcome in BLOCKED:
        return "content_filter"
    return "length" if ran_out(reply) else "stop"


def _id(decision: str) -> str:
    return f"chatcmpl-{decision}"
