"""Reads safetensors folders piece by piece: which file holds which weight, and where, without loading any.

Format: https://huggingface.co/docs/safetensors. Sizes are checked before anything of that size is read.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from models.errors import ModelRefused

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
MAX_HEADER_BYTES = 32 * 2**20
"""A model of 1,000 weights has some 0.1 MB."""
MAX_INDEX_BYTES = 32 * 2**20
LENGTH_BYTES = 8
METADATA = "__metadata__"

ELEMENT_BYTES: Mapping[str, int] = {"F16": 2, "BF16": 2, "F32": 4}
"""The kinds of numbers that weights to be merged may have."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: tuple[Annotated[int, Meta(ge=0, le=2**40)], ...]
    data_offsets: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]


class _Index(msgspec.Struct, frozen=True):
    weight_map: dict[str, str]


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight in its file."""

    name: str
    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    """Where its bytes begin, counted from the beginning of the file."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ShardedFolder:
    """A folder whose files hold exactly the weights that its index says."""

    path: Path
    shards: Mapping[str, tuple[Weight, ...]]
    """The weights of each file in the order of their bytes, by the file's name."""

    @property
    def weights(self) -> dict[str, Weight]:
        """All weights by name."""
        return {weight.name: weight for weights in self.shards.values() for weight in weights}

    @property
    def size_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(weight.size_bytes for weights in self.shards.values() for weight in weights)


def open_folder(path: Path) -> ShardedFolder:
    """Reads the index and the headers of a folder's files; raises `ModelRefused` when they do not agree."""
    if not path.is_dir():
        raise ModelRefused(f"{path} is not a folder; name the folder that holds the safetensors files")
    if (path / INDEX).is_file():
        placed = _read_index(path / INDEX)
    elif (path / SINGLE).is_file():
        placed = None
    else:
        raise ModelRefused(
            f"{path} has neither {INDEX} nor {SINGLE}. Files named pytorch_model.bin can run code when they are read: "
            "have them converted to safetensors first."
        )
    names = sorted(set(placed.values())) if placed is not None else [SINGLE]
    shards = {name: read_shard(path / name) for name in names}
    found = {weight.name: name for name, weights in shards.items() for weight in weights}
    if len(found) != sum(len(weights) for weights in shards.values()):
        raise ModelRefused(f"{path} holds a weight in two of its files")
    if placed is not None and placed != found:
        odd = min(set(placed.items()) ^ set(found.items()))[0]
        raise ModelRefused(f"{path / INDEX} and the files do not agree about {odd}; fetch the folder again")
    return ShardedFolder(path, shards)


def read_shard(path: Path) -> tuple[Weight, ...]:
    """Reads a file's header; raises `ModelRefused` unless its weights fill the file without gap or overlap."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(LENGTH_BYTES), "little")
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - LENGTH_BYTES):  # noqa: PLR2004 - an empty object
                raise ModelRefused(f"{path} is no safetensors file, or was cut short; fetch it again")
            entries = msgspec.json.decode(file.read(length), type=dict[str, msgspec.Raw])
            decoded = {name: _entry(raw) for name, raw in entries.items() if name != METADATA}
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelRefused(f"{path} is no safetensors file: {error}") from error
    begin = LENGTH_BYTES + length
    weights = [_weight(path, name, entry, begin) for name, entry in decoded.items()]
    weights.sort(key=lambda weight: (weight.begin, weight.size_bytes))
    end = begin
    for weight in weights:
        if weight.begin != end:
            raise ModelRefused(f"{path}: the bytes of {weight.name} do not follow those before them; fetch it again")
        end += weight.size_bytes
    if end != size:
        raise ModelRefused(f"{path} has {size} bytes where its weights make {end}; fetch it again")
    return tuple(weights)


def shard_header(weights: tuple[Weight, ...]) -> bytes:
    """Returns the header of a file that holds these weights in this order; their numbers follow it."""
    entries: dict[str, object] = {METADATA: {"format": "pt"}}
    at = 0
    for weight in weights:
        entries[weight.name] = _Entry(weight.dtype, weight.shape, (at, at + weight.size_bytes))
        at += weight.size_bytes
    encoded = msgspec.json.encode(entries)
    encoded += b" " * (-len(encoded) % 8)
    return len(encoded).to_bytes(LENGTH_BYTES, "little") + encoded


def _read_index(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > MAX_INDEX_BYTES:
            raise ModelRefused(f"{path} is too large for an index")
        index = msgspec.json.decode(path.read_bytes(), type=_Index)
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelRefused(f"{path} is not an index: {error}") from error
    for name in set(index.weight_map.values()):
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ModelRefused(f"{path} names a file outside its folder, or no safetensors file: {name!r}")
    if not index.weight_map:
        raise ModelRefused(f"{path} names no weights")
    return index.weight_map


def _entry(raw: msgspec.Raw) -> _Entry:
    return msgspec.json.decode(raw, type=_Entry)


def _weight(path: Path, name: str, entry: _Entry, begin: int) -> Weight:
    size = ELEMENT_BYTES.get(entry.dtype)
    if size is None:
        raise ModelRefused(f"{path}: {name} is {entry.dtype}; weights are {', '.join(ELEMENT_BYTES)}")
    count = math.prod(entry.shape) * size
    if entry.data_offsets[1] - entry.data_offsets[0] != count:
        raise ModelRefused(f"{path}: {name} has other bytes than its shape {entry.shape} takes; fetch it again")
    return Weight(name, path, entry.dtype, entry.shape, begin + entry.data_offsets[0], count)
