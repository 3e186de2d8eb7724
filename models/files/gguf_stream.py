"""Reads the bytes of a file header that may be hostile: nothing is read or kept before its size was bounded."""

import os
import stat
import struct
from pathlib import Path
from typing import BinaryIO, Self

from models.errors import ModelRefused

MAX_HEADER_BYTES = 32 * 2**20
"""Everything before the weights; vocabularies of 260,000 pieces with their merges take some 12 MB."""

LENGTH_BYTES = 8
"""In front of each string."""

CHUNK_BYTES = 2**18


class HeaderStream:
    """A regular file, read forward and only so far; every shortcoming of it is a `ModelRefused`."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            # O_NONBLOCK: a pipe of that name would keep the caller waiting for a writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise ModelRefused(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            os.close(descriptor)
            raise ModelRefused(f"{path} is not a regular file")
        self._file: BinaryIO = os.fdopen(descriptor, "rb")
        self.file_bytes = about.st_size
        self.position = 0
        self._end = min(self.file_bytes, MAX_HEADER_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def refuse(self, reason: str) -> ModelRefused:
        """Returns the error for this file, for the caller to raise."""
        return ModelRefused(f"{self.name} is not a sound GGUF file: {reason}. Fetch it again from where it came from.")

    def read(self, count: int) -> bytes:
        """Returns exactly so many bytes."""
        self._require(count)
        try:
            data = self._file.read(count)
        except OSError as error:
            raise ModelRefused(f"{self.name} cannot be read: {error.strerror}") from error
        if len(data) != count:
            raise self.refuse("it ends in the middle of its header")
        self.position += count
        return data

    def skip(self, count: int) -> None:
        """Leaves out so many bytes, which must be there."""
        self._require(count)
        try:
            self._file.seek(count, os.SEEK_CUR)
        except OSError as error:
            raise ModelRefused(f"{self.name} cannot be read: {error.strerror}") from error
        self.position += count

    def unsigned32(self) -> int:
        """Returns the next four bytes as a number."""
        return int.from_bytes(self.read(4), "little")

    def unsigned64(self) -> int:
        """Returns the next eight bytes as a number."""
        return int.from_bytes(self.read(8), "little")

    def value(self, packed: str) -> int | float:
        """Returns the next value of fixed size."""
        (value,) = struct.unpack(packed, self.read(struct.calcsize(packed)))
        if not isinstance(value, (int, float)):
            raise self.refuse("a number is none")
        return value

    def text(self, max_bytes: int, what: str) -> str:
        """Returns the next string, which is UTF-8 and has no more bytes than that."""
        size = self.unsigned64()
        if size > max_bytes:
            raise self.refuse(f"{what} has {size} bytes, at most {max_bytes} are taken")
        try:
            return self.read(size).decode()
        except UnicodeDecodeError as error:
            raise self.refuse(f"{what} is not UTF-8") from error

    def skip_texts(self, count: int) -> None:
        """Leaves out so many strings, all of which must be there: 0.1 s for 300,000."""
        chunk, start = b"", self.position
        at = start
        for _ in range(count):
            if at + LENGTH_BYTES > self._end:
                self._require(self._end - self.position + 1)
            if not start <= at <= start + len(chunk) - LENGTH_BYTES:
                chunk, start = self._peek(at), at
            at += LENGTH_BYTES + int.from_bytes(chunk[at - start : at - start + LENGTH_BYTES], "little")
        self._require(at - self.position)
        self._file.seek(at)
        self.position = at

    def _peek(self, at: int) -> bytes:
        try:
            chunk = os.pread(self._file.fileno(), CHUNK_BYTES, at)
        except OSError as error:
            raise ModelRefused(f"{self.name} cannot be read: {error.strerror}") from error
        if len(chunk) < LENGTH_BYTES:
            raise self.refuse("it ends in the middle of its header")
        return chunk

    def _require(self, count: int) -> None:
        if count > self._end - self.position:
            if self._end < self.file_bytes:
                raise self.refuse(f"its header has more than {MAX_HEADER_BYTES // 2**20} MiB")
            raise self.refuse("it ends in the middle of its header")
