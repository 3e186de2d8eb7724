"""What the widget's calls and replies look like on the wire; the contract is docs/widget.md."""

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gateway.http.chat import Conversation, SlotTexts
from gateway.http.feedback import DecisionId
from gateway.http.replies import ContactReply, PromptReply, SlotReply, SuggestionReply
from store.feedback import COMMENT_CHARS, FeedbackReason, Verdict
from store.types import Outcome
from store.widgets import SignIn


class ThemeReply(msgspec.Struct, frozen=True):
    """How a widget looks."""

    accent: str
    on_accent: str
    radius: int
    position: Literal["end", "start"]


class WidgetConfigReply(msgspec.Struct, frozen=True):
    """What a widget needs before its panel opens; there is no secret in it."""

    client: str
    version: str
    lang: str
    languages: tuple[str, ...]
    heading: str
    greeting: str
    sign_in: SignIn
    suggestions: tuple[SuggestionReply, ...]
    contact: ContactReply | None
    theme: ThemeReply
    max_length: int
    feedback: bool
    strings: dict[str, str]


class WidgetSessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes: somebody whom the site's token names, or nobody known."""

    client: Annotated[str, Meta(min_length=1, max_length=40)]
    token: Annotated[str, Meta(max_length=8192)] | None = None


class WidgetSessionReply(msgspec.Struct, frozen=True):
    """A session, whose token is told this once."""

    session: str
    expires_at: dt.datetime
    expires_in: int
    name: str | None
    is_anonymous: bool


class WidgetChatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question of a visitor."""

    message: str
    conversation: Conversation | None = None
    slots: SlotTexts | None = None
    context: dict[str, Any] | None = None
    """Small JSON of the page, at most 1 kB, kept with the words where those are, for auditors; no step reads it."""


class WidgetChatReply(msgspec.Struct, frozen=True):
    """One decision, as visitors may know it."""

    id: str
    outcome: Outcome
    text: str
    source: Literal["generate", "verbatim", "handoff", "fallback", "dialog", "none"]
    prompt: PromptReply | None
    suggestions: tuple[SuggestionReply, ...]
    slot: SlotReply | None
    contact: ContactReply | None
    has_quoted_text: bool
    """Whether a text of the visitor's own went to the model, as the approved prompt allows."""
    reference: str
    conversation: str


class ConversationReply(msgspec.Struct, frozen=True):
    """The event `conversation`: the id to send with the next question."""

    conversation: str


class TurnReply(msgspec.Struct, frozen=True):
    """A question and its answer; null while that is being made."""

    key: str
    message: str
    answer: WidgetChatReply | None


class WidgetTurnsReply(msgspec.Struct, frozen=True):
    """What was said, oldest first."""

    conversation: str
    turns: tuple[TurnReply, ...]


class WidgetFeedbackRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a visitor thinks of an answer."""

    decision: DecisionId
    verdict: Verdict
    reasons: Annotated[tuple[FeedbackReason, ...], Meta(max_length=10)] = ()
    comment: Annotated[str, Meta(max_length=COMMENT_CHARS)] = ""
