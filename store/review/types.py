"""What the review queue is made of."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LISTED_FROM = 3
"""Messages that a group has at least to be listed, unless single ones are asked for: one is too noisy."""


class Reason(StrEnum):
    """Why a message is in the queue."""

    NO_MATCH = "no_match"
    CLARIFY = "clarify"
    BLOCKED = "blocked"
    THUMBS_DOWN = "thumbs_down"


class QuestionState(StrEnum):
    """Where a question stands."""

    OPEN = "open"
    SNOOZED = "snoozed"
    """Open again at its time; nothing needs to run for that."""
    DRAFTED = "drafted"
    """An edit about it is in a change."""
    DISCARDED = "discarded"


class Tally(StrEnum):
    """What became of a message that came to the queue."""

    NEW = "new"
    AGAIN = "again"
    OVER_BOUND = "over_bound"
    """A new question too many for the day or for the queue: not kept."""
    UNREADABLE = "unreadable"
    """Nothing could be kept of it that is surely nobody's personal data or secret."""
    LOST = "lost"
    """More came at once, or for longer without a database, than is held in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A message on its way into the queue, already redacted."""

    decision: str
    at: dt.datetime
    assistant: str
    reason: Reason
    text: str | None
    """None stores nothing but the count."""
    gate: str | None = None
    score: float | None = None
    prompt_key: str | None = None
    is_of_person: bool = False
    """Whether the decision said whose it is: one that does not any more was purged meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the queue keeps, of each assistant."""

    new_per_day: int
    questions: int
    days: int
    """A question not seen for so long is removed, and a sighting of so long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredQuestion:
    """A question as it stands."""

    id: str
    assistant: str
    text: str
    state: QuestionState
    snoozed_until: dt.datetime | None
    action: str | None
    count: int
    reasons: Mapping[str, int]
    first_seen: dt.datetime
    last_seen: dt.datetime
    last_decision: str
    gate: str | None
    score: float | None
    prompt_key: str | None
    cluster: str | None
    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A group of questions, counted over those in the wanted state."""

    id: str
    assistant: str
    label: str
    """Text of the most central of its questions."""
    size: int
    """Different questions."""
    messages: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    trend: tuple[int, ...]
    """Messages of each of the last 14 days, the oldest first."""
    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which questions a list shows; None does not filter."""

    assistant: str | None = None
    state: QuestionState | None = QuestionState.OPEN
    reason: Reason | None = None
    cluster: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A question or a cluster, and the state of it that the caller has seen."""

    id: str
    rev: int
