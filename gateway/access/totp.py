"""Codes of an authenticator app: RFC 6238 with SHA-1, six digits and 30 seconds, which is what all apps can do."""

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
_WINDOW = 1
"""Steps before and after now: clocks differ."""
_SECRET_BYTES = 20


def new_secret() -> bytes:
    """Returns 160 random bits (RFC 4226, section 4)."""
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """Returns the code of that time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(secret: bytes, code: str, *, at_s: float, after: int) -> int | None:
    """Returns the step whose code was given, None when it is wrong or its step is not after the last one used."""
    now = int(at_s) // STEP_S
    found = None
    for step in range(now - _WINDOW, now + _WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode(errors="replace")) and step > after:
            found = step
    return found


def base32(secret: bytes) -> str:
    """Returns the secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, name: str, issuer: str = "canongate") -> str:
    """Returns the `otpauth:` address that a QR code holds."""
    fields = urlencode({"secret": base32(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?{fields}"
