"""What is looked for of a protected text."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from rails.revelations.reading import (
    DISGUISED_CHARS,
    LONG_CHARS,
    PIECE_CHARS,
    folded_text,
    runs_of,
    signs_as_letters,
    without_articles,
    words_of,
)
from rails.wordlists import word_set

_SHIFTED_CHARS = 6
_CODED_CHARS = 8
_SHARE = 0.7
_CODE_CHARS = range(10, 65)
"""A longer text is prose, and given away by its words."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_COMMON = word_set(
    "a an and any are as at be but by can do for from has have if in into is it its may must no not of on or our so "
    "that the their them then there these they this to was we will with you your"
)


@dataclass(frozen=True, slots=True, repr=False)
class Protected:
    """What is looked for of one protected text; its representation says nothing."""

    letters: str
    """Letters and digits, folded."""
    sparse: str
    """The same without the letters that are words."""
    signs: frozenset[str]
    """The signs of a text that has no letters or digits, or one letter again and again."""
    words: frozenset[str]
    """The words that carry it; all of them when there are only common ones."""
    runs: frozenset[str]
    """Stretches of a longer text that are a quotation of it."""
    parts: tuple[str, ...]
    """Stretches of a code that are most of it."""
    disguised: tuple[str, ...]
    """Turned round, or with each letter moved along the alphabet."""
    leet: str
    encoded: tuple[str, ...]
    """Base64, case kept."""
    coded: tuple[str, ...]
    """Character codes: hexadecimal, binary and decimal."""

    @classmethod
    def of(cls, text: str) -> "Protected":
        """Prepares `text`."""
        folded = folded_text(text)
        words = words_of(folded)
        letters = "".join(words)
        kept = frozenset(word for word in words if word not in _COMMON and (len(word) >= PIECE_CHARS or word.isdigit()))
        variants = {text.strip(), folded, folded.upper(), folded.title()}
        return cls(
            letters=letters,
            sparse=without_articles(letters),
            signs=_lone_signs(folded, letters),
            words=kept or frozenset(words),
            runs=frozenset(runs_of(words)),
            parts=_parts(letters),
            disguised=_disguised(letters),
            leet="".join(words_of(signs_as_letters(folded)))
            if len(letters) >= DISGUISED_CHARS and not letters.isdigit()
            else "",
            encoded=tuple(sorted({core for variant in variants for core in _base64_cores(variant)})),
            coded=tuple(sorted({code for variant in variants for code in _codes(variant)})),
        )

    def __repr__(self) -> str:
        return "Protected(...)"


def _leet(folded: str, letters: str) -> str:
    if len(letters) < DISGUISED_CHARS or letters.isdigit():
        return ""
    return "".join(words_of(signs_as_letters(folded)))


def _lone_signs(folded: str, letters: str) -> frozenset[str]:
    """Returns the signs that give a text away which is nothing but signs, or a letter of a rare script repeated.

    Of plain punctuation only the whole is telling.
    """
    if letters:
        return frozenset(letters) if len(set(letters)) == 1 and not letters.isascii() else frozenset()
    signs = "".join(folded.split())
    return frozenset((signs,) if signs.isascii() else signs)


def _parts(letters: str) -> tuple[str, ...]:
    if len(letters) not in _CODE_CHARS:
        return ()
    size = max(LONG_CHARS, -int(-_SHARE * len(letters) // 1))
    return tuple(letters[at : at + size] for at in range(len(letters) - size + 1))


def _disguised(letters: str) -> tuple[str, ...]:
    if len(letters) < DISGUISED_CHARS:
        return ()
    forms = {letters[::-1]}
    if any(char in _ALPHABET for char in letters):
        forms.add(letters.translate(str.maketrans(_ALPHABET, _ALPHABET[::-1])))
        shifts = range(1, len(_ALPHABET)) if len(letters) >= _SHIFTED_CHARS else (len(_ALPHABET) // 2,)
        forms |= {letters.translate(str.maketrans(_ALPHABET, _ALPHABET[by:] + _ALPHABET[:by])) for by in shifts}
    return tuple(sorted(forms - {letters}))


def _base64_cores(text: str) -> Iterator[str]:
    """Yields what stays the same in Base64 whatever stands around the text, for each place in a group of three."""
    raw = text.encode()
    for offset, skipped in enumerate((0, 2, 3)):
        core = base64.b64encode(b"\0" * offset + raw).decode()[skipped : (offset + len(raw)) * 8 // 6]
        if len(core) >= _CODED_CHARS:
            yield core


def _codes(text: str) -> Iterator[str]:
    raw = text.encode()
    for code in (raw.hex(), "".join(f"{byte:08b}" for byte in raw), "".join(map(str, raw))):
        if len(code) >= _CODED_CHARS:
            yield code
