"""What people write and review: prompts with their slots and replies, and assistants.

Documents are msgspec structs, so that one definition serves the YAML files, the database and the checks.
"""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

# A line break at the end was taken once, and what is stored with one still loads; `readable.py` refuses new ones.
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*\n?\Z", max_length=80)]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*\n?\Z", max_length=40)]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\r\n]*\n?\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]

OFF = "off"
Lifetime = Annotated[str, Meta(pattern=r"^(off|[1-9][0-9]{0,2}[mhd])\Z")]
"""`off`, or a whole number of minutes, hours or days, such as `30m`, `12h`, `7d`."""
_UNIT_S = {"m": 60.0, "h": 3600.0, "d": 86400.0}

SLOT_MARK = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A blank in a prompt text, an answer or a phrasing."""

FACTS_MARK = "facts"
"""`{facts}` in a prompt text is where its facts go; without it they stand before the text."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of content that people write; unknown fields are errors, not noise."""


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
    """A line of at most 64 characters that a regular expression (RE2) matches as a whole; never a sentence."""

    pattern: Line


class ShortTextSlot(Slot, frozen=True, tag="short_text"):
    """At most 64 letters, digits, spaces and `.,'-`."""


class QuotedTextSlot(Slot, frozen=True, tag="quoted_text"):
    """At most 1,000 characters, quoted as data: an explicit exception to the promise, marked everywhere."""


AnySlot = EnumSlot | IntegerSlot | DateSlot | PatternSlot | ShortTextSlot | QuotedTextSlot


class SamplingSettings(Document, frozen=True):
    """How the model chooses its words for this prompt."""

    max_tokens: Annotated[int, Meta(ge=1, le=512)] = 80
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    seed: Annotated[int, Meta(ge=0, le=4294967295)] = 0
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=4)] = ()
    """Texts that end the answer and are no part of it."""
    grammar: Annotated[str, Meta(max_length=4096)] = ""
    """The form that the answer must have, in GBNF; checked when it is published."""
    answer_schema: Annotated[str, Meta(max_length=4096)] = ""
    """The same as a JSON Schema, written in JSON: the answer is then an object of this form."""


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
    cache: Lifetime = OFF
    """How long a checked answer may be used again for the very same prompt, slots and settings."""

    def __post_init__(self) -> None:
        if self.cache != OFF and self.sampling.temperature > 0 and not self.sampling.seed:
            raise ValueError(
                "cache needs answers that can be repeated: set temperature to 0, or write a seed above 0 in sampling"
            )

    @property
    def cache_s(self) -> float | None:
        """How long a checked answer may be used again, None for never."""
        return None if self.cache == OFF else int(self.cache[:-1]) * _UNIT_S[self.cache[-1]]


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
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}\n?\Z")]
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
        self._check_quoting()

    def _check_quoting(self) -> None:
        if self.has_quoted_text and not isinstance(self.reply, Generate):
            raise ValueError("a quoted_text slot needs mode generate")
        if self.has_quoted_text and isinstance(self.reply, Generate) and self.reply.cache != OFF:
            raise ValueError("an answer to quoted text is never kept: leave cache out of the reply")

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


class Tolerance(Document, frozen=True):
    """How sure the matcher must be. Limits follow from it by calibration on the store's own phrasings."""

    false_match_rate: Annotated[float, Meta(gt=0, le=0.2)] = 0.01
    """Share of all messages that may be answered with a wrong prompt."""
    near_misses: Annotated[float, Meta(ge=0, le=10)] | None = None
    """Messages to expect that resemble a prompt but have no prompt of their own, for each message that has one.

    The phrasings cannot tell it. None takes 10 divided by the number of prompts, at most 1.2: few prompts leave many
    neighbouring questions open.
    """


class AssistantTexts(Document, frozen=True):
    """What the assistant says when it does not answer."""

    no_match: Text
    clarify: Text
    withheld: Text
    """Shown above the approved fallback when the model's wording failed an output rail."""
    language: str = ""
    """Said to a message in a language that the matcher does not read; empty means `no_match`."""

    def __post_init__(self) -> None:
        for text in (self.no_match, self.clarify, self.withheld, self.language):
            if marks := SLOT_MARK.findall(text):
                raise ValueError(f"the text uses {{{marks[0]}}}, but an assistant has no slots")


class KeepsText(StrEnum):
    """What is kept of the words of a message and its answer."""

    OFF = "off"
    REDACTED = "redacted"
    """With personal data and secrets masked; where that cannot be done, nothing is kept."""
    FULL = "full"
    """As they were. Shown to auditors and admins alone, each time with a row in the audit trail."""


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
    texts: AssistantTexts
    match: Tolerance = Tolerance()
    suggestions: tuple[Key, ...] = ()
    """Prompts offered to a person who has not asked anything yet."""
    allowed_origins: tuple[str, ...] = ()
    model_licence_acknowledged: Annotated[str, Meta(max_length=64, pattern=r"^([a-z0-9][a-z0-9._-]*)?\n?\Z")] = ""
    """The family of a model whose licence forbids commercial use: says that this assistant's use is none."""
    keeps_text: KeepsText = KeepsText.OFF
    """What is kept of what people write and read."""
    retention_days: Annotated[int, Meta(ge=1, le=3650)] = 365
    """How long decisions are kept, with their texts."""
