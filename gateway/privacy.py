"""What may be kept of a person: a pseudonym of who they are, and their words with personal data and secrets masked."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread

from gateway.canonicalize import RefusedMessage, canonicalize
from gateway.errors import GatewayError
from store.content import KeepsText
from store.types import Words

_PURPOSE = b"canongate user ids"
MAX_USER_CHARS = 256
# A text nested too deep is a `RuntimeError` too.
_CANNOT = (GatewayError, ValueError, RuntimeError)


class Privacy:
    """Makes pseudonyms, and redacts what is kept. `redact` is the rails'; what it cannot do is not kept."""

    def __init__(self, pepper: bytes, redact: Callable[[str], str]) -> None:
        self._key = hmac.digest(pepper, _PURPOSE, hashlib.sha256)
        self._redact = redact
        self._threads = CapacityLimiter(2)

    def pseudonym(self, user: str) -> str | None:
        """Returns the same 64 hexadecimal digits for the same user id; without the pepper nobody can test a guess."""
        return hmac.digest(self._key, user.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()

    async def words(self, kept: KeepsText, message: str, answer: str, context: str = "") -> Words | None:
        """Returns what is kept of what was said; None when it should be redacted and cannot be."""
        return await to_thread.run_sync(self.words_blocking, kept, message, answer, context, limiter=self._threads)

    def words_blocking(self, kept: KeepsText, message: str, answer: str, context: str = "") -> Words | None:
        """Returns the same, holding the calling thread for as long as the rails of those names take."""
        if kept is KeepsText.FULL:
            return Words(kept, _whole(message), _whole(answer), _whole(context))
        return self._redacted(message, answer, context)

    def _redacted(self, message: str, answer: str, context: str) -> Words | None:
        try:
            told = self._redact(answer) if answer else ""
            return Words(KeepsText.REDACTED, self._canonical(message), told, self._redacted_context(context))
        except _CANNOT:
            return None

    def _canonical(self, text: str) -> str:
        """Returns a text redacted in its canonical form: a character that nobody sees would hide a number."""
        match canonicalize(text):
            case RefusedMessage(reason=reason):
                raise ValueError(reason)
            case canonical:
                return self._redact(canonical.text)

    def _redacted_context(self, context: str) -> str:
        """Returns nothing where a part of the page's JSON has no canonical form: the words are kept without it."""
        try:
            # Each text as it reads and not as JSON writes it; then the whole, for numbers and for words in the keys.
            values = self._redacted_value(msgspec.json.decode(context)) if context else None
            return self._redact(msgspec.json.encode(values).decode()) if values else ""
        except _CANNOT:
            return ""

    def _redacted_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._redacted_value(key): self._redacted_value(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._redacted_value(one) for one in value]
        return self._canonical(value) if isinstance(value, str) and value.strip() else value


class Unlinked(Privacy):
    """Keeps no link to a person and no redacted words."""

    def __init__(self) -> None:
        super().__init__(b"", _cannot)

    def pseudonym(self, user: str) -> str | None:
        return None


def _cannot(_: str) -> str:
    raise ValueError("there is nothing to redact with")


def _whole(text: str) -> str:
    # A lone surrogate and NUL are no text that every database takes.
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


UNLINKED = Unlinked()
