"""What fuzzing starts from, and what it once found: small inputs that we wrote, by target."""

from functools import cache
from pathlib import Path

import numpy as np
import yaml

from store.snapshot import Snapshot
from tests.models.files.gguf_bytes import EMBEDDING, LAYERS, WEIGHTS, f32, gguf, llama, string, tensor, u32

HERE = Path(__file__).parent
POLICY = HERE.parents[1] / "examples" / "helpdesk" / "policies" / "helpdesk.yaml"
FINGERPRINT = "an embedder"
DIMENSION = 4
PROMPT = {
    "key": "it.move",
    "title": "Move",
    "area": "it",
    "owner": "IT",
    "language": "en",
    "review_by": "2027-01-01",
    "phrasings": ["move {count} desks"],
    "slots": [
        {
            "type": "enum",
            "name": "site",
            "ask": "Where?",
            "values": [{"value": "Leeds", "also": ["LS1", "north leeds"]}, {"value": "Łódź"}, {"value": "O'Neill's"}],
        },
        {"type": "integer", "name": "count", "ask": "How many?", "minimum": -5, "maximum": 100000},
        {"type": "date", "name": "day", "ask": "When?"},
        {"type": "pattern", "name": "ticket", "ask": "Which?", "pattern": "(INC|REQ)-[0-9]{4,6}"},
        {"type": "short_text", "name": "person", "ask": "Who?"},
        {"type": "quoted_text", "name": "note", "ask": "What?"},
    ],
    "reply": {
        "mode": "generate",
        "prompt": "Say {site} {count} {day} {ticket} {person} {note}.",
        "facts": "Desks are moved.",
        "fallback": "Call IT.",
    },
}
_MESSAGES = (
    "I forgot my password",
    "  two\r\n\r\n\r\nlines\u2028and\u00a0spaces\t",
    "\uff26\uff55\uff4c\uff4c \uff57\uff49\uff44\uff54\uff48 \ufb01sh \u2460 \u00bd",
    "p\u0430ypal",
    "zero\u200bwidth \u202eoverride \U000e0041tag",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u0915\u094d\u0937 \u0627\u0644\u0633\u0644\u0627\u0645",
    "\ufdfa" * 20,
    "e\u0301 \u1e9b\u0323 \u0344 \u2126 \uac00 \u1100\u1161",
)
_SENTENCES = (
    ("a", "move 12 desks to Leeds on 24 December", ""),
    ("b", "1,000 or 1'000 from 3/4/2027 until tomorrow, INC-4481 (REQ-123456)", "2027-02-29"),
    ("c", "next friday at north leeds, it's for O\u2019Neill's -5", "Ada Lovelace-King, Jr."),
    ("d", "31.12.2026 1st of may 24/12", "{count} <|im_end|> [INST]"),
    ("e", "\u0661\u0662\u0663 \u00bd 10% 1.5 -0 007", "\u2018quoted\u2019 text"),
)


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Returns the inputs of a target, those that were found last."""
    written = {
        "canonicalizer": tuple(text.encode() for text in _MESSAGES),
        "slots": tuple("\0".join(parts).encode() for parts in _SENTENCES),
        "index_file": tuple(bytes([mode]) + file for mode in (0, 1) for file in _index_files()),
        "gguf_header": tuple(_gguf_files()),
        "policy": tuple(_policies()),
    }[name]
    return (*written, *(bytes.fromhex(one) for one in _found().get(name, ())))


def _index_files() -> list[bytes]:
    chance = np.random.default_rng(1)
    files = []
    for sentences, cells in ((0, 0), (1, 0), (3, 2)):
        snapshot = Snapshot(
            fingerprint=FINGERPRINT,
            dimension=DIMENSION,
            revision=7,
            content_hash="ab" * 32,
            digests=chance.integers(0, 256, (sentences, 32), dtype=np.uint8),
            vectors=chance.random((sentences, DIMENSION), dtype=np.float32),
            assigned=np.zeros(sentences, dtype=np.int32),
            centres=chance.random((cells, DIMENSION), dtype=np.float32),
        )
        files.append(b"".join(snapshot.parts()))
    return files


def _gguf_files() -> list[bytes]:
    adapter = [
        ("general.architecture", string("llama")),
        ("general.type", string("adapter")),
        ("adapter.type", string("lora")),
        ("adapter.lora.alpha", f32(16.0)),
    ]
    pair = (tensor("blk.0.attn_q.weight.lora_a", (8, 2), 0), tensor("blk.0.attn_q.weight.lora_b", (2, 8), 64))
    return [
        gguf(llama(), (EMBEDDING, *LAYERS), WEIGHTS),
        gguf(llama(), (EMBEDDING, *LAYERS), WEIGHTS, version=2),
        gguf([*llama(), ("general.alignment", u32(8))], (EMBEDDING, *LAYERS), WEIGHTS, alignment=8),
        gguf(adapter, pair, bytes(128)),
        gguf(llama(llama__block_count=None)),
    ]


def _policies() -> list[bytes]:
    """The example, and of each of its rails and fields a policy that has not much else."""
    whole = yaml.safe_load(POLICY.read_text())
    small = {"name": "one", "input": [{"rail": "hidden"}], "output": [{"rail": "markup"}], "refusals": {}}
    found = [whole]
    for stage in ("input", "output"):
        for rail in whole[stage]:
            refusals = {"en": {"default": "No.", rail["rail"]: "No."}}
            found.append({**small, stage: [rail], "refusals": refusals})
    found += [{**small, name: value} for name, value in whole.items()]
    return [yaml.safe_dump(one, sort_keys=False, allow_unicode=True).encode() for one in found]


def _found() -> dict[str, list[str]]:
    """Inputs in hexadecimal that broke what they should not."""
    found: dict[str, list[str]] = yaml.safe_load((HERE / "found.yaml").read_text()) or {}
    return found
