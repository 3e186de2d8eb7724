"""A gateway in this process over a large generated store: what `benchmarks.publish` takes from draft to people."""

import argparse
import datetime as dt
import time
from contextlib import ExitStack

import msgspec

from benchmarks import sentences
from benchmarks.gateway_process import say
from gateway.admin_services import auditing_of
from gateway.answer_cache import AnswerCache
from gateway.bootstrap import fit_settings, open_embedder
from gateway.changing.evidence import Proving
from gateway.changing.gate import ChangeGate
from gateway.changing.judgements import still_holds_of, unservable_of, weakens
from gateway.changing.servable import Servable
from gateway.credentials import Principal
from gateway.decisions import DecisionLog
from gateway.fitting.matchers import FittedMatchers
from gateway.limit_settings import LimitSettings
from gateway.limits import make_admission
from gateway.live import Live
from gateway.opening import open_store
from gateway.pipeline import ChatPipeline
from gateway.publisher import Publisher
from gateway.rail_services import RecentVectors, rail_services
from gateway.settings import Settings
from models.absent import AbsentModel
from models.ports import Embedder
from rails.sandbox import SANDBOX
from store.catalog import publish_bundle
from store.changes.desk import Desk
from store.changes.documents import hash_of
from store.changes.evidence import GateRuns
from store.changes.publishing import PublishService
from store.changes.reviewing import ReviewService
from store.changes.service import ChangeService
from store.changes.types import Edit, EditKind, Item
from store.content import Assistant, CanonicalPrompt
from store.database import Database
from store.formats.bundle import Bundle
from store.people import Actor, Grant, Role
from store.repositories.decision_writer import DecisionWriter
from store.repositories.users import Users
from store.types import KeyScope

ADA = Actor("user:ada", "Ada", "user:ada", frozenset({Grant(Role.EDITOR)}))
BOB = Actor("user:bob", "Bob", "user:bob", frozenset({Grant(Role.APPROVER)}))
CALLER = Principal("caller", "benchmark", frozenset(KeyScope), frozenset(), 10**9)
POLICY = {
    "name": "desk",
    "input": [{"rail": "length"}, {"rail": "hidden"}, {"rail": "secrets"}, {"rail": "injection"}, {"rail": "attacks"}],
    "output": [{"rail": "secrets"}, {"rail": "markup"}],
    "refusals": {"en": {"default": "I cannot help with that."}},
}
ASSISTANT = {
    "name": "desk",
    "title": "Desk",
    "greeting": "Hello.",
    "areas": ["desk"],
    "policy": "desk",
    "instructions": "Answer in one sentence.",
    "languages": ["en"],
    "texts": {"no_match": "I do not know.", "clarify": "Did you mean one of these?", "withheld": "Approved text:"},
    "suggestions": [],
}
TOUCHED = 5
"""Prompts that get one phrasing more; beside them a prompt is new."""


class GeneratedDesk:
    """The parts of a gateway, without its HTTP and its model, with everything behind a change."""

    def __init__(self, settings: Settings, stack: ExitStack, chosen: argparse.Namespace) -> None:
        store = stack.enter_context(open_store(settings))
        self.database: Database = store.database
        embedder: Embedder = RecentVectors(open_embedder(settings, say))
        model = AbsentModel()
        services = rail_services(lambda: embedder, lambda: model)
        self.content = list(sentences.prompts(chosen.prompts + 1, chosen.phrasings + 1))
        self._publish_first(chosen)
        matchers = FittedMatchers(fit_settings(settings), embedder, lambda *_: None)
        stack.callback(matchers.close)
        self.publisher = Publisher(settings, self.database, matchers, services)
        say("the first fit")
        began_s = time.perf_counter()
        self.live = Live(self.publisher.load())
        self.first_s = time.perf_counter() - began_s
        writer = DecisionWriter(self.database)
        stack.callback(writer.close)
        self.pipeline = ChatPipeline(
            live=self.live,
            model=model,
            decisions=DecisionLog(writer),
            admission=make_admission(LimitSettings(), model_places=8, model_waiting=8),
            answers=AnswerCache(entries=0, max_bytes=0, clock=time.monotonic),
            match_s=settings.limits.match_s,
            output_rails_s=settings.rails.stage_s,
            model_places=1,
        )
        self.desk = Desk(self.database, auditing_of(settings, self.database).trail, weakens=weakens, clock=_now)
        self.runs = GateRuns(self.database)
        self.changes = ChangeService(self.desk)
        self.reviews = ReviewService(self.desk, self.runs)
        self.publishing = PublishService(
            self.desk,
            self.runs,
            unservable=unservable_of(settings, services, embedder),
            still_holds=still_holds_of(Users(self.database)),
        )
        proving = Proving(Servable(settings, services, embedder, SANDBOX), matchers, model, embedder)
        self.gate = ChangeGate(self.desk, self.runs, proving, self.live)
        stack.callback(self.gate.close)

    def _publish_first(self, chosen: argparse.Namespace) -> None:
        prompts = tuple(_prompt(key, texts[:-1]) for key, texts in self.content[:-1])
        asked = sentences.questions(chosen.cases // 2, chosen.prompts)
        own = [(texts[0].upper(), key) for key, texts in self.content[: chosen.cases - len(asked)]]
        cases = [
            {"id": f"c{number}", "kind": "own", "message": text, "expect": "answer", "prompt": key}
            for number, (text, key) in enumerate((*asked, *own))
        ]
        suite = {"name": "desk", "title": "Desk", "assistant": "desk", "cases": cases}
        assistant = msgspec.convert(ASSISTANT, Assistant)
        bundle = Bundle(prompts, (assistant,), {"desk": POLICY}, {"desk": suite})
        publish_bundle(self.database, bundle, author="benchmark")

    def edits(self) -> list[Edit]:
        """Returns one phrasing more for some prompts, and a new prompt."""
        items = [Item(EditKind.PROMPT, key) for key, _ in self.content[:TOUCHED]]
        documents = self.desk.live.documents(items)
        edits = []
        for item, (_, texts) in zip(items, self.content, strict=False):
            before = documents[item]
            edits.append(Edit(*item, {**before, "phrasings": [*before["phrasings"], texts[-1]]}, hash_of(before)))
        key, texts = self.content[-1]
        new = msgspec.to_builtins(_prompt(key, texts[:-1]))
        return [*edits, Edit(EditKind.PROMPT, key, new)]


def _prompt(key: str, phrasings: list[str]) -> CanonicalPrompt:
    words = {"title": key, "area": "desk", "owner": "Desk", "language": "en", "review_by": "2027-06-30"}
    reply = {"mode": "verbatim", "answer": "Ask the desk, which has a form for it."}
    return msgspec.convert({"key": key, **words, "phrasings": phrasings, "reply": reply}, CanonicalPrompt)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
