"""What is recorded and who may ask: decisions and API keys."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from store.content import KeepsText


class Outcome(StrEnum):
    """What became of one message."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    NO_MATCH = "no_match"
    BLOCKED_INPUT = "blocked_input"
    BLOCKED_OUTPUT = "blocked_output"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Words:
    """What was said, as it is kept beside a decision."""

    kept: KeepsText
    message: str
    answer: str
    context: str = ""
    """What the page said of itself beside the message, as JSON; empty for nothing."""

    def __post_init__(self) -> None:
        if self.kept is KeepsText.OFF:
            raise ValueError("words that are not kept were about to be kept. This is a bug.")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision and what is kept of its words."""

    decision: "Decision"
    words: Words | None = None


STANDARD_RATE = "standard"
"""The rate class of keys for which nothing else was chosen."""


class KeyScope(StrEnum):
    """What an API key may do."""

    CHAT = "chat"
    DEBUG = "debug"
    CHECKS = "checks"
    """Try texts against the rails: whoever may can find out by trying what they let pass."""
    EMBEDDINGS = "embeddings"
    """Turn texts into vectors with the gateway's own embedder; nothing is matched or answered."""
    METRICS = "metrics"
    """Read the metrics of the process; they are figures, and name assistants, policies and rails."""
    READ = "admin:read"
    """Read what a viewer may, on the admin surface."""
    EDIT = "admin:edit"
    """Draft and submit changes, as an editor. No key can approve or publish."""


TokenSubject = Literal["principal", "assistant"]
"""Whose tokens are counted."""
_ANSWER_MODES = Literal["generate", "verbatim", "handoff", "fallback", "dialog", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happened to one message, as stored. Without its words: those are kept only by choice."""

    id: str
    at: dt.datetime
    assistant: str
    principal: str
    conversation: str | None
    outcome: Outcome
    source: _ANSWER_MODES
    message_chars: int
    prompt_key: str | None
    prompt_version: int | None
    prompt_sha256: str | None
    slots: Mapping[str, str]
    """Validated values; a `quoted_text` value is replaced by its length."""
    needs_slot: str | None
    """The slot that was asked for, if one was."""
    has_quoted_text: bool
    score: float | None
    margin: float | None
    method: str | None
    gate: str | None
    rails: tuple[Mapping[str, object], ...]
    timings_ms: Mapping[str, float]
    store_revision: int
    matcher: str | None
    """Fingerprint of what the matcher was fitted from; None for one that was not fitted."""
    policy: str
    policy_revision: int
    model_sha256: str | None
    sent_sha256: str | None
    """Hash of the token list that the model was given."""
    prompt_tokens: int
    completion_tokens: int
    """Both are an estimate where the model was stopped in the middle of an answer that was shown as it came."""
    failed: bool = False
    """Whether the message was stopped by a rail that broke (answered with 503)."""
    cached_from: str | None = None
    """Id of the decision whose answer was used again; `model_sha256` and `sent_sha256` are then that one's."""
    cached_at: dt.datetime | None = None
    """When that answer was worded and checked."""
    model_adapter: str | None = None
    """Hash of the adapter that was added to the weights, with `*` and its scale where that is not 1; None for none."""
    person: str | None = None
    """Pseudonym of the user id that the caller gave: by it a purge finds what there is of somebody."""

    @property
    def stopped_by(self) -> str | None:
        """Name of the rail that stopped the text; one that only watched stopped nothing."""
        acting = (rail for rail in self.rails if not rail.get("is_monitored"))
        return next((str(rail["name"]) for rail in acting if rail["status"] in ("blocked", "error")), None)

    @property
    def total_ms(self) -> float:
        """How long it took altogether; 0 where no times were kept."""
        return float(self.timings_ms.get("total", 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A credential of an integration, without its secret."""

    id: str
    name: str
    secret_hash: bytes
    """HMAC-SHA256 of the secret under the pepper, which is not in the database."""
    scopes: tuple[KeyScope, ...]
    assistants: tuple[str, ...]
    """Names of the assistants it may talk to; empty means all."""
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    client: str = ""
    """Who uses it; several keys of one client live side by side while one replaces another."""
    owner: str | None = None
    """Id of the user who answers for what it does; None for keys made before there were people."""
    rate_class: str = STANDARD_RATE
    """Name of the rate it is held to."""
    tokens_per_day: int | None = None
    """Tokens of the model that it may use in a day (UTC); None means any number."""
    last_used_at: dt.datetime | None = None
    """Within some minutes."""
