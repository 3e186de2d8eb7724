"""Decisions about messages."""

import dataclasses
import datetime as dt
from itertools import count

from store.repositories.decisions import Decisions
from store.types import Decision, Outcome
from tests.administration import AdminWorld
from tests.samples.registry import body, sample

_NUMBERS = count(1)


def decision(admin: AdminWorld, assistant: str) -> str:
    made = f"0190dec0-{assistant}-{next(_NUMBERS)}"
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {
        "id": made,
        "at": dt.datetime(2026, 11, 29, 8, tzinfo=dt.UTC),
        "assistant": assistant,
        "principal": "caller",
        "outcome": Outcome.ANSWERED,
        "source": "generate",
        "message_chars": 5,
        "slots": {},
        "has_quoted_text": False,
        "rails": (),
        "timings_ms": {},
        "store_revision": 1,
        "policy": "p",
        "policy_revision": 1,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "failed": False,
    }
    Decisions(admin.database).add(Decision(**fields))
    return made


sample("decision_id", decision)
body("POST /v1/admin/decisions/{decision_id:str}/reveal", {"reason": "quality"})
body("POST /v1/admin/purges", {"user": "somebody"})
