"""The requests that a client makes: addresses, bodies and headers, without any network."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from gateway.client.replies import (
    Answer,
    Check,
    Feedback,
    FeedbackReason,
    MatchTrial,
    Model,
    Models,
    StageName,
    Verdict,
)

EVENTS = "text/event-stream"
JSON = "application/json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request, the same bytes however often it is sent, and how its reply is read."""

    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes | None = None
    headers: Mapping[str, str]
    timeout_s: float
    """How long all of it may take, with every repetition."""

    @property
    def is_streamed(self) -> bool:
        """Whether the reply comes as events."""
        return self.headers["accept"] == EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A message to an assistant, and everything that may come with it."""

    assistant: str
    message: str
    conversation: str | None = None
    slots: Mapping[str, str] | None = None
    max_tokens: int | None = None
    user: str | None = None

    def body(self, *names: str) -> bytes:
        """Returns the named fields that have a value, as JSON."""
        sent = {name: getattr(self, name) for name in ("assistant", "message", *names)}
        return msgspec.json.encode({name: value for name, value in sent.items() if value is not None})


def chat(asked: Asked, *, idempotency_key: str | None, timeout_s: float, is_streamed: bool = False) -> Call[Answer]:
    """Returns the call that asks. Without a key of the caller's it has one of its own, so that none asks twice."""
    return Call(
        method="POST",
        path="/v1/chat",
        read=_reader(Answer),
        body=asked.body("conversation", "slots", "max_tokens", "user"),
        headers=_headers(idempotency_key or secrets.token_hex(16), accept=EVENTS if is_streamed else JSON),
        timeout_s=timeout_s,
    )


def match(asked: Asked, *, timeout_s: float) -> Call[MatchTrial]:
    """Returns the call that tries a match."""
    body = asked.body("conversation", "slots")
    read = _reader(MatchTrial)
    return Call(method="POST", path="/v1/match", read=read, body=body, headers=_headers(), timeout_s=timeout_s)


def check(assistant: str, stage: StageName, text: str, *, facts: str, timeout_s: float) -> Call[Check]:
    """Returns the call that tries a text against the rails."""
    sent = {"assistant": assistant, "stage": stage, "text": text} | ({"facts": facts} if facts else {})
    body, read = msgspec.json.encode(sent), _reader(Check)
    return Call(method="POST", path="/v1/checks", read=read, body=body, headers=_headers(), timeout_s=timeout_s)


def feedback(
    decision: str,
    verdict: Verdict,
    *,
    reasons: Sequence[FeedbackReason],
    comment: str,
    better: str,
    timeout_s: float,
) -> Call[Feedback]:
    """Returns the call that gives feedback. Sent again, it says the same again."""
    sent = {"decision": decision, "verdict": verdict, "reasons": reasons, "comment": comment, "better": better}
    body, read = msgspec.json.encode(sent), _reader(Feedback)
    return Call(method="POST", path="/v1/feedback", read=read, body=body, headers=_headers(), timeout_s=timeout_s)


def models(*, timeout_s: float) -> Call[tuple[Model, ...]]:
    """Returns the call that lists what the key may talk to."""

    def read(body: bytes) -> tuple[Model, ...]:
        return msgspec.json.decode(body, type=Models).data

    headers = {"accept": JSON}
    return Call(method="GET", path="/v1/models", read=read, headers=headers, timeout_s=timeout_s)


def _headers(idempotency_key: str | None = None, accept: str = JSON) -> dict[str, str]:
    named = {"idempotency-key": idempotency_key} if idempotency_key else {}
    return {"accept": accept, "content-type": JSON, **named}


def _reader(kind: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(kind).decode
