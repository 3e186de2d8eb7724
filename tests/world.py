"""A whole gateway on fakes: real pipeline, matcher, index and policy; fake model, embedder and stores."""

import datetime as dt
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import httpx
import msgspec
import pytest
from litestar import Litestar

from gateway.answer_cache import AnswerCache
from gateway.components import Components
from gateway.credentials import KeyRing, NewKey, Principal, new_key
from gateway.decisions import DecisionLog, DecisionStore
from gateway.embeddings import Embeddings
from gateway.limit_settings import LimitSettings
from gateway.limits import make_admission
from gateway.live import Live, LiveState
from gateway.match_trial import MatchTrials
from gateway.matching import Matching
from gateway.metering import readiness_readings
from gateway.pipeline import ChatPipeline
from gateway.rail_checks import RailChecks
from gateway.readiness import PartReport, PartState, Readiness
from gateway.settings import PageSettings, Settings
from gateway.shared_rates import SharedRates
from gateway.telemetry import Telemetry
from gateway.tracing import UNTRACED, Tracing
from models.fakes import FakeEmbedder, FakeModel
from rails.engine import RailsPolicy, compile_policy
from rails.languages import unread_by
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner
from store.catalog import Catalog
from store.content import Assistant, CanonicalPrompt, PromptVersion
from store.errors import NotFound, StoreUnavailable
from store.index import PromptIndex
from store.matcher import Matcher
from store.scoring import Limits, NearestScorer, Scope
from store.types import ApiKey, Decision, KeyScope, Recorded
from tests.lending import LENDING

PEPPER = b"p" * 32
PATIENT = RailRunner(RailLimits(rail_s=10.0, stage_s=30.0))
"""A machine that is busy for a moment must not look like a rail that broke."""

PROMPTS = (
    {
        "key": "it.password-reset",
        "title": "Reset a forgotten password",
        "phrasings": ["How do I reset my password?", "I forgot my password"],
        "counterexamples": ["How do I stop people resetting my password?"],
        "reply": {
            "mode": "generate",
            "prompt": "Explain how to reset a forgotten password.",
            "facts": "Open https://id.tarnwick.example and choose Forgot password. The link is valid for 20 minutes.",
            "fallback": "Open https://id.tarnwick.example and choose Forgot password.",
        },
    },
    {
        "key": "facilities.office-hours",
        "title": "Office opening hours",
        "phrasings": ["When is the {site} office open?", "What are the office opening hours?"],
        "slots": [
            {
                "type": "enum",
                "name": "site",
                "ask": "Which office do you mean?",
                "values": [
                    {"value": "Leeds", "fact": "The Leeds office is open from 07:00 to 19:00."},
                    {"value": "Lisbon", "fact": "The Lisbon office is open from 07:30 to 20:00."},
                ],
            }
        ],
        "reply": {
            "mode": "generate",
            "prompt": "When is the {site} office open?",
            "facts": "Your badge opens the main door during the opening hours.",
            "fallback": "The {site} office is open on working days.",
        },
    },
    {
        "key": "security.phishing-report",
        "title": "Report a phishing mail",
        "phrasings": ["How do I report a phishing mail?"],
        "reply": {"mode": "verbatim", "answer": "Press the Report button in your mail program, then delete the mail."},
    },
    {
        "key": "hr.grievance",
        "title": "Raise a grievance",
        "phrasings": ["I want to complain about my manager"],
        "reply": {
            "mode": "handoff",
            "answer": "A person should hear this. Please write or call.",
            "contact": {"name": "People Team", "email": "people@tarnwick.example", "phone": "4200"},
        },
    },
)

ASSISTANT = {
    "name": "helpdesk",
    "title": "Tarnwick help desk",
    "greeting": "Hello. Ask about IT, HR, offices or security.",
    "areas": ["it", "facilities", "security", "hr"],
    "policy": "helpdesk",
    "instructions": "Answer in one or two short sentences. Use only the facts.",
    "languages": ["en"],
    "texts": {
        "no_match": "I have no approved answer to that.",
        "clarify": "Did you mean one of these?",
        "withheld": "My own wording did not pass the checks.",
    },
    "suggestions": ["it.password-reset", "facilities.office-hours", "security.phishing-report"],
}

POLICY = {
    "name": "helpdesk",
    "input": [{"rail": "length"}, {"rail": "hidden"}, {"rail": "secrets"}, {"rail": "injection"}],
    "output": [{"rail": "secrets"}, {"rail": "grounding"}, {"rail": "markup"}],
    "refusals": {"en": {"default": "I cannot help with that."}},
}

ANSWERS = {
    "reset": "Open https://id.tarnwick.example and choose Forgot password. The link is valid for 20 minutes.",
    "Lisbon": "The Lisbon office is open from 07:30 to 20:00.",
    "Leeds": "The Leeds office is open from 07:00 to 19:00.",
}


def catalog(assistants: tuple[str, ...]) -> Catalog:
    prompts = {}
    for document in PROMPTS:
        more = {"owner": "Test", "language": "en", "review_by": "2027-06-30", "area": document["key"].split(".")[0]}
        content = msgspec.convert(document | more, CanonicalPrompt)
        prompts[content.key] = PromptVersion(7, content, "a" * 64)
    talking = [msgspec.convert(ASSISTANT | {"name": name}, Assistant) for name in assistants]
    return Catalog(revision=3, prompts=prompts, assistants={one.name: one for one in talking}, policies={})


def word_answer(prompt) -> str:
    said = "".join(part.text for part in prompt.question)
    return next(answer for word, answer in ANSWERS.items() if word in said)


@dataclass(slots=True)
class Keys:
    """The key store, which can be away."""

    records: dict[str, ApiKey] = field(default_factory=dict)
    is_away: bool = False
    looked_up: int = 0

    def get(self, key_id: str) -> ApiKey:
        self.looked_up += 1
        if self.is_away:
            raise StoreUnavailable("the database at /secret/path is locked")
        if key_id not in self.records:
            raise NotFound(key_id)
        return self.records[key_id]


@dataclass(slots=True)
class Decisions:
    """The decision store."""

    kept: list[Decision] = field(default_factory=list)

    def add_all(self, rows: Sequence[Recorded]) -> None:
        self.kept.extend(row.decision for row in rows)

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        mine = (one for one in reversed(self.kept) if (one.conversation, one.principal) == (conversation, principal))
        return next((one for one in mine if not one.failed), None)


class World:
    """A gateway and the handles to break it."""

    def __init__(
        self,
        policy: RailsPolicy,
        *,
        limits: LimitSettings | None = None,
        page: PageSettings | None = None,
        more_assistants: tuple[str, ...] = (),
        visitor_scopes: tuple[KeyScope, ...] = (KeyScope.CHAT, KeyScope.DEBUG),
        has_visitor: bool = True,
        content: Catalog | None = None,
        decisions: DecisionStore | None = None,
        tracing: Tracing = UNTRACED,
        rates: SharedRates | None = None,
    ) -> None:
        """With `content` it serves that; a real store of decisions or of rates takes the place of the fake."""
        limits = limits or LimitSettings()
        self._lent: list[Litestar] = []
        self.model = FakeModel(answer=word_answer)
        self.keys = Keys()
        self.decisions = Decisions()
        self.parts = {"model": PartReport(PartState.READY), "store": PartReport(PartState.READY)}
        embedder = FakeEmbedder()
        live = content or catalog(("helpdesk", *more_assistants))
        index = PromptIndex.build(live, embedder.embed, dimension=embedder.dimension)
        match_limits = Limits(answer=0.8, suggest=0.5, margin=0.05, floor=-1.0, follow_up=0.8)
        scopes = {
            name: Scope(frozenset(one.areas), NearestScorer(), match_limits) for name, one in live.assistants.items()
        }
        matcher = Matcher(index, embedder.embed, scopes, is_unread=unread_by(None))
        self.live = Live(LiveState(live, matcher, {"helpdesk": policy}))
        self.admission = make_admission(limits, model_places=8, model_waiting=8, rates=rates)
        self.telemetry = Telemetry(readiness_readings(lambda: self.readiness.last))
        log = DecisionLog(decisions or self.decisions, telemetry=self.telemetry)
        self.pipeline = ChatPipeline(
            live=self.live,
            model=self.model,
            decisions=log,
            admission=self.admission,
            answers=AnswerCache(entries=100, max_bytes=10**6, clock=time.monotonic),
            match_s=limits.match_s,
            output_rails_s=0.1,
            model_places=8,
            tracing=tracing,
        )
        ring = KeyRing(self.keys, PEPPER, requests_per_minute=limits.requests_per_minute)
        visitor = Principal(
            "visitor", "Try-it form", frozenset(visitor_scopes), frozenset(), limits.visitor_requests_per_minute
        )
        self.readiness = Readiness({name: self._probe(name) for name in self.parts})
        self.components = Components(
            settings=Settings(limits=limits, page=page or PageSettings(try_it="helpdesk")),
            live=self.live,
            pipeline=self.pipeline,
            checks=RailChecks(self.live, self.admission),
            matches=MatchTrials(self.live, Matching(log, match_s=limits.match_s), self.admission),
            embeddings=Embeddings(embedder, self.admission),
            keys=ring,
            admission=self.admission,
            readiness=self.readiness,
            telemetry=self.telemetry,
            tracing=tracing,
            warming=None,
            publisher=None,
            administration=None,
            visitor=visitor if has_visitor else None,
        )

    @cached_property
    def app(self) -> Litestar:
        """The application."""
        return self.application(self.components)

    def application(self, components: Components) -> Litestar:
        """Gives an application with these components, for as long as this world is there."""
        self._lent.append(LENDING.lend(components))
        return self._lent[-1]

    def close(self) -> None:
        """Gives back the applications, which work no more; a world that is not closed keeps them."""
        while self._lent:
            LENDING.give_back(self._lent.pop())

    def _probe(self, name: str):
        return lambda: self.parts[name]

    def key(self, *scopes: KeyScope, assistants: tuple[str, ...] = (), is_expired: bool = False) -> str:
        made: NewKey = new_key("test", PEPPER, scopes=scopes or (KeyScope.CHAT, KeyScope.CHECKS), assistants=assistants)
        record = made.record
        if is_expired:
            record = replace(record, expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        self.keys.records[record.id] = record
        return made.token

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers)


@pytest.fixture(scope="session")
def policy() -> RailsPolicy:
    return compile_policy(load_policy(POLICY), 5, runner=PATIENT)


@pytest.fixture
def make_world(policy: RailsPolicy):
    made: list[World] = []

    def make(**choices) -> World:
        with ThreadPoolExecutor(1) as beside:  # the embedder refuses to work on the thread of an event loop
            made.append(beside.submit(partial(World, policy, **choices)).result())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def world(make_world) -> World:
    return make_world()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
