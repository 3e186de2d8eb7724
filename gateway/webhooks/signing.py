"""Signatures of webhooks, by the Standard Webhooks scheme (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24
_MOST_BYTES: Final = 64


def read_secret(text: str) -> bytes:
    """Returns the bytes of a secret. Raises `ValueError`, without the secret in its text."""
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a webhook's secret is {PREFIX} and base64") from error
    if not text.startswith(PREFIX) or not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise ValueError(f"a webhook's secret is {PREFIX} and the base64 of {_LEAST_BYTES} to {_MOST_BYTES} bytes")
    return secret


def sign(secret: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """Returns the value of `webhook-signature`: the scheme's version, and the HMAC of id, time and body."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
