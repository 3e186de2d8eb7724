"""Reads orders whose words are spelt to be overlooked: glued together, with signs between them, or mistyped.

A reading is made only where a text has something that no plain sentence has, so that most texts are looked at once.
Linear in the text: a run of letters is taken apart by words of bounded length, and a mistyped word by its own length.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations

from rails.exemplars import Family, honest, sentences
from rails.exemplars import words as exemplar_words
from rails.matching import compile_linear
from rails.stop_words import LANGUAGES_OF
from rails.wordlists import word_list, word_set

# Anything but letters, digits, blanks and what plain sentences are punctuated with.
_SIGN = r"[^\pL\pM\pN\s.,;:?!'\"()]"
_JOINT = r"[^\pL\pM\pN\s]"
_LETTER_JOINT = r"[^\pL\pM\pN]"
_LONG_RUN = 14
"""Letters without a blank. English words seldom have more, and those that do are no row of known words."""
_UNUSUAL = compile_linear(
    rf"{_SIGN}|\pL(?:{_JOINT}+\pL+){{2}}|\pL{{{_LONG_RUN}}}|(?:\b[a-z]{_LETTER_JOINT}{{1,3}}){{5}}"
)
_SIGNS = compile_linear(rf"{_SIGN}+")
_JOINTS = compile_linear(rf"\pL+(?:{_JOINT}+\pL+){{2,}}")
_SPELT = compile_linear(rf"(?:^|{_LETTER_JOINT})(?:\pL{_LETTER_JOINT}{{1,6}}){{6,}}\pL(?:{_LETTER_JOINT}|$)")
_RUN = compile_linear(rf"\pL{{{_LONG_RUN},}}")
_INNER_CAPITAL = compile_linear(r"\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}", case_sensitive=True)
_HUMP = compile_linear(r"(\p{Ll})(\p{Lu})", case_sensitive=True)
_FEWEST_SIGNS = 3
"""Places with a sign: a smiley or a pair of dashes is in many an honest message."""
_FEWEST_SLIPS = 2
"""One alone may be a name, or a word that is not known here."""
_FEWEST_WORDS = 3
_SHORTEST_WORD, _LONGEST_WORD = 3, 16
_KNOWN_SHARE = 0.8
_WORD_COST, _LETTER_COST = 1.0, 1.5
_SHORT_WORD, _LONG_WORD = 5, 8
"""Letters: of a shorter word nothing is mended; from the second on, two slips are."""
_AROUND = ".,;:!?\"'()[]"
_TELLING = word_list(
    "ignore ignoring disregard disregarding forget bypass bypassing override overriding discard obey disobey "
    "previous previously prior above earlier original initial hidden secret system developer "
    "instruction instructions prompt prompts directive directives guideline guidelines restriction restrictions "
    "constraint constraints limitation limitations programming configuration rules policy policies command commands "
    "safety filters everything anything pretend roleplay reveal repeat print display output password without "
    "unrestricted uncensored unfiltered jailbreak assistant chatbot"
)
"""Words that orders to an assistant are made of, in the order in which a slip is taken for one of them."""
_JOINING = word_set(
    "a an the and or of to in on at by for from with as is are be do it no not my me us we he i you so if"
)


def respelt(text: str, folded: str) -> Iterator[str]:
    """Yields what a text says when its words are parted, joined and mended; `folded` is what `plain` makes of it."""
    if has_inner_capital(text):
        parted = str(_HUMP.sub(r"\1 \2", text)).casefold()
        if parted.count(" ") >= folded.count(" ") + _FEWEST_WORDS - 1:
            yield parted
    if _UNUSUAL.occurs_in(folded):
        yield from _regrouped(folded)
    wrong = _slips(folded)
    if len(wrong) >= _FEWEST_SLIPS:
        yield _mended(folded, wrong)


@lru_cache(maxsize=16)  # several readings ask
def has_inner_capital(text: str) -> bool:
    """Whether a word has a capital behind a small letter, or a small letter behind two capitals."""
    return _INNER_CAPITAL.occurs_in(text)


def mended(folded: str) -> str | None:
    """Returns a folded text with its mistyped telling words mended, or None when there is none."""
    wrong = _slips(folded)
    return _mended(folded, wrong) if wrong else None


def _regrouped(folded: str) -> Iterator[str]:
    glued = _JOINTS.occurs_in(folded)
    if glued or sum(1 for _ in _SIGNS.finditer(folded)) >= _FEWEST_SIGNS:
        bare = str(_SIGNS.sub(" ", folded))
        yield str(_JOINTS.sub(lambda found: _blanked(found.group()), bare)) if glued else bare
    joined = str(_SPELT.sub(lambda found: f" {_letters(found.group())} ", folded))
    taken_apart = str(_RUN.sub(lambda found: " ".join(words_in(found.group())), joined))
    if taken_apart != folded:
        yield taken_apart


def _blanked(part: str) -> str:
    return "".join(char if char.isalnum() else " " for char in part)


def _letters(part: str) -> str:
    return "".join(char for char in part if char.isalnum())


def words_in(run: str) -> list[str]:
    """Returns the known words that a run of letters is made of, or the run itself when it is no row of them."""
    known = _VOCABULARY
    best, back = [0.0], [0]
    for end in range(1, len(run) + 1):
        cost, start = best[end - 1] + _LETTER_COST, end - 1
        for begin in range(max(0, end - _LONGEST_WORD), end):
            if best[begin] + _WORD_COST < cost and run[begin:end] in known:
                cost, start = best[begin] + _WORD_COST, begin
        best.append(cost)
        back.append(start)
    parts: list[str] = []
    end = len(run)
    while end:
        parts.append(run[back[end] : end])
        end = back[end]
    found = [part for part in parts if part in known]
    is_row = len(found) >= _FEWEST_WORDS and sum(map(len, found)) >= _KNOWN_SHARE * len(run)
    return parts[::-1] if is_row else [run]


def _vocabulary() -> frozenset[str]:
    """Returns the words of the examples and the small words of English: what an order may be made of."""
    written = [sentence for family in Family for sentence in sentences(family)]
    said = {word.strip(_AROUND) for sentence in (*written, *honest()) for word in sentence.casefold().split()}
    listed = exemplar_words("commands") | exemplar_words("orders") | exemplar_words("words")
    small = {word for word, languages in LANGUAGES_OF.items() if "en" in languages}
    long = {word for word in said | listed | small | set(_TELLING) if word.isalpha() and len(word) >= _SHORTEST_WORD}
    return frozenset(long | _JOINING)


@lru_cache(maxsize=16)  # several rails read the same text
def _slips(folded: str) -> dict[str, str]:
    """Returns the mistyped telling words of a text, each with the word that is meant."""
    return {word: right for word in set(folded.split()) if (right := _right(word)) is not None}


def _mended(folded: str, wrong: Mapping[str, str]) -> str:
    return " ".join(wrong.get(word, word) for word in folded.split())


@lru_cache(maxsize=8192)  # people write the same words again and again
def _right(word: str) -> str | None:
    bare = word.strip(_AROUND)
    if not _SHORT_WORD <= len(bare) <= _LONGEST_WORD or not bare.isalpha() or bare in _VOCABULARY:
        return None
    most = 2 if len(bare) >= _LONG_WORD else 1
    shortened = {bare, *_shortened(bare, most)}
    likely = {right for short in shortened for right in _BY_SHORTENED.get(short, ())}
    near = [(_slips_between(bare, right), right) for right in likely if right[0] == bare[0]]
    count, right = min(near, default=(most + 1, ""))
    return right if count <= most else None


def _by_shortened() -> dict[str, tuple[str, ...]]:
    """Returns the telling words by what is left of them without one letter, or without two of a long one."""
    table: dict[str, tuple[str, ...]] = {}
    for word in _TELLING:
        for short in {word, *_shortened(word, 2 if len(word) >= _LONG_WORD else 1)}:
            table[short] = (*table.get(short, ()), word)
    return table


def _shortened(word: str, most: int) -> Iterator[str]:
    for count in range(1, most + 1):
        for kept in combinations(range(len(word)), len(word) - count):
            yield "".join(word[place] for place in kept)


def _slips_between(one: str, other: str) -> int:
    """Returns how many letters are added, left out, changed or swapped with the next between two words."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, char in enumerate(one, start=1):
        last, row = row, [place]
        for at, wanted in enumerate(other, start=1):
            cost = min(last[at] + 1, row[at - 1] + 1, last[at - 1] + (char != wanted))
            if place > 1 and at > 1 and char == other[at - 2] and one[place - 2] == wanted:
                cost = min(cost, before[at - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]


_VOCABULARY, _BY_SHORTENED = _vocabulary(), _by_shortened()
"""Made when the module is loaded: the first message must not wait for them."""
