"""What the store holds, as values: prompts, slots, assistants, matches and decisions.

Documents (what people write and review) are msgspec structs, so that one definition serves the YAML files, the
database and the checks; everything else is a frozen dataclass.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$", max_length=80)]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]

SLOT_MARK = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A blank in a prompt text, an answer or a phrasing."""

FACTS_MARK = "facts"
"""`{facts}` in a prompt text is where its facts go; without it they stand before the text."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of content that people write; unknown fields are errors, not noise."""


# --- slots -----------------------------------------------------------------------------------------------------


class EnumValue(Document, frozen=True):
    """One allowed value of an enum slot."""

    value: Line
    also: tuple[Line, ...] = ()
    """Other spellings, matched as whole words without regard to case."""
    fact: str = ""
    """Added to the prompt's facts when this value is chosen."""


class Slot(Document, frozen=True, tag_field="type"):
    """A typed blank: the only way anything typed by the person reaches the model."""

    name: Name
    ask: Line
    """The question put to the person when the value is missing."""

    @property
    def brings_facts(self) -> bool:
        """Whether choosing a value always adds a fact, so that the prompt text need not name the value."""
        return False


class EnumSlot(Slot, frozen=True, tag="enum"):
    """One of the listed values."""

    values: Annotated[tuple[EnumValue, ...], Meta(min_length=1)]

    @property
    def brings_facts(self) -> bool:
        return all(value.fact for value in self.values)


class IntegerSlot(Slot, frozen=True, tag="integer"):
    """A whole number within bounds."""

    minimum: int
    maximum: int


class DateSlot(Slot, frozen=True, tag="date"):
    """A calendar date, written YYYY-MM-DD to the model."""


class PatternSlot(Slot, frozen=True, tag="pattern"):
    """A text that a regular expression (RE2) matches as a whole."""

    pattern: Line


class ShortTextSlot(Slot, frozen=True, tag="short_text"):
    """At most 64 letters, digits, spaces and `.,'-`."""


class QuotedTextSlot(Slot, frozen=True, tag="quoted_text"):
    """At most 1,000 characters, quoted as data: an explicit exception to the promise, marked everywhere."""


AnySlot = EnumSlot | IntegerSlot | DateSlot | PatternSlot | ShortTextSlot | QuotedTextSlot


# --- prompts ---------------------------------------------------------------------------------------------------


class SamplingSettings(Document, frozen=True):
    """How the model chooses its words for this prompt."""

    max_tokens: Annotated[int, Meta(ge=1, le=512)] = 80
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    seed: Annotated[int, Meta(ge=0, le=4294967295)] = 0


class Contact(Document, frozen=True):
    """Who takes over."""

    name: Line
    email: str = ""
    phone: str = ""
    url: str = ""
    hours: str = ""


class Generate(Document, frozen=True, tag_field="mode", tag="generate"):
    """The model words the answer from the facts."""

    prompt: Text
    facts: Text
    fallback: Text
    """The approved answer for when the model is down or busy, or its answer was withheld."""
    sampling: SamplingSettings = SamplingSettings()


class Verbatim(Document, frozen=True, tag_field="mode", tag="verbatim"):
    """The approved answer as it stands; no model."""

    answer: Text


class Handoff(Document, frozen=True, tag_field="mode", tag="handoff"):
    """A person takes over; no model."""

    answer: Text
    contact: Contact


AnyReply = Generate | Verbatim | Handoff


class CanonicalPrompt(Document, frozen=True):
    """An approved entry: what people ask, what must not match it, and what may be answered."""

    key: Key
    title: Line
    area: Name
    owner: Line
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")]
    review_by: dt.date
    phrasings: Annotated[tuple[Line, ...], Meta(min_length=1)]
    reply: AnyReply
    audience: Name = "everyone"
    counterexamples: tuple[Line, ...] = ()
    follows: tuple[Key, ...] = ()
    """Prompts after which `follow_ups` count."""
    follow_ups: tuple[Line, ...] = ()
    slots: tuple[AnySlot, ...] = ()

    def __post_init__(self) -> None:
        names = [slot.name for slot in self.slots]
        if len(set(names)) != len(names):
            raise ValueError("two slots have the same name")
        if FACTS_MARK in names:
            raise ValueError(f"a slot cannot be named {FACTS_MARK}: {{{FACTS_MARK}}} is where the facts go")
        used = set(SLOT_MARK.findall(self.text_with_slots))
        known = {*names, FACTS_MARK} if isinstance(self.reply, Generate) else set(names)
        if unknown := used - known:
            raise ValueError(f"the text uses {{{min(unknown)}}}, but there is no such slot")
        if unused := {slot.name for slot in self.slots if not slot.brings_facts} - used:
            raise ValueError(f"slot {min(unused)} is not used: write {{{min(unused)}}} in the prompt or answer")
        for phrasing in (*self.phrasings, *self.follow_ups):
            if unknown := set(SLOT_MARK.findall(phrasing)) - set(names):
                raise ValueError(f"phrasing {phrasing!r} uses {{{min(unknown)}}}, but there is no such slot")
        if isinstance(self.reply, Generate) and (unknown := set(SLOT_MARK.findall(self.reply.fallback)) - set(names)):
            raise ValueError(f"the fallback uses {{{min(unknown)}}}, but there is no such slot")
        if bool(self.follows) != bool(self.follow_ups):
            raise ValueError("follows and follow_ups go together: one without the other has no effect")
        if self.has_quoted_text and not isinstance(self.reply, Generate):
            raise ValueError("a quoted_text slot needs mode generate")

    @property
    def text_with_slots(self) -> str:
        """The text in which slots are filled: the prompt, or the answer that is shown as it stands."""
        return self.reply.prompt if isinstance(self.reply, Generate) else self.reply.answer

    @property
    def has_quoted_text(self) -> bool:
        """Whether the prompt carries the explicit exception to the promise."""
        return any(isinstance(slot, QuotedTextSlot) for slot in self.slots)


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """A published, immutable version of a canonical prompt."""

    number: int
    content: CanonicalPrompt
    sha256: str
    """Hex hash of the content's canonical JSON."""

    @property
    def key(self) -> str:
        """The prompt's human-readable key."""
        return self.content.key


# --- assistants ------------------------------------------------------------------------------------------------


class MatchLimits(Document, frozen=True):
    """When a similarity is enough. No defaults: a limit that nobody chose is not a limit."""

    limit: Annotated[float, Meta(ge=-1, le=1)]
    """At least this similar to a phrasing to be answered."""
    margin: Annotated[float, Meta(ge=0, le=2)]
    """At least this much nearer than the next prompt's nearest phrasing."""
    suggest: Annotated[float, Meta(ge=-1, le=1)]
    """At least this similar to be offered as "did you mean"."""

    def __post_init__(self) -> None:
        if self.suggest > self.limit:
            raise ValueError("suggest must not be above limit")


class AssistantTexts(Document, frozen=True):
    """What the assistant says when it does not answer."""

    no_match: Text
    clarify: Text
    withheld: Text
    """Shown above the approved fallback when the model's wording failed an output rail."""


class Assistant(Document, frozen=True):
    """What a client talks to: the OpenAI `model` field."""

    name: Name
    title: Line
    greeting: Line
    areas: Annotated[tuple[Name, ...], Meta(min_length=1)]
    policy: Name
    instructions: Text
    """The instructions turn that every generated answer of this assistant starts from."""
    languages: Annotated[tuple[str, ...], Meta(min_length=1)]
    match: MatchLimits
    texts: AssistantTexts
    suggestions: tuple[Key, ...] = ()
    """Prompts offered to a person who has not asked anything yet."""
    allowed_origins: tuple[str, ...] = ()


# --- matching --------------------------------------------------------------------------------------------------


class MatchMethod(StrEnum):
    """How a prompt was found."""

    EXACT = "exact"
    SIMILAR = "similar"
    FOLLOW_UP = "follow_up"
    SLOT_REPLY = "slot_reply"


class Gate(StrEnum):
    """The check that decided a match."""

    EXACT_PHRASE = "exact_phrase"
    ACCEPTED = "accepted"
    BELOW_LIMIT = "below_limit"
    MARGIN = "margin"
    COUNTEREXAMPLE = "counterexample"
    CONTRADICTION = "contradiction"
    EMPTY = "empty"
    SLOT_REPLY = "slot_reply"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prompt that came near, by its nearest phrasing."""

    prompt: PromptVersion
    score: float
    """Cosine similarity of the nearest phrasing, -1 to 1; 1.0 for an exact phrase."""
    phrasing: str
    """The approved phrasing that came nearest."""
    counter_score: float | None = None
    """Cosine similarity of the prompt's nearest counterexample, if it has one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a match was decided on: the best candidates, best first, and the gate that decided."""

    candidates: tuple[Candidate, ...]
    gate: Gate

    @property
    def score(self) -> float | None:
        """Similarity of the best candidate."""
        return self.candidates[0].score if self.candidates else None

    @property
    def margin(self) -> float | None:
        """Distance in similarity from the best candidate to the next."""
        return self.candidates[0].score - self.candidates[1].score if len(self.candidates) > 1 else None


@dataclass(frozen=True, slots=True)
class Match:
    """One prompt, with enough evidence to answer it."""

    prompt: PromptVersion
    method: MatchMethod
    evidence: Evidence
    captured: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Raw slot texts that the matched phrasing's blanks stood for; still to be validated."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Near enough to ask "did you mean", not near enough to answer."""

    choices: tuple[PromptVersion, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Nothing near enough; no model is called."""

    evidence: Evidence


AnyMatch = Match | Ambiguous | NoMatch


@dataclass(frozen=True, slots=True)
class SlotValue:
    """A validated slot value, as it may be written into the prompt."""

    slot: AnySlot
    text: str
    fact: str = ""

    @property
    def is_quoted(self) -> bool:
        """Whether it is the exception to the promise."""
        return isinstance(self.slot, QuotedTextSlot)


@dataclass(frozen=True, slots=True)
class SlotsFilled:
    """Every slot of the prompt has a valid value."""

    values: tuple[SlotValue, ...]


@dataclass(frozen=True, slots=True)
class SlotNeeded:
    """A slot has no value, or one that is not acceptable."""

    slot: AnySlot
    is_invalid: bool
    """Whether something was given that is not acceptable, and not nothing."""
    known: tuple[SlotValue, ...]


SlotResult = SlotsFilled | SlotNeeded


# --- decisions -------------------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """What became of one message."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    NO_MATCH = "no_match"
    BLOCKED_INPUT = "blocked_input"
    BLOCKED_OUTPUT = "blocked_output"
    DEGRADED = "degraded"


class KeyScope(StrEnum):
    """What an API key may do."""

    CHAT = "chat"
    DEBUG = "debug"


_ANSWER_MODES = Literal["generate", "verbatim", "handoff", "fallback", "none"]


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
    policy: str
    policy_revision: int
    model_sha256: str | None
    sent_sha256: str | None
    """Hash of the token list that the model was given."""
    prompt_tokens: int
    completion_tokens: int
    failed: bool = False
    """Whether the message was stopped by a rail that broke (answered with 503)."""


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
