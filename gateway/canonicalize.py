"""One canonical form of a message, the same string for rails, matcher, slots and record."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import InvalidRequest
from rails.checks import hidden

MAX_CHARS = 4000
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\n{3,}")
_STYLES = str.maketrans("", "", "\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class CanonicalMessage:
    """A message that every later step may read; nothing else of what the person sent goes on."""

    text: str
    sent_chars: int
    """Length of the message as it was sent."""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message whose characters hide something from a reader or a check; refused, never cleaned."""

    reason: str
    """A constant code such as `hidden.format_character`."""
    sent_chars: int


def canonicalize(message: str) -> CanonicalMessage | RefusedMessage:
    """Returns the message in Unicode form NFKC with plain spaces, or says why it is refused.

    Raises `InvalidRequest` when it is empty or longer than `MAX_CHARS`, before and after normalisation (NFKC can make
    18 characters of one). Full-width letters become plain ones, and emoji lose what selects their style; hidden,
    bidirectional, tag and private characters and words that mix look-alike scripts are refused, because embedder and
    rails would see two different messages.
    """
    _check_length(message)
    if problem := hidden.find(message):
        return RefusedMessage(problem, len(message))
    # Before NFKC, which makes letters of some emoji: behind a letter a selector hides something.
    text = message.translate(_STYLES).replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFKC", text)
    if problem := hidden.find(text):
        return RefusedMessage(problem, len(message))
    text = _LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()
    _check_length(text)
    return CanonicalMessage(text, len(message))


def canonicalize_all(message: str, given: Mapping[str, str]) -> list[str] | RefusedMessage:
    """Returns the canonical form of a message and of each slot value sent beside it, or the first refusal.

    Raises as `canonicalize` does, for a value with the code `invalid_slot`.
    """
    first = canonicalize(message)
    if isinstance(first, RefusedMessage):
        return first
    texts = [first.text]
    for name, value in given.items():
        try:
            canonical = canonicalize(value)
        except InvalidRequest as error:
            reason = (
                f"slots: the value of {name[:40]!r} is empty or has more than {MAX_CHARS} characters as it is read."
            )
            raise InvalidRequest("invalid_slot", reason, param="slots") from error
        if isinstance(canonical, RefusedMessage):
            return canonical
        texts.append(canonical.text)
    return texts


def _check_length(text: str) -> None:
    if not text.strip():
        raise InvalidRequest("message_empty", "The message is empty. Send a question as text.", param="message")
    if len(text) > MAX_CHARS:
        raise InvalidRequest(
            "message_too_long",
            f"The message has {len(text)} characters; at most {MAX_CHARS} are read. Shorten it, nothing was cut.",
            param="message",
        )
