"""Builds a whole pipeline from fakes, with real rails and a real matcher: what the gateway's tests stand on."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gateway.answer_cache import AnswerCache
from gateway.credentials import Principal
from gateway.decisions import DecisionLog
from gateway.faults import Faults
from gateway.limit_settings import LimitSettings
from gateway.limits import Admission, Deadline, make_admission
from gateway.live import Live, LiveState
from gateway.pipeline import ChatPipeline
from gateway.turn import Question
from models.fakes import FakeEmbedder, FakeModel
from models.ports import Embedder, LanguageModel
from rails.engine import RailsPolicy, compile_policy
from rails.languages import unread_by
from rails.policy import load_policy
from store.catalog import Catalog
from store.content import Assistant, CanonicalPrompt, PromptVersion
from store.errors import StoreUnavailable
from store.index import PromptIndex
from store.matcher import Matcher
from store.plain import canonical_hash
from store.scoring import Limits, NearestScorer, Scope
from store.types import Decision, KeyScope, Recorded, Words

POLICY: dict[str, object] = {
    "name": "desk",
    "input": [{"rail": "length"}, {"rail": "hidden"}, {"rail": "injection"}, {"rail": "secrets"}],
    "output": [{"rail": "secrets"}, {"rail": "urls", "hosts": ["*.tarnwick.example"]}, {"rail": "grounding"}],
    "refusals": {"en": {"default": "That was stopped by a check.", "injection": "Please just ask a question."}},
}
RESET: dict[str, object] = {
    "key": "it.reset",
    "title": "Reset a forgotten password",
    "area": "it",
    "owner": "Service Desk",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["How do I reset my password?", "I forgot my password"],
    "counterexamples": ["How do I reset the coffee machine?"],
    "reply": {
        "mode": "generate",
        "prompt": "Explain how to reset a forgotten password.",
        "facts": "Open https://portal.tarnwick.example/password. The link is valid for 15 minutes.",
        "fallback": "Open https://portal.tarnwick.example/password; the link is valid for 15 minutes.",
    },
}
HOURS: dict[str, object] = {
    "key": "it.hours",
    "title": "Office opening hours",
    "area": "it",
    "owner": "Facilities",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["When is the {site} office open?", "What are the opening hours?"],
    "slots": [
        {
            "type": "enum",
            "name": "site",
            "ask": "Which office do you mean?",
            "values": [{"value": "Leeds", "fact": "Leeds opens at 07:30."}, {"value": "Lisbon", "also": ["lisboa"]}],
        }
    ],
    "reply": {
        "mode": "generate",
        "prompt": "Say when the {site} office is open.",
        "facts": "Offices are open on working days.",
        "fallback": "The {site} office is open on working days.",
    },
}
ALARM: dict[str, object] = {
    "key": "it.alarm",
    "title": "What to do when the fire alarm sounds",
    "area": "it",
    "owner": "Facilities",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["The fire alarm rings"],
    "reply": {"mode": "verbatim", "answer": "Leave the building by the stairs."},
}
SECRET_DESK: dict[str, object] = {
    "key": "it.person",
    "title": "Talk to a person",
    "area": "it",
    "owner": "Service Desk",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["Let me talk to a human being"],
    "reply": {
        "mode": "handoff",
        "answer": "A person takes over.",
        "contact": {"name": "Service Desk", "phone": "4100"},
    },
}
WEEKEND: dict[str, object] = {
    "key": "it.weekend",
    "title": "Weekend hours",
    "area": "it",
    "owner": "Facilities",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["Opening hours at the weekend"],
    "follows": ["it.hours"],
    "follow_ups": ["And on Saturdays?"],
    "reply": {"mode": "verbatim", "answer": "Offices are closed at the weekend."},
}
SUMMARY: dict[str, object] = {
    "key": "it.summary",
    "title": "Summarise a ticket",
    "area": "it",
    "owner": "Service Desk",
    "language": "en",
    "review_by": "2027-06-30",
    "phrasings": ["Summarise this ticket please: {ticket_text}"],
    "slots": [{"type": "quoted_text", "name": "ticket_text", "ask": "Please paste the ticket text."}],
    "reply": {
        "mode": "generate",
        "prompt": "Summarise this ticket: {ticket_text}",
        "facts": "A ticket was pasted.",
        "fallback": "The ticket cannot be summarised now.",
    },
}
PROMPTS = (RESET, HOURS, ALARM, SECRET_DESK, WEEKEND, SUMMARY)
ASSISTANT: dict[str, object] = {
    "name": "desk",
    "title": "The desk",
    "greeting": "Hello. Ask me something.",
    "areas": ["it"],
    "policy": "desk",
    "instructions": "You are a help desk. Answer from the facts alone.",
    "languages": ["en"],
    "texts": {"no_match": "No approved answer.", "clarify": "Did you mean one of these?", "withheld": "Approved text:"},
    "suggestions": ["it.reset"],
}
LIMITS = Limits(answer=0.7, suggest=0.4, margin=0.05, floor=-1.0, follow_up=0.7)
UNSURE = Limits(answer=0.99, suggest=0.2, margin=0.05, floor=-1.0, follow_up=0.99)
"""Limits with which nothing but an exact phrase is answered, and almost everything is asked back."""
CALLER = Principal(
    id="caller01", name="test", scopes=frozenset(KeyScope), assistants=frozenset(), requests_per_minute=10**6
)
GROUNDED = "Open https://portal.tarnwick.example/password. The link is valid for 15 minutes."


@dataclass
class MemoryDecisions:
    """A decision store in memory that can be told to fail."""

    rows: list[Decision] = field(default_factory=list)
    is_down: bool = False
    words: dict[str, Words | None] = field(default_factory=dict)

    def add(self, decision: Decision) -> None:
        if self.is_down:
            raise StoreUnavailable("told to be down")
        self.rows.append(decision)

    def add_all(self, rows: Sequence[Recorded]) -> None:
        known = {row.id for row in self.rows}
        for row in rows:
            if row.decision.id not in known:
                self.add(row.decision)
                self.words[row.decision.id] = row.words

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        mine = [row for row in self.rows if (row.conversation, row.principal) == (conversation, principal)]
        return next((row for row in reversed(mine) if not row.failed), None)


@dataclass
class Built:
    """A pipeline and the fakes inside it."""

    pipeline: ChatPipeline
    live: Live
    model: FakeModel
    decisions: MemoryDecisions
    log: DecisionLog
    answers: AnswerCache


def versions(*documents: Mapping[str, object]) -> dict[str, PromptVersion]:
    prompts = [msgspec.convert(document, CanonicalPrompt) for document in documents]
    return {prompt.key: PromptVersion(1, prompt, canonical_hash(prompt)) for prompt in prompts}


def scope(areas: Iterable[str] = ("it",), *, limits: Limits = LIMITS) -> Scope:
    return Scope(frozenset(areas), NearestScorer(), limits)


@dataclass
class NearestMatchers:
    """Matchers by the nearest phrasing, with an index that is kept in a folder."""

    embedder: Embedder
    folder: Path
    improved: list[int] = field(default_factory=list)
    """Revisions for which a better matcher was wished for."""
    is_better: bool = False
    status: str = "by the nearest phrasing"
    doing: str = ""

    def make(self, catalog: Catalog) -> Matcher:
        index = PromptIndex.open(
            catalog,
            self.embedder.embed,
            fingerprint=self.embedder.fingerprint,
            dimension=self.embedder.dimension,
            folder=self.folder,
        )
        scopes = {name: scope(one.areas) for name, one in catalog.assistants.items()}
        return Matcher(
            index, self.embedder.embed, scopes, is_unread=unread_by(None), fingerprint=f"{len(self.improved)}"
        )

    def close(self) -> None:
        """Nothing runs."""

    def improve(self, catalog: Catalog, serving: str | None) -> bool:
        self.improved.append(catalog.revision)
        return self.is_better


def build_state(
    *documents: Mapping[str, object],
    assistant: Mapping[str, object] = ASSISTANT,
    policy: RailsPolicy | None = None,
    limits: Limits = LIMITS,
) -> LiveState:
    embedder = FakeEmbedder()
    made = msgspec.convert({**ASSISTANT, **assistant}, Assistant)
    catalog = Catalog(1, versions(*(documents or PROMPTS)), {made.name: made}, {})
    index = PromptIndex.build(catalog, embedder.embed, dimension=embedder.dimension)
    compiled = policy or compile_policy(load_policy(POLICY), 3)
    scopes = {made.name: scope(made.areas, limits=limits)}
    return LiveState(
        catalog, Matcher(index, embedder.embed, scopes, is_unread=unread_by(None)), {made.policy: compiled}
    )


def build(
    *documents: Mapping[str, object],
    model: LanguageModel | None = None,
    assistant: Mapping[str, object] = ASSISTANT,
    policy: RailsPolicy | None = None,
    limits: Limits = LIMITS,
    admission: Admission | None = None,
    match_s: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    faults: Faults | None = None,
) -> Built:
    live = Live(build_state(*documents, assistant=assistant, policy=policy, limits=limits))
    answering = model or FakeModel(answer=GROUNDED)
    decisions = MemoryDecisions()
    answers = AnswerCache(entries=100, max_bytes=10**6, clock=clock)
    log = DecisionLog(decisions)
    pipeline = ChatPipeline(
        live=live,
        model=answering,
        decisions=log,
        admission=admission or make_admission(LimitSettings(), model_places=8, model_waiting=8),
        answers=answers,
        match_s=match_s,
        output_rails_s=2.0,
        model_places=8,
        faults=faults,
    )
    return Built(pipeline, live, answering, decisions, log, answers)


def question(text: str, **changes: object) -> Question:
    fields: dict[str, object] = {
        "text": text,
        "assistant": "desk",
        "principal": CALLER,
        "deadline": Deadline.after(30.0),
    }
    return Question(**(fields | changes))
