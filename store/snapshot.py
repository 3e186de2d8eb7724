"""Vectors on disk: a cache of the database that is believed only when every byte of it is verified."""

import logging
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from store.errors import IndexUnusable, StoreUnavailable

Vectors = NDArray[np.float32]
Digests = NDArray[np.uint8]

_MAGIC = b"CANONIDX"
_FORMAT = 2
_HEADER = struct.Struct("<8sHIIIQ32s32s32s")
"""Magic, format, dimension, sentences, cells, revision, hash of the fingerprint, content hash, hash of the payload."""
_HASH_BYTES = 32
_MAX_BYTES = 16 * 2**30
"""Some ten million sentences; a larger file is not one of ours."""
_PIECE = 8 * 2**20
_KEPT = 2
"""Generations on disk: the newest, and the one before it should the newest be damaged."""
_NAME = "index-{:012d}.bin"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The vectors of a published state, by the hash of the text that each was made from. Its arrays are read-only."""

    fingerprint: str
    dimension: int
    revision: int
    content_hash: str
    digests: Digests
    """(sentences, 32): SHA-256 of each text."""
    vectors: Vectors
    """(sentences, dimension), in the same order."""
    assigned: NDArray[np.int32]
    """(sentences,): the cell that each vector lies in; -1 for none."""
    centres: Vectors
    """(cells, dimension): what large areas are divided by; no rows when nothing was large."""

    def find(self, digests: Digests) -> NDArray[np.int64]:
        """Returns where the vectors of these texts are; -1 for a text that is not there."""
        if np.array_equal(digests, self.digests):
            return np.arange(len(digests), dtype=np.int64)
        known, wanted = _short(self.digests), _short(digests)
        if not len(known):
            return np.full(len(digests), -1, dtype=np.int64)
        order = np.argsort(known, kind="stable")
        places = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)]
        # The first eight bytes find a text; all of them must agree.
        return np.where((self.digests[places] == digests).all(axis=1), places, -1)

    def parts(self) -> tuple[memoryview, ...]:
        """Returns the file form in the pieces in which it is written: the arrays are not copied. Little endian."""
        arrays = (
            np.ascontiguousarray(self.digests),
            np.ascontiguousarray(self.assigned, dtype="<i4"),
            np.ascontiguousarray(self.centres, dtype="<f4"),
            np.ascontiguousarray(self.vectors, dtype="<f4"),
        )
        payload = tuple(array.data.cast("B") for array in arrays if array.size)
        header = _HEADER.pack(
            _MAGIC,
            _FORMAT,
            self.dimension,
            len(self.digests),
            len(self.centres),
            self.revision,
            sha256(self.fingerprint.encode()).digest(),
            bytes.fromhex(self.content_hash),
            _hash(payload),
        )
        return (memoryview(header), memoryview(sha256(header).digest()), *payload)


def read_snapshot(file: BinaryIO, size: int, *, fingerprint: str, dimension: int) -> Snapshot:
    """Reads a file form of `size` bytes. Raises `IndexUnusable` on any doubt; what is read is held once in memory."""
    header, header_hash = file.read(_HEADER.size), file.read(_HASH_BYTES)
    if len(header) < _HEADER.size or sha256(header).digest() != header_hash:
        raise IndexUnusable("the index file's header is damaged")
    magic, version, found_dimension, count, cells, revision, made_with, content, payload_hash = _HEADER.unpack(header)
    if magic != _MAGIC or version != _FORMAT:
        raise IndexUnusable("the index file has another format")
    if made_with != sha256(fingerprint.encode()).digest() or found_dimension != dimension:
        raise IndexUnusable("the index file was made with another embedder")
    expected = count * (_HASH_BYTES + 4 + 4 * dimension) + 4 * cells * dimension
    if size > _MAX_BYTES or size != _HEADER.size + _HASH_BYTES + expected:
        raise IndexUnusable("the index file's payload is damaged")
    digests = np.empty((count, _HASH_BYTES), dtype=np.uint8)
    assigned = np.empty(count, dtype="<i4")
    centres = np.empty((cells, dimension), dtype="<f4")
    vectors = np.empty((count, dimension), dtype="<f4")
    arrays = (digests, assigned, centres, vectors)
    payload = tuple(array.data.cast("B") for array in arrays if array.size)
    if not all(_fill(file, view) for view in payload) or file.read(1) or _hash(payload) != payload_hash:
        raise IndexUnusable("the index file's payload is damaged")
    for array in arrays:
        array.flags.writeable = False
    return Snapshot(fingerprint, dimension, revision, content.hex(), digests, vectors, assigned, centres)


class SnapshotFolder:
    """The index files of one data folder; a write is complete or absent, also after kill -9."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, *, fingerprint: str, dimension: int) -> Snapshot | None:
        """Returns the newest snapshot that is whole and of this embedder; None when there is none.

        The log names each file that is passed over.
        """
        for path in reversed(self._generations()):
            try:
                return _read(path, fingerprint=fingerprint, dimension=dimension)
            except FileNotFoundError:  # another process was quicker with the next generation
                continue
            except (IndexUnusable, OSError) as error:
                _LOG.warning("index_file_not_used: %s: %s", path, error)
        return None

    def write(self, snapshot: Snapshot) -> Path:
        """Writes the next generation, then drops strays and all but two generations. Raises `StoreUnavailable`."""
        parts = snapshot.parts()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            generations = self._generations()
            number = 1 + (int(generations[-1].stem.removeprefix("index-")) if generations else 0)
            path = self._folder / _NAME.format(number)
            _drop(self._folder.glob("index-*.tmp"))
            write_durably(path, parts)
            _drop(self._generations()[:-_KEPT])
        except OSError as error:
            raise StoreUnavailable(f"the index cannot be kept in {self._folder}: {error.strerror}") from error
        return path

    def _generations(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("index-*.bin") if path.stem.removeprefix("index-").isdigit())


def _short(digests: Digests) -> NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view("<u8")[:, 0]


def _hash(views: Iterable[memoryview]) -> bytes:
    running = sha256()
    for view in views:
        running.update(view)
    return running.digest()


def _fill(file: BinaryIO, view: memoryview) -> bool:
    """Reads as many bytes as the view takes. Whether there were so many."""
    done = 0
    while done < len(view):
        piece = file.read(min(_PIECE, len(view) - done))
        if not piece:
            return False
        view[done : done + len(piece)] = piece
        done += len(piece)
    return True


def _drop(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _read(path: Path, *, fingerprint: str, dimension: int) -> Snapshot:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return read_snapshot(file, os.fstat(file.fileno()).st_size, fingerprint=fingerprint, dimension=dimension)


def write_durably(path: Path, parts: Sequence[memoryview]) -> None:
    """Temporary file, fsync, rename, fsync of the folder: after a crash the name holds all of it or is not there."""
    temporary = path.with_name(f"{path.stem}-{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
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
