"""What a message was found to mean: candidates, evidence, the match, and the values of its slots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from store.content import AnySlot, PromptVersion, QuotedTextSlot


class MatchMethod(StrEnum):
    """How a prompt was found."""

    EXACT = "exact"
    TITLE = "title"
    """By the name under which it is offered as a choice, word for word."""
    SIMILAR = "similar"
    FOLLOW_UP = "follow_up"
    SLOT_REPLY = "slot_reply"


class Gate(StrEnum):
    """The check that decided a match."""

    EXACT_PHRASE = "exact_phrase"
    TITLE = "title"
    ACCEPTED = "accepted"
    LANGUAGE = "language"
    FLOOR = "floor"
    BELOW_LIMIT = "below_limit"
    MARGIN = "margin"
    COUNTEREXAMPLE = "counterexample"
    CONTRADICTION = "contradiction"
    EMPTY = "empty"
    SLOT_REPLY = "slot_reply"


COUNTERED_BY = 0.02
"""How much nearer a counterexample must be than every phrasing to keep its prompt from being the answer.

Cosines of two sentences differ by a hundredth for no reason: of the example store's phrasings, each left out, 15 % are
at least as near to a counterexample of the prompt ranked first as to its phrasings (docs/adr/0008).
"""
NEARLY_VERBATIM = 0.9
"""A cosine from which a message is the counterexample but for a courtesy or a typing error: nothing outweighs that."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prompt that came near, by its nearest phrasing."""

    prompt: PromptVersion
    score: float
    """What the limits are about: the probability that this prompt is right, 0 to 1; 1.0 for an exact phrase."""
    phrasing: str
    """The approved phrasing that came nearest."""
    similarity: float
    """Cosine of that phrasing, -1 to 1."""
    counter_similarity: float | None = None
    """Cosine of the prompt's nearest counterexample, if it has one."""

    @property
    def is_countered(self) -> bool:
        """Whether a counterexample of the prompt is so near that the prompt must not be the answer."""
        counter = self.counter_similarity
        return counter is not None and (counter - self.similarity >= COUNTERED_BY or self.is_excluded)

    @property
    def is_excluded(self) -> bool:
        """Whether the message is nearly word for word what the prompt must not be given for: not even as a choice."""
        counter = self.counter_similarity
        return counter is not None and counter >= NEARLY_VERBATIM and counter >= self.similarity


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a match was decided on: the best candidates, best first, and the gate that decided."""

    candidates: tuple[Candidate, ...]
    gate: Gate
    difference: str | None = None
    """What the contradiction gate found: the kind and the words, such as `opposite: open/close`."""

    @property
    def score(self) -> float | None:
        """Score of the best candidate."""
        return self.candidates[0].score if self.candidates else None

    @property
    def margin(self) -> float | None:
        """Distance in score from the best candidate to the next."""
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
