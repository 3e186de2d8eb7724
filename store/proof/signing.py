"""Signs checkpoints with Ed25519, in the form of signed notes; the one place that calls `cryptography` for it.

Source: https://c2sp.org/signed-note. A key's id is the beginning of SHA-256 over its name, a line feed, the byte 1 for
Ed25519 and the public key.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under its name, written `name+id+key`."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Reads `name+id+key`. Raises `ValueError`."""
        try:
            name, number, encoded = text.strip().split("+", 2)  # base64 has plus signs too, a name has none
            kind_and_key = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise ValueError("a public key is written name+id+key") from error
        found = cls(name, kind_and_key[1:])
        if kind_and_key[:1] != _ED25519 or len(found.public) != 32 or found.key_id.hex() != number:  # noqa: PLR2004 - bytes of an Ed25519 key
            raise ValueError("this is not an Ed25519 key, or it is not whole")
        return found

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature begins with."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether `signature`, id and all, is this key's over `text`."""
        if signature[:_ID_BYTES] != self.key_id:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature[_ID_BYTES:], text.encode())
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key; its name is the origin of what it signs."""

    seed: bytes
    """32 random bytes."""

    def __repr__(self) -> str:
        return f"Signer({self.verifier})"

    @property
    def verifier(self) -> Verifier:
        """The public half. Each installation has an origin of its own, named by its key."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(f"canongate/audit/{sha256(public).hexdigest()[:16]}", public)

    def sign(self, text: str) -> bytes:
        """Returns the signature over `text` after the key's id."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return self.verifier.key_id + private.sign(text.encode())
