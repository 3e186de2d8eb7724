"""Small content and a small embedder for the store's tests."""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence

import msgspec
import numpy as np

from store.content import Assistant, AssistantTexts, CanonicalPrompt, PromptVersion
from store.formats.bundle import Bundle
from store.plain import canonical_hash

DIMENSION = 64
TODAY = dt.date(2026, 11, 25)  # a Wednesday
AT = dt.datetime(2026, 11, 25, 9, 30, 15, 123456, tzinfo=dt.UTC)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Hashes words into a vector of length 1: the same words are the same vector, shared words are near."""
    vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.lower()) or ["?"]:
            vectors[row, int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % DIMENSION] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def prompt(key: str = "it.vpn", **changes: object) -> CanonicalPrompt:
    document = {
        "key": key,
        "title": f"About {key}",
        "area": key.partition(".")[0],
        "owner": "Service Desk",
        "language": "en",
        "review_by": "2027-06-30",
        "phrasings": [f"tell me about {key}"],
        "reply": {"mode": "generate", "prompt": "Explain it.", "facts": "It works.", "fallback": "It works."},
    }
    return msgspec.convert(document | changes, CanonicalPrompt)


def version(key: str = "it.vpn", **changes: object) -> PromptVersion:
    content = prompt(key, **changes)
    return PromptVersion(1, content, canonical_hash(content))


def assistant(name: str = "desk", **changes: object) -> Assistant:
    texts = AssistantTexts(no_match="No.", clarify="Which?", withheld="Withheld.")
    whole = Assistant(
        name=name,
        title="Desk",
        greeting="Hello",
        areas=("it",),
        policy="plain",
        instructions="Be brief.",
        languages=("en",),
        texts=texts,
    )
    return msgspec.structs.replace(whole, **changes)


def bundle(*prompts: CanonicalPrompt, **changes: object) -> Bundle:
    parts = {"assistants": (assistant(),), "policies": {"plain": {"name": "plain", "input": [], "limit": 0.5}}}
    return Bundle(prompts=prompts or (prompt(),), **(parts | changes))
