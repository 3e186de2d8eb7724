"""What the gateway replies, typed. Fields that a later gateway adds are skipped, so that an old client goes on."""

import datetime as dt
from typing import Literal

import msgspec

Outcome = Literal["answered", "clarify", "no_match", "blocked_input", "blocked_output", "degraded"]
Source = Literal["generate", "verbatim", "handoff", "fallback", "dialog", "none"]
CheckStatus = Literal["passed", "modified", "blocked"]
RailStatus = Literal["passed", "modified", "blocked", "error", "not_run"]
StageName = Literal["input", "output"]
Verdict = Literal["up", "down"]
FeedbackReason = Literal[
    "correct",
    "clear",
    "wrong",
    "incomplete",
    "out_of_date",
    "not_my_question",
    "unclear",
    "rude",
    "unsafe",
    "should_have_answered",
]


class Prompt(msgspec.Struct, frozen=True):
    """The approved prompt that an answer is based on."""

    id: str
    version: int
    title: str


class Suggestion(msgspec.Struct, frozen=True):
    """An approved prompt that may have been meant; ask by its title."""

    id: str
    title: str


class Slot(msgspec.Struct, frozen=True):
    """The blank that the person is asked to fill: by the next message of the conversation, or in `slots`."""

    name: str
    type: str
    ask: str
    is_invalid: bool
    values: tuple[str, ...]


class Contact(msgspec.Struct, frozen=True):
    """Who takes over."""

    name: str
    email: str
    phone: str
    url: str
    hours: str


class Usage(msgspec.Struct, frozen=True):
    """Tokens of the language model; zeros when it was not asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Cached(msgspec.Struct, frozen=True):
    """The checked answer that was used again."""

    at: dt.datetime
    sent_sha256: str
    decision: str | None = None


class MatchScores(msgspec.Struct, frozen=True):
    """What the match was decided on."""

    score: float | None
    margin: float | None
    method: str | None
    gate: str | None


class RailVerdict(msgspec.Struct, frozen=True):
    """One check's verdict."""

    name: str
    stage: StageName
    status: RailStatus
    reason: str | None
    duration_ms: float
    is_monitored: bool = False
    """Whether the rail only watches: its verdict was recorded and not acted on."""


class Trace(msgspec.Struct, frozen=True):
    """How an answer was decided; there for keys with the scope `debug`."""

    match: MatchScores
    rails: tuple[RailVerdict, ...]
    timings_ms: dict[str, float]


class Answer(msgspec.Struct, frozen=True):
    """The reply to a message, whatever its outcome: a refusal is a decision and no error."""

    id: str
    """Of the decision: feedback names it."""
    outcome: Outcome
    text: str
    """What to show to the person, always."""
    source: Source
    """Where the words come from."""
    prompt: Prompt | None
    suggestions: tuple[Suggestion, ...]
    slot: Slot | None
    contact: Contact | None
    has_quoted_text: bool
    """Whether a text of the person's own was quoted to the model, as approved for this prompt alone."""
    usage: Usage
    policy_version: str
    store_revision: int
    reference: str
    """The request id."""
    cached: Cached | None = None
    trace: Trace | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the text answers the question: in the model's words, or in approved ones."""
        return self.outcome in ("answered", "degraded")

    @property
    def is_blocked(self) -> bool:
        """Whether a check stopped the message or the answer."""
        return self.outcome in ("blocked_input", "blocked_output")


class Candidate(msgspec.Struct, frozen=True):
    """An approved prompt that came near."""

    id: str
    version: int
    title: str
    score: float
    similarity: float
    counter_similarity: float | None
    is_chosen: bool


class Limits(msgspec.Struct, frozen=True):
    """What scores are held against; `answer` is None when only an approved phrasing word for word is answered."""

    answer: float | None
    suggest: float
    margin: float
    floor: float


class MatchTrial(msgspec.Struct, frozen=True):
    """What a message would be matched to; no check ran, no model, and no decision was made."""

    outcome: Outcome
    gate: str | None
    method: str | None
    difference: str | None
    refused: str | None
    candidates: tuple[Candidate, ...]
    limits: Limits
    suggestions: tuple[Suggestion, ...]
    slot: Slot | None
    matcher: str | None
    store_revision: int
    duration_ms: float
    reference: str


class CheckedRail(msgspec.Struct, frozen=True):
    """One rail's verdict on a text that was tried."""

    name: str
    stage: StageName
    status: RailStatus
    reason: str | None
    duration_ms: float
    monitored: bool


class Check(msgspec.Struct, frozen=True):
    """What the rails say of a text."""

    status: CheckStatus
    text: str
    """The text as it may go on, or what a person would read in its place."""
    rail: str | None
    """The rail that blocked."""
    rails: tuple[CheckedRail, ...]
    policy_version: str
    reference: str


class Feedback(msgspec.Struct, frozen=True):
    """What is stored of a verdict on an answer."""

    decision: str
    verdict: Verdict
    reasons: tuple[FeedbackReason, ...]
    given_at: dt.datetime
    changed_at: dt.datetime
    kept: Literal["off", "redacted", "full"]
    """How the texts are kept; `off` when nothing of them is."""


class AboutAssistant(msgspec.Struct, frozen=True):
    """What a person may want to know before choosing an assistant."""

    title: str
    greeting: str
    languages: tuple[str, ...]


class Model(msgspec.Struct, frozen=True):
    """An assistant that the key may talk to, or the embedder."""

    id: str
    about: AboutAssistant | None = msgspec.field(name="canongate")
    """None for the embedder."""


class Models(msgspec.Struct, frozen=True):
    """The list of models as it is sent."""

    data: tuple[Model, ...]


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong, in OpenAI's fields."""

    message: str
    type: str = ""
    param: str | None = None
    code: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    """The error envelope."""

    error: ErrorBody
