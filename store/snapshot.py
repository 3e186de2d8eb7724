"""Vectors on disk: a cache of the database that is believed only when every byte of it is verified."""

import os
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.errors import IndexUnusable, StoreUnavailable

Vectors = NDArray[np.float32]

_MAGIC = b"CANONIDX"
_FORMAT = 1
_HEADER = struct.Struct("<8sHIIQ32s32s32s")
"""Magic, format, dimension, count, revision, hash of the fingerprint, content hash, hash of the payload."""
_HASH_BYTES = 32
_MAX_BYTES = 4 * 2**30
"""More than a million vectors; a larger file is not one of ours."""
_KEPT = 2
"""Generations on disk: the newest, and the one before it should the newest be damaged."""
_NAME = "index-{:012d}.bin"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The vectors of a published state, by the hash of the text that each was made from."""

    fingerprint: str
    dimension: int
    revision: int
    content_hash: str
    vectors: Mapping[bytes, Vectors]

    def encode(self) -> bytes:
        """Returns the file form: header, hash of the header, hashes of the texts, vectors (little endian float32)."""
        texts = b"".join(self.vectors)
        rows = np.stack(list(self.vectors.values())) if self.vectors else np.empty((0, self.dimension), np.float32)
        payload = texts + rows.astype("<f4").tobytes()
        header = _HEADER.pack(
            _MAGIC,
            _FORMAT,
            self.dimension,
            len(self.vectors),
            self.revision,
            sha256(self.fingerprint.encode()).digest(),
            bytes.fromhex(self.content_hash),
            sha256(payload).digest(),
        )
        return header + sha256(header).digest() + payload


def decode_snapshot(data: bytes, *, fingerprint: str, dimension: int) -> Snapshot:
    """Reads a file form back. Raises `IndexUnusable` on any doubt, before a single vector is looked at."""
    start = _HEADER.size + _HASH_BYTES
    header = data[: _HEADER.size]
    if len(data) < start or sha256(header).digest() != data[_HEADER.size : start]:
        raise IndexUnusable("the index file's header is damaged")
    magic, version, found_dimension, count, revision, made_with, content, payload_hash = _HEADER.unpack(header)
    if magic != _MAGIC or version != _FORMAT:
        raise IndexUnusable("the index file has another format")
    if made_with != sha256(fingerprint.encode()).digest() or found_dimension != dimension:
        raise IndexUnusable("the index file was made with another embedder")
    payload = memoryview(data)[start:]
    if len(payload) != count * (_HASH_BYTES + 4 * dimension) or sha256(payload).digest() != payload_hash:
        raise IndexUnusable("the index file's payload is damaged")
    rows = np.frombuffer(payload[count * _HASH_BYTES :], dtype="<f4").reshape(count, dimension).astype(np.float32)
    texts = [bytes(payload[place * _HASH_BYTES : (place + 1) * _HASH_BYTES]) for place in range(count)]
    return Snapshot(fingerprint, dimension, revision, content.hex(), dict(zip(texts, rows, strict=True)))


class SnapshotFolder:
    """The index files of one data folder; a write is complete or absent, also after kill -9."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, *, fingerprint: str, dimension: int) -> Snapshot | None:
        """Returns the newest snapshot that is whole and of this embedder; None when there is none."""
        for path in reversed(self._generations()):
            with suppress(IndexUnusable, OSError):
                return decode_snapshot(_read(path), fingerprint=fingerprint, dimension=dimension)
        return None

    def write(self, snapshot: Snapshot) -> Path:
        """Writes the next generation, then drops strays and all but two generations. Raises `StoreUnavailable`."""
        data = snapshot.encode()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            generations = self._generations()
            number = 1 + (int(generations[-1].stem.removeprefix("index-")) if generations else 0)
            path = self._folder / _NAME.format(number)
            _drop(self._folder.glob("index-*.tmp"))
            _write_durably(path, data)
            _drop(self._generations()[:-_KEPT])
        except OSError as error:
            raise StoreUnavailable(f"the index cannot be kept in {self._folder}: {error.strerror}") from error
        return path

    def _generations(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("index-*.bin") if path.stem.removeprefix("index-").isdigit())


def _drop(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise IndexUnusable("the index file is too large")
        return file.read(_MAX_BYTES)


def _write_durably(path: Path, data: bytes) -> None:
    """Temporary file, fsync, rename, fsync of the folder: after a crash the name holds all of it or is not there."""
    temporary = path.with_name(f"{path.stem}-{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
