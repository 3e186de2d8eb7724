"""Writes GGUF files by hand, sound ones and broken ones."""

import struct
from pathlib import Path

U32, F32, BOOL, STRING, ARRAY, U64 = 4, 6, 7, 8, 9, 10


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def string(value):
    return struct.pack("<I", STRING) + text(value)


def u32(value):
    return struct.pack("<II", U32, value)


def f32(value):
    return struct.pack("<If", F32, value)


def array(kind, packed, count):
    return struct.pack("<IIQ", ARRAY, kind, count) + packed


def strings(values):
    return array(STRING, b"".join(text(value) for value in values), len(values))


def tensor(name, shape, offset, kind=0):
    dimensions = struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", size) for size in shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)


def gguf(values, tensors=(), data=b"", *, version=3, magic=b"GGUF", keys=None, count=None, alignment=32):
    """Returns a file; `values` are pairs of a key and a packed value."""
    head = magic + struct.pack("<IQQ", version, len(tensors) if count is None else count, keys or len(values))
    head += b"".join(text(key) + packed for key, packed in values) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + data


def llama(**changed):
    """Returns the keys of a tiny llama; None takes one away."""
    values = {
        "general.architecture": string("llama"),
        "llama.block_count": u32(2),
        "llama.context_length": u32(64),
        "llama.embedding_length": u32(8),
        "llama.feed_forward_length": u32(16),
        "llama.attention.head_count": u32(4),
        "llama.attention.head_count_kv": u32(2),
        "tokenizer.ggml.tokens": strings(["a", "b", "c"]),
    }
    values |= {key.replace("__", "."): packed for key, packed in changed.items()}
    return [(key, packed) for key, packed in values.items() if packed is not None]


EMBEDDING = tensor("token_embd.weight", (8, 3), 0)
"""96 bytes."""
LAYERS = (tensor("blk.0.attn_q.weight", (8, 2), 96), tensor("blk.1.attn_q.weight", (8, 2), 160))
"""64 bytes each."""
WEIGHTS = bytes(224)


def small_model(path: Path, **changed) -> Path:
    """Writes a file that has the header of a language model, and zeros for weights."""
    path.write_bytes(gguf(llama(**changed), (EMBEDDING, *LAYERS), WEIGHTS))
    return path
