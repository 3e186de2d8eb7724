"""One message on its way: the question, what is found out about it, and the reply it ends in."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import msgspec
import uuid_utils

from gateway.credentials import Principal
from gateway.limits import Charged, Deadline
from gateway.live import LiveState
from gateway.model_use import TokensUsed, WeightsUsed
from models.ports import Completion, FinishReason, RenderedPrompt
from rails.dialog import DialogReply
from rails.engine import RailsPolicy
from rails.types import RailRecord
from store.content import AnyReply, Assistant, Contact, Generate, Handoff, PromptVersion, Verbatim
from store.matches import Evidence, Gate, MatchMethod, SlotNeeded, SlotValue
from store.types import Decision, Outcome


class Step(StrEnum):
    """What the gateway is doing, as streamed to a waiting person."""

    CHECKING = "checking"
    MATCHING = "matching"
    GENERATING = "generating"
    VERIFYING = "verifying"


@dataclass(frozen=True, slots=True)
class Released:
    """The next words of an answer, checked with everything before them; they may be shown."""

    text: str
    decision: str
    """Id of the decision that the answer will be."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The answer did not pass: no more of it comes, and what was released is not the reply."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The question was counted, and will be decided by that policy: for the headers of a reply that is streamed."""

    rate: Charged
    policy_version: str


News = Step | Released | Withheld
"""What is told of a question on its way."""


class Source(StrEnum):
    """Where the words of a reply come from."""

    GENERATE = "generate"
    VERBATIM = "verbatim"
    HANDOFF = "handoff"
    FALLBACK = "fallback"
    DIALOG = "dialog"
    NONE = "none"

    @classmethod
    def of(cls, reply: AnyReply) -> "Source":
        """Returns the source that a prompt's mode stands for."""
        match reply:
            case Generate():
                return cls.GENERATE
            case Verbatim():
                return cls.VERBATIM
            case Handoff():
                return cls.HANDOFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One message and who sent it; nothing else that a client sends changes the way it goes."""

    text: str
    assistant: str
    principal: Principal
    deadline: Deadline
    slots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    conversation: str | None = None
    """Links follow-up questions; chosen by the client, seen only by the same principal."""
    max_tokens: int | None = None
    """May shorten the answer, never lengthen it beyond what was approved."""
    user: str | None = None
    """The person as the caller names them; kept as a pseudonym alone, so that a purge finds what there is of them."""
    person: str | None = None
    """The pseudonym itself, where nobody in the gateway knows the person's name any more."""
    context: str = ""
    """What the page says of itself, as JSON: kept with the words for auditors; no step reads it."""
    is_streamed: bool = False
    """Whether words are shown as they pass: what was shown is a decision, also when whoever asked leaves."""

    @property
    def given(self) -> dict[str, str]:
        """The slot values that were sent beside the message; an empty one counts as not sent."""
        return {name: value for name, value in self.slots.items() if value.strip()}


def masked(text: str) -> str:
    """Returns what is kept of a quoted text: its length."""
    return f"({len(text)} characters)"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer in the model's words that passed its output rails, and where that was recorded."""

    text: str
    """As it was shown, with whatever the rails changed."""
    decision: str
    """Id of the decision in which the model worded it."""
    at: dt.datetime
    sent_sha256: str
    """Hash of the tokens that the model was given."""
    finish_reason: FinishReason

    @classmethod
    def of(cls, completion: Completion, text: str, *, decision: str, at: dt.datetime) -> "KeptAnswer":
        """Makes what is kept of a completion whose words, as checked, are `text`."""
        return cls(text, decision, at, completion.prompt_sha256, completion.finish_reason)


@dataclass(frozen=True, slots=True)
class Passed:
    """When a message went through a stage, on the monotonic clock."""

    stage: str
    began_s: float
    ended_s: float


@dataclass(slots=True)
class Turn:
    """Collects what is decided about one message; becomes the stored decision."""

    question: Question
    state: LiveState
    assistant: Assistant
    id: str = field(default_factory=lambda: str(uuid_utils.uuid7()))
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    started: float = field(default_factory=time.monotonic)
    timings_ms: dict[str, float] = field(default_factory=dict)
    passed: list[Passed] = field(default_factory=list)
    records: list[RailRecord] = field(default_factory=list)
    sent_message: str = ""
    """The canonical message before any check; empty when it was refused before it had one."""
    message: str = ""
    """The canonical message; empty when it was refused before it had one."""
    language: str = ""
    """Of the assistant's languages the one that the message is in; the first until that is known."""
    given: dict[str, str] = field(default_factory=dict)
    """The slot values sent beside the message, canonical and checked."""
    evidence: Evidence | None = None
    method: MatchMethod | None = None
    prompt: PromptVersion | None = None
    values: tuple[SlotValue, ...] = ()
    pending: Decision | None = None
    """The decision before, where it asked for a slot's value a moment ago."""
    sent: RenderedPrompt | None = None
    completion: Completion | None = None
    kept: KeptAnswer | None = None
    """The answer that was used again in place of a completion."""
    dialog: DialogReply | None = None
    """What the policy's dialog says to a message that means no approved prompt."""
    model_error: str | None = None
    used: TokensUsed | None = None
    """What the model took, estimated where it was stopped before its end; None as long as it has said nothing."""
    shown: str = ""
    """What of the answer was shown before there was a reply."""

    def __post_init__(self) -> None:
        self.language = self.assistant.languages[0]

    @property
    def policy(self) -> RailsPolicy:
        """The rails that the assistant's messages and answers pass."""
        return self.state.policies[self.assistant.policy]

    @property
    def is_unread(self) -> bool:
        """Whether the message is in a language that the embedder does not read, so that nothing is near anything."""
        return self.evidence is not None and self.evidence.gate is Gate.LANGUAGE

    @property
    def no_match_text(self) -> str:
        """What a person is told when nothing matched, by what decided it."""
        texts = self.assistant.texts
        return (texts.language if self.is_unread else "") or texts.no_match

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the block's duration to the turn's timings."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.note(Passed(stage, started, time.monotonic()))

    def note(self, passed: Passed) -> None:
        """Adds what a stage took."""
        self.passed.append(passed)
        spent = (passed.ended_s - passed.began_s) * 1000
        self.timings_ms[passed.stage] = round(self.timings_ms.get(passed.stage, 0.0) + spent, 3)

    def decide(
        self,
        outcome: Outcome,
        source: Source,
        *,
        needs_slot: str | None = None,
        failed: bool = False,
        weights: WeightsUsed | None = None,
    ) -> Decision:
        """Freezes the turn into the record that is stored."""
        self.timings_ms["total"] = round((time.monotonic() - self.started) * 1000, 3)
        used = self.used or TokensUsed()
        worded = weights if self.used or self.kept else None
        return Decision(
            id=self.id,
            at=self.at,
            assistant=self.assistant.name,
            principal=self.question.principal.id,
            conversation=self.question.conversation,
            outcome=outcome,
            source=source.value,
            message_chars=len(self.question.text),
            prompt_key=self.prompt.key if self.prompt else None,
            prompt_version=self.prompt.number if self.prompt else None,
            prompt_sha256=self.prompt.sha256 if self.prompt else None,
            slots={v.slot.name: masked(v.text) if v.is_quoted else v.text for v in self.values},
            needs_slot=needs_slot,
            has_quoted_text=any(value.is_quoted for value in self.values),
            score=self.evidence.score if self.evidence else None,
            margin=self.evidence.margin if self.evidence else None,
            method=self.method,
            gate=self.evidence.gate if self.evidence else None,
            rails=tuple(msgspec.to_builtins(self.records)),
            timings_ms=dict(self.timings_ms),
            store_revision=self.state.catalog.revision,
            matcher=self.state.matcher.fingerprint,
            policy=self.policy.name,
            policy_revision=self.policy.revision,
            model_sha256=worded.sha256 if worded else None,
            model_adapter=(worded.adapter or None) if worded else None,
            sent_sha256=self._sent_sha256,
            prompt_tokens=used.read,
            completion_tokens=used.written,
            failed=failed,
            cached_from=self.kept.decision if self.kept else None,
            cached_at=self.kept.at if self.kept else None,
            person=self.question.person,
        )

    def decide_left(self, weights: WeightsUsed) -> Decision:
        """Freezes it into the record of what was shown to a caller that left before there was a reply."""
        is_stopped = any(record.stops for record in self.records)
        return self.decide(Outcome.BLOCKED_OUTPUT if is_stopped else Outcome.ANSWERED, Source.GENERATE, weights=weights)

    @property
    def _sent_sha256(self) -> str | None:
        if self.kept is not None:
            return self.kept.sent_sha256
        return self.completion.prompt_sha256 if self.completion else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the person gets, and everything it was decided on."""

    decision: Decision
    text: str
    turn: Turn
    """How it came about; only for callers that may see scores and rails."""
    rate: Charged
    choices: tuple[PromptVersion, ...] = ()
    """Approved prompts that may have been meant."""
    slot: SlotNeeded | None = None
    """The blank that the person is asked to fill."""

    @property
    def contact(self) -> Contact | None:
        """Who takes over, in a handoff of an approved prompt or of the dialog."""
        if self.turn.dialog and self.turn.dialog.contact:
            return Contact(**msgspec.structs.asdict(self.turn.dialog.contact))
        if self.turn.prompt and isinstance(self.turn.prompt.content.reply, Handoff):
            return self.turn.prompt.content.reply.contact
        return None
