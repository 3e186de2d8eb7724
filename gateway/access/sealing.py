"""What the access key is used for: sealing what must be read again, and marks that nobody else can make."""

import hashlib
import hmac
import secrets
import string
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import SettingsInvalid

_ALPHABET = string.ascii_letters + string.digits
_SECRET_CHARS = 43
"""43 base62 characters carry 256 bits."""
_NONCE_BYTES = 12


class Purpose(StrEnum):
    """What a mark or a sealed text is for; one is never taken for another."""

    CSRF = "csrf"
    DEVICE = "device"
    RECOVERY = "recovery code"
    TOTP = "totp secret"
    REQUEST = "request fingerprint"
    REPLY = "kept reply"
    TICKET = "sign-in ticket"
    WIDGET = "widget secret"
    TURN = "widget turn"


class Seals:
    """Seals and marks under one 32-byte key from outside the database, with a key of its own for each purpose."""

    def __init__(self, key: bytes) -> None:
        self._keys = {one: hmac.digest(key, one.encode(), hashlib.sha256) for one in Purpose}

    def mark(self, purpose: Purpose, data: bytes) -> bytes:
        """Returns 32 bytes that only whoever has the key can make from the data."""
        return hmac.digest(self._keys[purpose], data, hashlib.sha256)

    def seal(self, purpose: Purpose, data: bytes, *, place: str) -> bytes:
        """Encrypts the data (AES-256-GCM), bound to the place where it is kept."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._keys[purpose]).encrypt(nonce, data, place.encode())

    def unseal(self, purpose: Purpose, sealed: bytes, *, place: str) -> bytes:
        """Returns what was sealed. Raises `SettingsInvalid` when the key is another one, or the place."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._keys[purpose]).decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError) as error:
            raise SettingsInvalid(
                "what was sealed in the database does not open with the file access-key of the data folder. Restore "
                "that file from the backup that the database came from."
            ) from error


def new_token() -> str:
    """Returns 256 random bits as letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_CHARS))


def hash_of(token: str) -> bytes:
    """Returns the SHA-256 by which a random token is kept: 256 bits cannot be guessed, a slow hash adds nothing."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
