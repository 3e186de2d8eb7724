"""The Python client of the gateway: small, typed, and importable without the gateway's own packages."""

from gateway.client.awaited import AsyncCanongate
from gateway.client.blocking import Canongate
from gateway.client.errors import (
    CanongateError,
    Disconnected,
    NotAllowed,
    RateLimited,
    RequestRefused,
    Unavailable,
)
from gateway.client.events import Blocked, Done, Event, Sentence, Stage
from gateway.client.exchange import Retrying
from gateway.client.replies import Answer, Check, Feedback, MatchTrial, Model

__all__ = [
    "Answer",
    "AsyncCanongate",
    "Blocked",
    "Canongate",
    "CanongateError",
    "Check",
    "Disconnected",
    "Done",
    "Event",
    "Feedback",
    "MatchTrial",
    "Model",
    "NotAllowed",
    "RateLimited",
    "RequestRefused",
    "Retrying",
    "Sentence",
    "Stage",
    "Unavailable",
]
