"""Checkpoints: how long the trail was and what its hash was, signed, in a file outside the database.

The form is C2SP's tlog-checkpoint (https://c2sp.org/tlog-checkpoint): origin, size and root, a blank line, a signature.
"""

import base64
import binascii
import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from store.errors import InvalidContent, StoreUnavailable
from store.proof.signing import Signer, Verifier

_NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)\n"
    r"\u2014 (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/=]{1,200})\n\n*"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement about the first `size` rows; it proves them, whatever came after."""

    origin: str
    size: int
    root: bytes
    """Merkle tree hash (RFC 6962) over the rows' canonical bytes."""
    signature: bytes

    @classmethod
    def make(cls, size: int, root: bytes, signer: Signer) -> "Checkpoint":
        """Signs that the trail has this size and hash."""
        origin = signer.verifier.name
        return cls(origin, size, root, signer.sign(_text(origin, size, root)))

    @property
    def note(self) -> str:
        """The checkpoint as it is written."""
        text = _text(self.origin, self.size, self.root)
        return f"{text}\n\u2014 {self.origin} {base64.b64encode(self.signature).decode()}\n"

    def is_signed_by(self, verifier: Verifier) -> bool:
        """Whether it is that key's."""
        text = _text(self.origin, self.size, self.root)
        return self.origin == verifier.name and verifier.verifies(text, self.signature)


class CheckpointFile:
    """A file to which checkpoints are only ever added. Copy it to another machine: there it proves the most."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Checkpoint, ...]:
        """Returns all of them, oldest first; none when there is no file. Raises as `parse_checkpoints`."""
        try:
            return parse_checkpoints(self.path.read_text(encoding="utf-8"), str(self.path))
        except FileNotFoundError:
            return ()
        except UnicodeDecodeError as error:
            raise InvalidContent(f"{self.path} is not a file of checkpoints") from error
        except OSError as error:
            raise StoreUnavailable(f"cannot read {self.path}: {error.strerror}") from error

    def append(self, checkpoint: Checkpoint) -> None:
        """Adds one; it is on the disk when this returns. Raises `StoreUnavailable`."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            try:
                size, note = os.fstat(descriptor).st_size, (checkpoint.note + "\n").encode()
                if os.write(descriptor, note) != len(note):  # a full disk took a part of it
                    os.ftruncate(descriptor, size)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreUnavailable(f"cannot write {self.path}: {error.strerror}") from error


def parse_checkpoints(text: str, where: str = "the text") -> tuple[Checkpoint, ...]:
    """Reads checkpoints that follow one another. Raises `InvalidContent`: what cannot be read proves nothing."""
    found, at = [], 0
    while at < len(text):
        note = _NOTE.match(text, at)
        if note is None:
            line = text.count("\n", 0, at) + 1
            raise InvalidContent(f"{where}: line {line} does not begin a whole checkpoint. Restore the file.")
        try:
            signature = base64.b64decode(note["signature"], validate=True)
            root = base64.b64decode(note["root"], validate=True)
        except binascii.Error as error:
            raise InvalidContent(f"{where}: a signature is not base64. Restore the file.") from error
        found.append(Checkpoint(note["origin"], int(note["size"]), root, signature))
        at = note.end()
    return tuple(found)


def require_signed(checkpoints: Sequence[Checkpoint], verifier: Verifier) -> None:
    """Raises `InvalidContent` unless each of them is the key's."""
    for checkpoint in checkpoints:
        if not checkpoint.is_signed_by(verifier):
            raise InvalidContent(
                f"the checkpoint of {checkpoint.size} rows is not signed by {verifier.name}. It belongs to another "
                "installation, or somebody altered it."
            )


def _text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
