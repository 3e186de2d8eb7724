"""What the surfaces tell about a reply: the same facts and headers, whichever way the question came."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from gateway.credentials import Principal
from gateway.http.problems import rate_headers
from gateway.turn import Admitted, Reply
from models.ports import FinishReason
from store.content import EnumSlot, PromptVersion
from store.gates import MAX_CHOICES
from store.matches import SlotNeeded
from store.types import KeyScope, Outcome


class PromptReply(msgspec.Struct, frozen=True):
    """The approved prompt that an answer is based on."""

    id: str
    version: int
    title: str


class SuggestionReply(msgspec.Struct, frozen=True):
    """An approved prompt that may have been meant, or that people ask about next. Its title, sent back, gets it."""

    id: str
    title: str


class SlotReply(msgspec.Struct, frozen=True):
    """The blank that the person is asked to fill; send its value as the next message, or in `slots`."""

    name: str
    type: Literal["enum", "integer", "date", "pattern", "short_text", "quoted_text"]
    ask: str
    is_invalid: bool
    values: tuple[str, ...]


class ContactReply(msgspec.Struct, frozen=True):
    """Who takes over."""

    name: str
    email: str
    phone: str
    url: str
    hours: str


class UsageReply(msgspec.Struct, frozen=True):
    """Tokens of the language model; zeros when it was not asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CachedReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The checked answer that was used again. `decision` is there for keys with the scope `debug`."""

    at: dt.datetime
    """When the model worded it."""
    sent_sha256: str
    """Hash of the tokens that the model was given then."""
    decision: str | None = None
    """Id of the decision that recorded it."""


class MatchReply(msgspec.Struct, frozen=True):
    """What the match was decided on."""

    score: float | None
    margin: float | None
    method: str | None
    gate: str | None


class RailReply(msgspec.Struct, frozen=True):
    """One check's verdict."""

    name: str
    stage: Literal["input", "output"]
    status: Literal["passed", "modified", "blocked", "error", "not_run"]
    reason: str | None
    duration_ms: float
    is_monitored: bool = False
    """Whether the rail only watches: its verdict was recorded and not acted on."""


class TraceReply(msgspec.Struct, frozen=True):
    """How a reply was decided; only for keys with the scope `debug`."""

    match: MatchReply
    rails: tuple[RailReply, ...]
    timings_ms: dict[str, float]


def prompt_reply(reply: Reply) -> PromptReply | None:
    """Returns the prompt that was found, if one was."""
    prompt = reply.turn.prompt
    return PromptReply(prompt.key, prompt.number, prompt.content.title) if prompt else None


def suggested(reply: Reply) -> tuple[PromptVersion, ...]:
    """Returns what to offer next, all live for the assistant.

    The prompts that may have been meant; behind an answer, those that people ask about next; without a match, those
    that the assistant offers anyone.
    """
    catalog, assistant, decision = reply.turn.state.catalog, reply.turn.assistant, reply.decision
    match decision.outcome:
        case Outcome.NO_MATCH:
            keys = assistant.suggestions
        case Outcome.ANSWERED | Outcome.DEGRADED if decision.source != "dialog":
            keys = catalog.followers.get(decision.prompt_key or "", ())[:MAX_CHOICES]
        case _:
            return reply.choices
    found = (catalog.prompts[key] for key in keys if key in catalog.prompts)
    return tuple(prompt for prompt in found if prompt.content.area in assistant.areas)


def suggestion_replies(reply: Reply) -> tuple[SuggestionReply, ...]:
    """Returns the suggestions as they are sent."""
    return tuple(SuggestionReply(prompt.key, prompt.content.title) for prompt in suggested(reply))


def slot_reply(needed: SlotNeeded | None) -> SlotReply | None:
    """Returns the blank that is asked for, with the values that it takes."""
    if needed is None:
        return None
    slot = needed.slot
    values = tuple(value.value for value in slot.values) if isinstance(slot, EnumSlot) else ()
    kind = slot.__struct_config__.tag
    return msgspec.convert(
        {"name": slot.name, "type": kind, "ask": slot.ask, "is_invalid": needed.is_invalid, "values": values}, SlotReply
    )


def contact_reply(reply: Reply) -> ContactReply | None:
    """Returns who takes over, in a handoff that went through."""
    contact = reply.contact if reply.decision.source in ("handoff", "dialog") else None
    if contact is None:
        return None
    return ContactReply(contact.name, contact.email, contact.phone, contact.url, contact.hours)


def usage_reply(reply: Reply) -> UsageReply:
    """Returns the tokens that the model read and wrote."""
    read, written = reply.decision.prompt_tokens, reply.decision.completion_tokens
    return UsageReply(read, written, read + written)


def cached_reply(reply: Reply, principal: Principal) -> CachedReply | None:
    """Returns where an answer came from that was not worded for this question."""
    kept = reply.turn.kept
    if kept is None:
        return None
    # The other decision may be another person's; its id is for those who may see how replies are decided.
    decision = kept.decision if KeyScope.DEBUG in principal.scopes else None
    return CachedReply(kept.at, kept.sent_sha256, decision)


def trace_reply(reply: Reply, principal: Principal) -> TraceReply | None:
    """Returns how the reply was decided, if the principal may see it."""
    if KeyScope.DEBUG not in principal.scopes:
        return None
    decision = reply.decision
    return TraceReply(
        match=MatchReply(decision.score, decision.margin, decision.method, decision.gate),
        rails=msgspec.convert(decision.rails, tuple[RailReply, ...]),
        timings_ms=dict(decision.timings_ms),
    )


def policy_version(reply: Reply) -> str:
    """Returns the policy and its revision as one word."""
    return f"{reply.decision.policy}@{reply.decision.policy_revision}"


def ran_out(reply: Reply) -> bool:
    """Whether the model ran out of tokens and its answer was cut at a whole sentence."""
    done = reply.turn.completion or reply.turn.kept
    is_shown = reply.decision.source == "generate" and reply.decision.outcome is Outcome.ANSWERED
    return is_shown and done is not None and done.finish_reason is FinishReason.LENGTH


@dataclass(frozen=True, slots=True)
class Clock:
    """Measures a request from the moment its handler began."""

    started: float

    @classmethod
    def start(cls) -> "Clock":
        """Starts now."""
        return cls(time.monotonic())

    def headers(self, timings_ms: Mapping[str, float]) -> dict[str, str]:
        """Returns the whole duration, and the part of it that was not the model's."""
        whole_ms = (time.monotonic() - self.started) * 1000
        own_ms = max(0.0, whole_ms - timings_ms.get("generate", 0.0) - timings_ms.get("wait", 0.0))
        return {"x-canongate-duration-ms": f"{whole_ms:.1f}", "x-canongate-overhead-ms": f"{own_ms:.1f}"}


def stream_headers(admitted: Admitted | None) -> dict[str, str]:
    """Returns the headers of a reply that begins before there is an outcome."""
    if admitted is None:
        return {}
    return {"x-canongate-policy-version": admitted.policy_version, **rate_headers(admitted.rate)}


def reply_headers(reply: Reply, clock: Clock) -> dict[str, str]:
    """Returns the headers of an answered request."""
    decision = reply.decision
    headers = {
        "x-canongate-outcome": decision.outcome.value,
        "x-canongate-policy-version": policy_version(reply),
        **clock.headers(decision.timings_ms),
        **rate_headers(reply.rate, used_tokens=decision.prompt_tokens + decision.completion_tokens),
    }
    if reply.turn.prompt:
        headers["x-canongate-prompt"] = f"{reply.turn.prompt.key}@{reply.turn.prompt.number}"
    return headers
