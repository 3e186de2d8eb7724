"""Searches an answer for protected texts; every search is linear in the answer."""

from collections.abc import Callable

from rails.disguises import decoded
from rails.revelations.answer import Answer
from rails.revelations.protected import Protected
from rails.revelations.reading import DISGUISED_CHARS, LONG_CHARS, PIECE_CHARS

_SPELLED_CHARS = 3
_MAX_PIECES = 4
_WORD_SHARE = 0.75
_WINDOW = 40
"""Other words that may stand between the words of a text that is given away in pieces."""
_MAX_DEPTH = 2


def manner_of(text: str, protected: tuple[Protected, ...]) -> str | None:
    """Returns the word for how `text` gives one of the protected texts away, or None."""
    return _manner(text, protected, _MAX_DEPTH)


def _manner(text: str, protected: tuple[Protected, ...], depth: int) -> str | None:
    answer = Answer(text)
    for one in protected:
        found = _how(answer, one)
        if found is not None:
            return found
    if depth and any(_manner(part, protected, depth - 1) is not None for part in decoded(text)):
        return "encoded"
    return None


def _is_stated(answer: Answer, one: Protected) -> bool:
    if one.signs and all(sign in answer.folded for sign in one.signs):
        return True
    return bool(one.letters) and _has(answer, one.letters)


def _is_disguised(answer: Answer, one: Protected) -> bool:
    letters = answer.letters
    if any(form in letters and _has(answer, form) for form in one.disguised):
        return True
    leet = one.leet
    return bool(leet) and (leet in answer.leet if len(leet) >= LONG_CHARS else leet in answer.leet_words)


def _is_encoded(answer: Answer, one: Protected) -> bool:
    bare, packed = answer.bare, answer.packed
    return any(core in bare for core in one.encoded) or (bool(packed) and any(code in packed for code in one.coded))


def _is_spelled(answer: Answer, one: Protected) -> bool:
    if len(one.letters) >= _SPELLED_CHARS and any(one.letters in row for row in answer.spelled):
        return True
    return len(one.sparse) >= DISGUISED_CHARS and one.sparse in answer.sparsely_spelled


def _is_acrostic(answer: Answer, one: Protected) -> bool:
    return len(one.letters) >= DISGUISED_CHARS and any(one.letters in row for row in answer.initials)


def _has(answer: Answer, letters: str) -> bool:
    """Says whether the letters stand in a row; short ones must begin and end where words do."""
    at = answer.letters.find(letters)
    if at < 0 or len(letters) >= LONG_CHARS:
        return at >= 0
    while at >= 0:
        if at in answer.edges and at + len(letters) in answer.edges:
            return True
        at = answer.letters.find(letters, at + 1)
    return False


def _is_in_pieces(answer: Answer, one: Protected) -> bool:
    if not one.words:
        return False
    if any(part in answer.letters for part in one.parts):
        return True
    if len(one.words) == 1:
        return _is_pieced_together(answer, one.letters)
    if one.runs and not one.runs.isdisjoint(answer.runs):
        return True
    needed = -int(-_WORD_SHARE * len(one.words) // 1)
    return _words_at_once(answer, one.words, needed)


def _is_pieced_together(answer: Answer, letters: str) -> bool:
    """Says whether words of the answer, in their order, make up a single word: "begins with para, ends with dox"."""
    reached: dict[int, tuple[int, int]] = {}
    for place, token in enumerate(answer.tokens):
        if len(token) < PIECE_CHARS or token not in letters:
            continue
        for at, (pieces, since) in ((0, (0, place)), *reached.items()):
            if pieces < _MAX_PIECES and place - since <= _WINDOW and letters.startswith(token, at):
                reached[at + len(token)] = (pieces + 1, since)
    return len(letters) in reached


def _words_at_once(answer: Answer, words: frozenset[str], needed: int) -> bool:
    """Says whether so many of the words occur within a stretch of the answer."""
    places = [(at, token) for at, token in enumerate(answer.tokens) if token in words]
    reach = _WINDOW + len(words)
    counts: dict[str, int] = {}
    first = 0
    for at, token in places:
        counts[token] = counts.get(token, 0) + 1
        while at - places[first][0] > reach:
            gone = places[first][1]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            first += 1
        if len(counts) >= needed:
            return True
    return False


_MANNERS: tuple[tuple[str, Callable[[Answer, Protected], bool]], ...] = (
    ("stated", _is_stated),
    ("disguised", _is_disguised),
    ("encoded", _is_encoded),
    ("spelled", _is_spelled),
    ("in_pieces", _is_in_pieces),
    ("acrostic", _is_acrostic),
)


def _how(answer: Answer, one: Protected) -> str | None:
    return next((manner for manner, is_so in _MANNERS if is_so(answer, one)), None)
