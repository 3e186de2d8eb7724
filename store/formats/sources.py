"""Opens a file of rows as a stream of bytes: plain or gz, without its byte order mark, within bounds."""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from store.errors import InvalidContent

CHUNK = 256 * 1024
_GZ = b"\x1f\x8b"
_UTF8 = b"\xef\xbb\xbf"
_FOREIGN = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_FREE = 16 * 1024 * 1024
"""Bytes that may come out before the ratio counts: a small file of equal rows is no bomb."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an import reads at most."""

    row_bytes: int = 4 * 1024 * 1024
    depth: int = 100
    bytes: int = 64 * 1024 * 1024 * 1024
    """Of the whole file, unpacked."""
    ratio: int = 200
    """Bytes out of a gz file for each byte in it; text gives 3 to 20, gz can give 1,030."""


BOUNDS = Bounds()


class Source:
    """Bytes of a file, as they are read."""

    def __init__(self, file: BinaryIO, size: int, bounds: Bounds) -> None:
        self.size = size
        """Of the file as it lies there."""
        self.done = 0
        """Bytes of it that were read."""
        self.notes: list[str] = []
        """What was found in passing and changes nothing."""
        self._file = file
        self._bounds = bounds
        self._out = 0

    def chunks(self) -> Iterator[bytes]:
        """Gives the bytes, unpacked. Raises `InvalidContent` for what cannot be unpacked or goes beyond a bound."""
        pieces = self._pieces()
        head = b""
        for piece in pieces:  # the mark may come in pieces of its own
            head += piece
            if len(head) >= len(_UTF8):
                break
        if head.startswith(_FOREIGN):
            raise InvalidContent("the file is UTF-16 or UTF-32. Save it as UTF-8.")
        if head.startswith(_UTF8):
            self.notes.append("the file begins with a byte order mark, which is not part of the first row")
            head = head.removeprefix(_UTF8)
        if head:
            yield head
        yield from pieces

    def _pieces(self) -> Iterator[bytes]:
        first = self._read()
        pieces = self._unpacked(first) if first.startswith(_GZ) else self._plain(first)
        for piece in pieces:
            self._out += len(piece)
            if self._out > self._bounds.bytes:
                raise InvalidContent(f"the file holds more than {self._bounds.bytes} bytes. Split it.")
            yield piece

    def _plain(self, first: bytes) -> Iterator[bytes]:
        piece = first
        while piece:
            yield piece
            piece = self._read()

    def _unpacked(self, first: bytes) -> Iterator[bytes]:
        waiting, unpacker = first, _unpacker()
        while waiting:
            while waiting and not unpacker.eof:
                piece = self._inflated(unpacker, waiting)
                waiting = unpacker.unconsumed_tail
                if piece:
                    yield piece
                if not waiting and not unpacker.eof:
                    waiting = self._read()
            if not unpacker.eof:
                raise InvalidContent(f"the gz file ends after {self.done} bytes, in the middle. Copy it again.")
            waiting, unpacker = unpacker.unused_data or self._read(), _unpacker()
            waiting = waiting.lstrip(b"\x00")  # tapes fill up with them

    def _inflated(self, unpacker: "zlib._Decompress", packed: bytes) -> bytes:
        try:
            piece = unpacker.decompress(packed, CHUNK)
        except zlib.error as error:
            raise InvalidContent(f"the gz file is damaged near byte {self.done}. Copy it again.") from error
        if self._out + len(piece) > max(_FREE, self._bounds.ratio * self.done):
            raise InvalidContent(
                f"the gz file unpacks to more than {self._bounds.ratio} times its size. Unpack it yourself, and look."
            )
        return piece

    def _read(self) -> bytes:
        try:
            piece = self._file.read(CHUNK)
        except OSError as error:
            raise InvalidContent(f"the file cannot be read: {error.strerror}.") from error
        self.done += len(piece)
        return piece


@contextmanager
def opened(path: Path, bounds: Bounds = BOUNDS) -> Iterator[Source]:
    """Opens a file. Raises `InvalidContent` for what is none."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidContent(f"{path.name} cannot be read: {error.strerror}.") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise InvalidContent(f"{path.name} is not a file. Name a file.")
    with os.fdopen(descriptor, "rb") as file:
        yield Source(file, found.st_size, bounds)


def _unpacker() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=31)
