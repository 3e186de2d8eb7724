"""Decisions for tests, and a log that records them."""

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from gateway.decisions import DecisionLog
from store.types import Decision, Outcome, Recorded
from tests.building import MemoryDecisions


def decision(number: int = 1, **changes) -> Decision:
    fields = {
        "id": f"id-{number}",
        "at": dt.datetime(2026, 11, 25, 9, 0, number % 60, tzinfo=dt.UTC),
        "assistant": "desk",
        "principal": "caller01",
        "conversation": "talk",
        "outcome": Outcome.ANSWERED,
        "source": "generate",
        "message_chars": 20,
        "prompt_key": f"it.number-{number}",
        "prompt_version": 1,
        "prompt_sha256": "a" * 64,
        "slots": {"site": "Leeds"},
        "needs_slot": None,
        "has_quoted_text": False,
        "score": 1.0,
        "margin": None,
        "method": "exact",
        "gate": "exact_phrase",
        "rails": (
            {"name": "length", "stage": "input", "status": "passed", "duration_ms": 0.1},
            {"name": "secrets", "stage": "input", "status": "blocked", "duration_ms": 0.1},
        ),
        "timings_ms": {"total": 1.0},
        "store_revision": 1,
        "matcher": None,
        "policy": "desk",
        "policy_revision": 3,
        "model_sha256": None,
        "sent_sha256": None,
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }
    return Decision(**(fields | changes))


def record(log: DecisionLog, *numbers: int) -> None:
    for number in numbers:
        anyio.run(log.record, decision(number))


def ids(store: MemoryDecisions) -> list[str]:
    return [row.id for row in store.rows]


@dataclass
class Held(MemoryDecisions):
    """A database that takes nothing until it is let go."""

    go: threading.Event = field(default_factory=threading.Event)

    def add_all(self, rows: Sequence[Recorded]) -> None:
        self.go.wait(60)
        super().add_all(rows)
