"""Reads text whose words are disguised one by one: other letters of the alphabet, and pig Latin."""

from collections.abc import Iterator, Sequence

from rails.exemplars import words as exemplar_words
from rails.stop_words import LANGUAGES_OF
from rails.wordlists import word_list, word_set

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = frozenset("aeiou")
_AROUND = ".,;:!?\"'()"
_PARTED = str.maketrans(dict.fromkeys(':"', "\n"))
_MIN_WORDS = 4
_KNOWN_SHARE = 0.2
"""Honest English has more small words than this; of a text that has, no other reading is sought."""
_READ_SHARE = 0.4
"""A reading of which so many words are known is no accident."""
_PIG_SHARE = 0.6
_MOST_CONSONANTS = 3
_ONSETS = tuple(word_list("pr br tr cr gr fr dr pl bl cl gl fl sl st sp sc sk sm sn sw th sh ch wh ph tw qu"))

_KNOWN = (
    frozenset(word for word, languages in LANGUAGES_OF.items() if "en" in languages)
    | exemplar_words("commands")
    | exemplar_words("orders")
    | exemplar_words("words")
    | word_set(
        "previous prior above earlier system secret hidden original initial rules rule password print show reveal tell "
        "repeat every override bypass forget pretend given told answer question how build bomb"
    )
)
_CIPHERS = (*(_ALPHABET[by:] + _ALPHABET[:by] for by in range(1, 26)), _ALPHABET[::-1])
_SHIFTS = tuple(str.maketrans(_ALPHABET, cipher) for cipher in _CIPHERS)
_SHIFTED = tuple(frozenset(word.translate(str.maketrans(cipher, _ALPHABET)) for word in _KNOWN) for cipher in _CIPHERS)
"""By alphabet: the known words as they stand in a text that this alphabet makes readable."""


def wordplay(folded: str) -> Iterator[str]:
    """Yields what a folded text says when its words are disguised so, and nothing for one that reads as it stands."""
    # "Decode this: ..." has a part that reads as it stands.
    for part in folded.translate(_PARTED).split("\n"):
        yield from _read(part.strip())


def _read(folded: str) -> Iterator[str]:
    bare = [word.strip(_AROUND) for word in folded.split()]
    if len(bare) < _MIN_WORDS or _known(bare, _KNOWN) > _KNOWN_SHARE * len(bare):
        return
    if sum(word.endswith("ay") for word in bare) >= _PIG_SHARE * len(bare):
        yield " ".join(map(_from_pig_latin, bare))
    counts = [_known(bare, shifted) for shifted in _SHIFTED]
    best = max(counts)
    if best >= _READ_SHARE * len(bare):
        yield folded.translate(_SHIFTS[counts.index(best)])


def _known(words: Sequence[str], known: frozenset[str]) -> int:
    return sum(map(known.__contains__, words))


def _from_pig_latin(word: str) -> str:
    """Returns the word before its first consonants went behind it; a known one where several are possible."""
    if not word.endswith("ay"):
        return word
    core = word[:-2].rstrip("-")
    choices = [core[: len(core) - 1]] if core[-1:] in ("w", "y", "h") else []
    for moved in range(1, min(_MOST_CONSONANTS, len(core) - 1) + 1):
        if core[-moved] in _VOWELS and core[-moved - 1 : -moved] != "q":
            break
        choices.append((core[-moved:] + core[:-moved]).replace("-", ""))
    likely = [choice for choice in choices if choice.startswith(_ONSETS)] or choices or [word]
    return next((choice for choice in choices if choice in _KNOWN), likely[0])
