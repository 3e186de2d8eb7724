"""What may be kept of a person: a pseudonym of who they are, and their words with personal data and secrets masked."""

import hashlib
import hmac
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread

from gateway.canonicalize import RefusedMessage, canonicalize
from gateway.errors import GatewayError
from store.content import KeepsText
from store.types import Words

_PURPOSE = b"canongate user ids"
MAX_USER_CHARS = 256


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
            # In its canonical form: a character that nobody sees would hide a number from the masks.
            canonical = canonicalize(message)
            if isinstance(canonical, RefusedMessage):
                return None
            told = self._redact(answer) if answer else ""
            return Words(KeepsText.REDACTED, self._redact(canonical.text), told, self._redacted_context(context))
        except (GatewayError, ValueError, RuntimeError):
            return None

    def _redacted_context(self, context: str) -> str:
        """Returns nothing where the page's JSON has no canonical form: the words are kept without it."""
        canonical = canonicalize(context) if context else None
        return "" if canonical is None or isinstance(canonical, RefusedMessage) else self._redact(canonical.text)


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
