"""Passwords: which are taken, how they are kept, and a check that takes as long for nobody as for somebody."""

import threading
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from store.accounts import folded
from store.errors import InvalidContent

MIN_CHARS = 12
MAX_CHARS = 256
_AT_ONCE = 2
_COMMON = Path(__file__).with_name("common_passwords.txt")
_LEAST_DISTINCT = 5
_LEAST_OWN = 4
"""A name of three letters is in many a good password by chance."""


class Passwords:
    """Hashes with argon2id: 46 MiB, one pass, one lane (OWASP's second choice; 27 ms), two at once in a process.

    All methods block for that long.
    """

    def __init__(self, *, memory_kib: int = 47104, passes: int = 1) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Returns what is kept of a password."""
        with self._places:
            return self._hasher.hash(_normal(password))

    def is_right(self, kept: str | None, password: str) -> bool:
        """Whether it is the password of which `kept` was kept; without one the answer is no, after the same work."""
        with self._places:
            try:
                self._hasher.verify(kept or self._nobodys, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than these."""
        return self._hasher.check_needs_rehash(kept)


def require_good(password: str, *, name: str, mail: str | None) -> None:
    """Raises `InvalidContent` for a password that is too short, too long, common, or the person's own name."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise InvalidContent(f"a password has {MIN_CHARS} to {MAX_CHARS} characters. Three or four words are good.")
    plain = _plain(password)
    own = {_plain(name), _plain((mail or "").partition("@")[0])}
    if len(set(plain)) < _LEAST_DISTINCT or plain in _common() or _is_repeated(plain):
        raise InvalidContent("this password is among the first that are tried. Choose three or four words of your own.")
    if any(len(one) >= _LEAST_OWN and len(plain.replace(one, "")) < MIN_CHARS // 2 for one in own):
        raise InvalidContent("this password is little more than your own name or address. Choose something else.")


def _common() -> frozenset[str]:
    return frozenset(_plain(line) for line in _COMMON.read_text().splitlines() if line)


def _is_repeated(text: str) -> bool:
    """Whether it is a short piece again and again, such as `abcdabcdabcd`."""
    return text in (text + text)[1:-1]


def _plain(text: str) -> str:
    """The letters and digits alone, in small letters: `Pass-Word 1234` is as common as `password1234`."""
    return "".join(one for one in folded(text) if one.isalnum())


def _normal(password: str) -> str:
    """One form of what different keyboards send for the same letters."""
    return unicodedata.normalize("NFKC", password)
