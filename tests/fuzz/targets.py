"""What is fuzzed: five readers of foreign bytes, each with what must hold whatever the bytes are.

A target returns when the bytes were read or refused as they should be; everything else is a finding. None of them knows
of the fuzzer: the same functions run in the tests.
"""

import datetime as dt
import io
import os
import struct
import tempfile
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec

from gateway.canonicalize import MAX_CHARS, CanonicalMessage, RefusedMessage, canonicalize
from gateway.errors import InvalidRequest
from models.errors import ModelRefused
from models.files.gguf import read_adapter_header, read_header
from rails.checks import hidden
from rails.errors import PolicyInvalid
from rails.policy import load_policy
from store.content import CanonicalPrompt
from store.errors import IndexUnusable, InvalidContent
from store.formats.documents import parse_yaml
from store.matches import SlotsFilled
from store.slot_values import accept_value
from store.slots import fill_slots, value_within
from store.snapshot import read_snapshot
from tests.fuzz.seeds import DIMENSION, FINGERPRINT, PROMPT

TODAY = dt.date(2026, 11, 29)
INDEX_HEADER = struct.Struct("<8sHIIIQ32s32s32s")
ASKED = msgspec.convert(PROMPT, CanonicalPrompt)


def canonicalizer(data: bytes) -> None:
    """One form, which is its own form: embedder, rails and record see the same text."""
    try:
        message = canonicalize(data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "ignore"))
    except (InvalidRequest, UnicodeDecodeError):
        return
    if isinstance(message, RefusedMessage):
        assert message.reason.startswith("hidden."), message.reason
        return
    text = message.text
    assert 0 < len(text) <= MAX_CHARS
    assert text == text.strip()
    assert unicodedata.is_normalized("NFKC", text)
    assert hidden.find(text) is None
    assert canonicalize(text) == CanonicalMessage(text, len(text))


def slots(data: bytes) -> None:
    """A value is of its slot's type, and is accepted again as what it is; none carries a marker of a model's."""
    chosen, _, rest = data.partition(b"\0")
    message, _, given = (part.decode("utf-8", "ignore") for part in rest.partition(b"\0"))
    names = [slot.name for slot in ASKED.slots]
    name = names[sum(chosen) % len(names)]
    sent = {name: given} if given else {}
    captured = {name: message[: len(message) // 2]} if chosen[:1] == b"c" else {}
    result = fill_slots(ASKED, message, captured=captured, given=sent, today=TODAY)
    found = list(result.values if isinstance(result, SlotsFilled) else result.known)
    found += [value for slot in ASKED.slots if (value := value_within(slot, message, TODAY))]
    for value in found:
        assert accept_value(value.slot, value.text, TODAY) == value, value
        assert not any(
            mark in value.text.casefold() for mark in ("{", "}", "<|", "|>", "[inst]", "[/inst]", "<s>", "###")
        ), value


def index_file(data: bytes) -> None:
    """What is read is byte for byte what was written; with an odd first byte the fuzzer may also forge the hashes."""
    data = _forged(data[1:]) if data[:1] and data[0] % 2 else data[1:]
    try:
        snapshot = read_snapshot(io.BytesIO(data), len(data), fingerprint=FINGERPRINT, dimension=DIMENSION)
    except IndexUnusable:
        return
    assert b"".join(snapshot.parts()) == data
    assert snapshot.vectors.shape == (len(snapshot.digests), DIMENSION)


def _forged(data: bytes) -> bytes:
    size = INDEX_HEADER.size
    if len(data) < size + 32:
        return data
    payload = data[size + 32 :]
    header = data[: size - 32] + sha256(payload).digest()
    return header + sha256(header).digest() + payload


def gguf_header(data: bytes) -> None:
    """Every tensor of what is read lies inside the file."""
    path = as_file(data)
    try:
        header = read_header(path)
    except ModelRefused:
        pass
    else:
        assert header.header_bytes + header.weight_bytes <= header.file_bytes == len(data)
        assert len(header.kv_heads) == len(header.layer_bytes) == header.layers
        assert header.output_bytes >= 0
    try:
        read_adapter_header(path)
    except ModelRefused:
        return


_FILE = tempfile.NamedTemporaryFile(prefix="fuzz-", suffix=".gguf", dir="/dev/shm")  # noqa: SIM115 - as long as we run


def as_file(data: bytes) -> Path:
    _FILE.seek(0)
    _FILE.truncate()
    _FILE.write(data)
    _FILE.flush()
    os.fsync(_FILE.fileno())
    return Path(_FILE.name)


def policy(data: bytes) -> None:
    """A policy is read or refused, and what is read has what its text says."""
    try:
        mapping = parse_yaml(data)
        document = load_policy(mapping)
    except (InvalidContent, PolicyInvalid):
        return
    assert document.name == mapping["name"]
    assert len(document.input) == len(mapping["input"]) > 0
    assert len(document.output) == len(mapping["output"]) > 0


TARGETS: dict[str, Callable[[bytes], None]] = {
    "canonicalizer": canonicalizer,
    "slots": slots,
    "index_file": index_file,
    "gguf_header": gguf_header,
    "policy": policy,
}
