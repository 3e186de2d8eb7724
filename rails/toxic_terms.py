"""Finds offensive words in text, whole words only, through spelling games: digits, stars, stretched and spaced letters.

The lists beside it (toxic_words/) are offensive on purpose.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from itertools import groupby
from pathlib import Path

from rails.disguises import plain, unleet
from rails.matching import compile_linear, escape
from rails.runs import repeated_in
from rails.stop_words import LANGUAGES_OF

_FOLDER = Path(__file__).parent / "toxic_words"
_ANY_ENDING = "*"
_EXCEPTION = "!"
_SIGNS = '.,;:!?"()[]{}<>/\\|*_=+~`#@$%^&-'
_APART = str.maketrans(dict.fromkeys(_SIGNS, " "))
_GONE = str.maketrans(dict.fromkeys(_SIGNS))
_OUTSIDE = '.,;:?"()[]{}<>'
# A sign within a word or beside it, but for those that stand around words, or a digit beside a letter.
_DISGUISED = compile_linear(
    rf"[^\pL\p{{Nd}}\s{escape(_OUTSIDE)}]|[\pL\p{{Nd}}][{escape(_OUTSIDE)}]+[\pL\p{{Nd}}]|\pL\p{{Nd}}|\p{{Nd}}\pL"
)
# Four letters and more, each alone: shorter runs are initials.
_SPACED = compile_linear(r"\b(?:\pL[ .\-_*|]{1,2}){3,}\pL\b")
_MASKS = frozenset("*#@$%")
_SHORTEST_MASKED = 4
_STRETCHED = 3
# Of one ASCII character each; a back reference would say it shorter, and take more than linear time.
_ASCII_RUN = compile_linear("|".join(f"\\x{code:02x}{{{_STRETCHED}}}" for code in range(128)), case_sensitive=True)
_KEY = 3


class Category(StrEnum):
    """What is offensive about a word; the values are names of lists."""

    INSULTS = "insults"
    SLURS = "slurs"
    THREATS = "threats"
    SEXUAL = "sexual"
    SELF_HARM = "self_harm"
    PROFANITY = "profanity"


@cache
def entries(category: Category) -> tuple[str, ...]:
    """Returns the entries of a list; a star at the end stands for any ending."""
    return tuple(line for line in _lines(category) if not line.startswith(_EXCEPTION))


@cache
def exceptions(category: Category) -> tuple[str, ...]:
    """Returns how an entry may go on and mean something else: `end it all with one click`."""
    return tuple(line[1:].strip() for line in _lines(category) if line.startswith(_EXCEPTION))


def _lines(category: Category) -> list[str]:
    lines = (_FOLDER / f"{category.value}.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


class Terms:
    """Words and phrases under names, ready to be found. Immutable once made."""

    def __init__(self, named: Mapping[str, Iterable[str]], exceptions: Iterable[str] = ()) -> None:
        """Takes entries by name, and how a phrase among them may go on without being meant."""
        self._exceptions = tuple(plain(words).split() for words in exceptions)
        self._whole: dict[str, str] = {}
        self._beginnings: dict[str, list[tuple[str, str]]] = {}
        self._phrases: dict[str, list[tuple[list[str], str]]] = {}
        self._by_rarest: dict[str, list[list[str]]] = {}
        """The phrases by a word that few texts have; by their first word a look for `i` would find most of them."""
        self._keys: tuple[int, ...] = ()
        for name, listed in named.items():
            for entry in map(plain, listed):
                self._add(entry, name)
        self._keys = tuple(sorted({len(key) for key in self._beginnings}, reverse=True))

    def _add(self, entry: str, name: str) -> None:
        words = entry.split()
        if len(words) > 1:
            self._phrases.setdefault(words[0], []).append((words, name))
            self._by_rarest.setdefault(max(words, key=_rarity), []).append(words)
        elif entry.endswith(_ANY_ENDING):
            beginning = entry.removesuffix(_ANY_ENDING)
            self._beginnings.setdefault(beginning[:_KEY], []).append((beginning, name))
        else:
            self._whole.setdefault(entry, name)

    def find(self, text: str) -> str | None:
        """Returns the name of the first term that occurs in `text` in any spelling, or None."""
        folded = plain(text).replace("\n", " ")
        return next((name for words in _views(folded) if (name := self._find_in(words)) is not None), None)

    def _find_in(self, words: list[str]) -> str | None:
        return self._first_of(words) if self._may_have(set(words)) else None

    def _may_have(self, said: set[str]) -> bool:
        """Whether a term could be among these words in some order: most texts need no closer look."""
        if not self._whole.keys().isdisjoint(said):
            return True
        for key in self._keys:
            shared = self._beginnings.keys() & {word[:key] for word in said}
            suspects = (word for word in said if word[:key] in shared) if shared else ()
            if any(word.startswith(beginning) for word in suspects for beginning, _ in self._beginnings[word[:key]]):
                return True
        rarest = self._by_rarest.keys() & said
        return any(said.issuperset(phrase) for word in rarest for phrase in self._by_rarest[word])

    def _first_of(self, words: list[str]) -> str | None:
        for place, word in enumerate(words):
            if (name := self._whole.get(word)) is not None:
                return name
            for key in self._keys:
                for beginning, name in self._beginnings.get(word[:key], ()):
                    if word.startswith(beginning):
                        return name
            for phrase, name in self._phrases.get(word, ()):
                end = place + len(phrase)
                if words[place:end] == phrase and not self._goes_on(words, place, end):
                    return name
        return None

    def _goes_on(self, words: list[str], place: int, end: int) -> bool:
        """Whether a phrase, found from `place` to `end`, is a part of an exception that goes on beyond it."""
        return any(
            words[start : start + len(exception)] == exception
            for exception in self._exceptions
            for start in range(place, end)
            if start + len(exception) > end
        )


def _rarity(word: str) -> tuple[bool, int]:
    return word not in LANGUAGES_OF, len(word)


def _views(folded: str) -> Iterator[list[str]]:
    """Yields the words of a folded text as they stand, and as they read in each disguise that the text uses."""
    words = folded.translate(_APART).split()
    yield words
    if _DISGUISED.occurs_in(folded):
        tokens = folded.split()
        yield [token if token.isalnum() else token.translate(_GONE) for token in tokens]
        if not _MASKS.isdisjoint(folded):  # else it says the same
            yield [_unmasked(token.strip(_OUTSIDE)) for token in tokens]
        letters = unleet(folded)
        if letters is not None:
            yield letters.translate(_APART).split()
    if _SPACED.occurs_in(folded):
        yield _joined(folded).translate(_APART).split()
    spoken = " ".join(words)  # without the signs, which are often three of a kind
    if _ASCII_RUN.occurs_in(spoken) if spoken.isascii() else bool(repeated_in(spoken, _STRETCHED - 1)):
        yield [_shortened(word, 1) for word in words]
        yield [_shortened(word, 2) for word in words]


def _joined(folded: str) -> str:
    """Returns the text with runs of single letters written as words."""
    parts, end = [], 0
    for found in _SPACED.finditer(folded):
        parts += [folded[end : found.start()], "".join(char for char in found.group() if char.isalpha())]
        end = found.end()
    return "".join([*parts, folded[end:]])


def _shortened(word: str, most: int) -> str:
    """Returns the word with letters that stand three times and more standing `most` times."""
    runs = ((char, sum(1 for _ in run)) for char, run in groupby(word))
    return "".join(char * (most if count >= _STRETCHED else count) for char, count in runs)


def _unmasked(token: str) -> str:
    """Returns the offensive word that has these letters where the token has letters, or the token without signs."""
    if _MASKS.isdisjoint(token):
        return token.translate(_GONE)
    shown = sum(char.isalpha() for char in token)
    hidden = sum(char in _MASKS for char in token)
    is_masked = len(token) >= _SHORTEST_MASKED and shown >= hidden and shown + hidden == len(token)
    if not is_masked or not token[0].isalpha():
        return token.translate(_GONE)
    return next((word for word in _maskable() if _fits(token, word)), token)


def _fits(token: str, word: str) -> bool:
    # What follows the beginning of an entry may be anything.
    return len(token) >= len(word) and all(
        shown in _MASKS or shown == char for shown, char in zip(token, word, strict=False)
    )


@cache
def _maskable() -> tuple[str, ...]:
    listed = (plain(entry).removesuffix(_ANY_ENDING) for category in Category for entry in entries(category))
    return tuple(sorted({word for word in listed if " " not in word}, key=len, reverse=True))
