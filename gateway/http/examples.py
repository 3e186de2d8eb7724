"""Examples for the API's description: some whole, the rest made from the schemas and the names of their fields."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_ID: Final = "0198c7a4-6f1e-7c9a-9d52-3f6a1c2b7e10"
_HASH: Final = "5d41402abc4b2a76b9719d911017c592ae3f0c1d2b4a69788796a5b4c3d2e1f0"
_AT: Final = "2026-11-29T09:00:00Z"
_ANSWER: Final = "Open https://portal.tarnwick.example/password and choose 'Forgot password'."
_CHAT: Final = [{"role": "user", "content": "I forgot my password"}]

_DECIDED: Final[Mapping[str, Any]] = {
    "outcome": "answered",
    "source": "generate",
    "prompt": {"id": "it.password-reset", "version": 1, "title": "Reset a forgotten password"},
    "suggestions": [],
    "slot": None,
    "contact": None,
    "has_quoted_text": False,
    "policy_version": "helpdesk@1",
    "store_revision": 1,
    "reference": _ID,
}

WHOLE: Final[Mapping[str, Any]] = {
    "ChatRequest": {"assistant": "helpdesk", "message": "I forgot my password", "conversation": "c-7"},
    "ChatCompletionRequest": {"model": "helpdesk", "messages": _CHAT},
    "CheckRequest": {"assistant": "helpdesk", "stage": "output", "text": "It opens at 7.", "facts": "It opens at 7."},
    "NemoCheckRequest": {"model": "helpdesk", "messages": _CHAT},
    "FeedbackRequest": {"decision": _ID, "verdict": "down", "reasons": ["incomplete"]},
    "UsageReply": {"prompt_tokens": 61, "completion_tokens": 38, "total_tokens": 99},
    "PromptReply": {"id": "it.password-reset", "version": 1, "title": "Reset a forgotten password"},
    "MessageReply": {"role": "assistant", "content": _ANSWER, "refusal": None},
    "ChoiceReply": {
        "index": 0,
        "message": {"role": "assistant", "content": _ANSWER, "refusal": None},
        "finish_reason": "stop",
        "logprobs": None,
    },
    "ChunkReply": {
        "id": f"chatcmpl-{_ID}",
        "object": "chat.completion.chunk",
        "created": 1796029200,
        "model": "helpdesk",
        "choices": [{"index": 0, "delta": {"content": _ANSWER}}],
    },
    "SuggestionReply": {"id": "it.password-change", "title": "Change a password you still know"},
    "SlotReply": {
        "name": "site",
        "type": "enum",
        "ask": "Which office do you mean?",
        "is_invalid": False,
        "values": ["Leeds", "Lisbon"],
    },
    "ContactReply": {
        "name": "People Team",
        "email": "people@tarnwick.example",
        "phone": "4200",
        "url": "",
        "hours": "09:00 to 17:00",
    },
    "ChatReply": {
        "id": _ID,
        "text": _ANSWER,
        "usage": {"prompt_tokens": 61, "completion_tokens": 38, "total_tokens": 99},
        **_DECIDED,
    },
    "ExtensionReply": {"decision": _ID, **_DECIDED},
    "ItemReply": {"kind": "prompt", "name": "it.password-reset"},
    "ReadyReply": {"status": "ready", "degraded": False, "parts": {"model": {"state": "ready", "reason": ""}}},
    "BlockedReply": {"outcome": "blocked_output"},
    "PurgeReply": {"person": "employee-7", "counts": {"decisions": 12, "feedback": 1, "questions": 3}},
}
"""By the name of the struct."""

_TEXTS: Final[Mapping[str, str]] = {
    "id": _ID,
    "decision": _ID,
    "change": _ID,
    "reference": _ID,
    "request_id": _ID,
    "text": _ANSWER,
    "content": _ANSWER,
    "answer": _ANSWER,
    "message": "I forgot my password",
    "phrasing": "I forgot my password",
    "title": "Reset a forgotten password",
    "assistant": "helpdesk",
    "model": "helpdesk",
    "prompt": "it.password-reset",
    "prompt_key": "it.password-reset",
    "key": "it.password-reset",
    "name": "Ada",
    "user": "employee-7",
    "person": "user:ada",
    "actor": "user:ada",
    "owner": "IT Service Desk",
    "area": "it",
    "language": "en",
    "policy": "helpdesk",
    "policy_version": "helpdesk@1",
    "source": "generate",
    "conversation": "c-7",
    "mail": "ada@tarnwick.example",
    "email": "people@tarnwick.example",
    "phone": "4200",
    "url": "https://portal.tarnwick.example",
    "address": "otpauth://totp/canongate:ada?secret=JBSWY3DPEHPK3PXP",
    "secret": "JBSWY3DPEHPK3PXP",
    "token": "cg_7Kq2mZ9x_…",
    "password": "nine patient otters",
    "old": "nine patient otters",
    "new": "eleven quiet herons",
    "code": "492817",
    "csrf": "q3Z0cmVlLXRva2Vu",
    "author": "user:ada",
    "approved_by": "user:bo",
    "scheduled_by": "user:bo",
    "published_by": "user:bo",
    "started_by": "user:ada",
    "decided_by": "user:ada",
    "schedule_problem": "",
    "problem": "",
    "problems": "phrasings: at least one is needed.",
    "field": "reply.facts",
    "principal": "7Kq2mZ9x",
    "client": "hr-portal",
    "phase": "suites",
    "label": "I forgot my password",
    "note": "The link is valid for 15 minutes now.",
    "reason": "The link is wrong.",
    "comment": "The link is wrong.",
    "better": "The link is valid for 15 minutes.",
    "wording": "How do I reset my password?",
    "greeting": "Hello. Ask about IT, HR, offices or security.",
    "hash": _HASH,
    "content_hash": _HASH,
    "prompt_sha256": _HASH,
    "sent_sha256": _HASH,
    "model_sha256": _HASH,
    "review_by": "2027-06-30",
    "owned_by": "canongate",
    "agent": "Firefox on Linux",
    "action": "change.approved",
    "target": f"change {_ID}",
    "rail": "grounding",
    "method": "nearest",
    "duration": "12 ms",
    "next": "40",
    "config_id": "helpdesk",
    "suite": "helpdesk",
}
"""By the name of the field."""
_TIMES: Final = re.compile(r"(^|_)(at|until|seen|since)$")
_OTHERS: Final = ("it.password-reset", "it", "en", _ID, _AT, "2027-06-30", "Reset a forgotten password", "x" * 12)
_NUMBERS: Final[Mapping[str, float]] = {
    "score": 0.93,
    "similarity": 0.93,
    "margin": 0.21,
    "rate": 0.87,
    "coverage": 0.91,
}
_FREE: Final[Mapping[str, Any]] = {"document": {"key": "it.password-reset", "title": "Reset a forgotten password"}}
_MOST_DEEP: Final = 12


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """Returns a value that a schema describes; of objects the fields that must be there."""
    if depth > _MOST_DEEP:
        return None
    if "$ref" in schema:
        return example_of_struct(str(schema["$ref"]).rpartition("/")[2], schemas, depth + 1, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        chosen = next((one for one in choices if one.get("type") != "null"), choices[0])
        return example_of(chosen, schemas, name, depth + 1)
    made: Any = _FREE.get(name)
    match schema.get("type"):
        case "object":
            made = _object(schema, schemas, depth) or made or {}
        case "array":
            item = example_of(schema.get("items", {}), schemas, _one_of(name), depth + 1)
            made = [item] * max(1, schema.get("minItems", 1))
        case "string":
            made = _text(schema, name)
        case "integer" | "number" as kind:
            made = _number(schema, name, kind)
        case "boolean":
            made = False
    return made


def example_of_struct(struct: str, schemas: Mapping[str, Any], depth: int = 0, name: str = "") -> Any:
    """Returns the example of a struct: the whole one above, or one made from its schema."""
    return WHOLE[struct] if struct in WHOLE else example_of(schemas[struct], schemas, name, depth)


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> dict[str, Any]:
    fields: Mapping[str, Any] = schema.get("properties", {})
    wanted: Sequence[str] = schema.get("required") or list(fields)[:1]
    made = {name: example_of(fields[name], schemas, name, depth + 1) for name in wanted}
    more = schema.get("additionalProperties")
    if not fields and isinstance(more, dict) and more:
        made["site" if more.get("type") == "string" else "match"] = example_of(more, schemas, "", depth + 1)
    return made


def _text(schema: Mapping[str, Any], name: str) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    pattern = re.compile(schema.get("pattern", ""))
    wanted = {"uuid": _ID, "date": "2027-06-30", "date-time": _AT}.get(schema.get("format", ""))
    named = _AT if _TIMES.search(name) else _TEXTS.get(name, name.replace("_", " ") or "text")
    for one in (wanted, named, *_OTHERS):
        if one is not None and least <= len(one) <= most and pattern.search(one):
            return one
    return named  # which a test of the description names: add a text for the field above


def _number(schema: Mapping[str, Any], name: str, kind: str) -> float:
    if kind == "number" and "minimum" not in schema:
        return _NUMBERS.get(name, 1.5)
    return int(schema.get("minimum", 1)) or 1


def _one_of(name: str) -> str:
    """Returns the name of one of what a list is named for."""
    return name.removesuffix("s") if name.endswith("s") and not name.endswith("ss") else name
