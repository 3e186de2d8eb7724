"""Words of which a sentence means one or the other: opposites, names of one kind, rules asked about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from store.contradictions import kinds, tables
from store.contradictions.words import BREAK, Sentence, form_of, stem
from store.wordlists import word_set

_PARTICLE_REACH = 4
_NEIGHBOURS = 3
_PREFIXES = ("un", "dis", "de", "non", "in")
_WH = word_set("how what where when who which why whom")
_LONGEST_SUBJECT = 6
_ASKS_RULE = word_set("can may must do does is are am will would")
_BEFORE_MONTH = word_set("in of since until till from by for during before after")


@dataclass(frozen=True, slots=True)
class _Entry:
    pair: str
    side: str
    needs_company: bool
    """Whether it counts only beside a word that both sentences have."""
    has_forms: bool = False
    """Whether an ending makes another pair of it: "locked" is no opposite of "unlock"."""


_Phrases = Mapping[tuple[str, ...], list[_Entry]]


@dataclass(frozen=True, slots=True)
class _Known:
    entries: tuple[_Entry, ...]
    phrases: tuple[tuple[int, _Phrases], ...]
    """By number of words."""
    has_particle: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """Which sides a sentence takes."""

    taken: Mapping[str, frozenset[str]]
    """By pair or kind: the sides."""
    around: Mapping[str, frozenset[str]]
    """By pair: stems near the words that took them. A kind of names has none: names need no company."""
    modes: frozenset[str]
    doers: frozenset[str]
    """Which of "i" and "you" it speaks of."""


def read_sides(sentence: Sentence, denied: frozenset[int]) -> Sides:
    """Returns the sides that the words of the sentence take; a denied word takes none."""
    taken: dict[str, set[str]] = {}
    around: dict[str, set[str]] = {}
    for place, entry in _found(sentence):
        if place in denied:
            continue
        pair = entry.pair
        if entry.has_forms:
            pair = f"{pair} {form_of(sentence.words[place])}".rstrip()
        if entry.needs_company:
            near = [sentence.stems[at] for at in sentence.contents if 0 < abs(at - place) <= _NEIGHBOURS]
            around.setdefault(pair, set()).update(near)
        taken.setdefault(pair, set()).add(entry.side)
    return Sides(
        {pair: frozenset(sides) for pair, sides in taken.items()},
        {pair: frozenset(stems) for pair, stems in around.items()},
        frozenset(_modes(sentence)),
        frozenset("i" if word == "we" else word for word in sentence.words if word in ("i", "we", "you")),
    )


def conflicts(mine: Sides, theirs: Sides) -> Iterator[str]:
    """Yields the pairs of which the two take different sides.

    They count only beside a word that both have: the same thing opened and closed, not one opened, another closed.
    """
    are_across = len(mine.doers) == len(theirs.doers) == 1 and mine.doers != theirs.doers
    for pair in mine.taken.keys() & theirs.taken.keys():
        if are_across and pair in tables.CONVERSES:
            continue
        if mine.taken[pair].isdisjoint(theirs.taken[pair]):
            here, there = mine.around.get(pair), theirs.around.get(pair)
            if not here or not there or not here.isdisjoint(there):
                yield pair


def opposed_modes(mine: Sides, theirs: Sides) -> str | None:
    """Returns which rules are asked about when one asks whether it may and the other whether it must, or None."""
    pairs = ({here, there} for here in mine.modes - theirs.modes for there in theirs.modes - mine.modes)
    return min(("/".join(sorted(pair)) for pair in pairs if pair in tables.OPPOSED_MODES), default=None)


def negated_twin(mine: Sentence, theirs: Sentence) -> str | None:
    """Returns a word that one has as it is and the other with un-, dis-, de-, non- or in-, or None."""
    here, there = mine.forms - theirs.forms, theirs.forms - mine.forms
    return min((*_twins(here, there), *_twins(there, here)), default=None)


def _twins(longer: frozenset[tuple[str, str]], shorter: frozenset[tuple[str, str]]) -> Iterator[str]:
    for word, form in longer:
        if word.startswith(_PREFIXES) and word not in tables.NOT_NEGATED:
            for prefix in _PREFIXES:
                if word.startswith(prefix) and (word.removeprefix(prefix), form) in shorter:
                    yield word


def _found(sentence: Sentence) -> Iterator[tuple[int, _Entry]]:
    words = sentence.words
    for place, word in enumerate(words):
        known = _lookup(word)
        if known is None:
            continue
        for entry in known.entries:
            yield place, entry
        for length, entries in known.phrases:
            for entry in entries.get(sentence.stems[place : place + length], ()):
                yield place, entry
        if known.has_particle:
            yield from _particle(sentence, place)


def _particle(sentence: Sentence, verb: int) -> Iterator[tuple[int, _Entry]]:
    for word in sentence.words[verb + 1 : verb + 1 + _PARTICLE_REACH]:
        if word == BREAK:
            return
        if word in tables.PARTICLES:
            side = tables.PARTICLES[word]
            other = tables.OPPOSED_PARTICLES[side]
            name = tables.WITH_PARTICLE[sentence.stems[verb]]
            yield verb, _Entry(f"{name} {'/'.join(sorted((side, other)))}", side, needs_company=False)
            return


def _modes(sentence: Sentence) -> Iterator[str]:
    words = sentence.words
    asks_how = False
    for place, word in enumerate(words):
        asks_how = (asks_how or word in _WH) and word != BREAK
        for phrase, mode in _MODES.get(word, ()):
            if not asks_how and words[place : place + len(phrase)] == phrase:
                yield mode
        # "may" is a month after a preposition and a guess before "be"
        if word in tables.FIRM_MODES and _is_modal(words, place):
            yield tables.FIRM_MODES[word]
    if words and words[0] in _ASKS_RULE:
        yield from _subject_mode(words)


def _is_modal(words: tuple[str, ...], place: int) -> bool:
    before = words[place - 1] if place else BREAK
    after = words[place + 1] if place + 1 < len(words) else BREAK
    return before not in _BEFORE_MONTH and after not in (BREAK, "not", "be") and before not in ("not", "never")


def _subject_mode(words: tuple[str, ...]) -> Iterator[str]:
    """Yields the rule that "Must students ..." or "Are tenants required to ..." asks about."""
    for place, word in enumerate(words[:_LONGEST_SUBJECT]):
        if word in (BREAK, "not"):
            return
        for mode, known in tables.SUBJECT_MODES.items():
            if word in known and (word not in ("have", "need") or words[place + 1 : place + 2] == ("to",)):
                yield mode
                return


def _split(lines: str) -> Iterator[list[list[str]]]:
    for line in lines.strip().splitlines():
        yield [side.split() for side in line.split("|")]


def _pairs(words_of_sides: list[list[str]]) -> Iterator[tuple[str, _Entry]]:
    names = [words[0].removeprefix("=") for words in words_of_sides]
    for side, words in enumerate(words_of_sides):
        for word in words:
            yield word, _Entry("/".join(names), names[side], needs_company=True, has_forms=True)


def _kinds() -> Iterator[tuple[str, _Entry]]:
    for kind, sides in kinds.KINDS.items():
        for words in sides:
            for word in words:
                entry = _Entry(kind, words[0], needs_company=True)
                yield word, entry
                if not word.endswith("s"):
                    yield f"{word}s", entry


def _graded() -> Iterator[list[list[str]]]:
    """Yields each pair of qualities as it is, compared, and at its highest."""
    for sides in _split(tables.GRADED):
        for ending in ("", "er", "est"):
            yield [[_grade(word, ending) for word in words] for words in sides]


def _grade(word: str, ending: str) -> str:
    if not ending:
        return word
    if word.endswith("y"):
        return f"{word[:-1]}i{ending}"
    is_doubled = word[-1] in "dgmntp" and word[-2] in "aiou" and word[-3] not in "aeiou"
    return f"{word.removesuffix('e')}{word[-1] if is_doubled else ''}{ending}"


def _by_word() -> tuple[dict[str, list[_Entry]], dict[str, list[_Entry]]]:
    exact: dict[str, list[_Entry]] = {}
    inflected: dict[str, list[_Entry]] = {}
    for sides in _split(tables.ACTS):
        for word, entry in _pairs(sides):
            if word.startswith("="):
                exact.setdefault(word[1:], []).append(entry)
            else:
                inflected.setdefault(stem(word), []).append(entry)
    for sides in _graded():
        for word, entry in _pairs(sides):
            exact.setdefault(word, []).append(entry)
    for word, entry in _kinds():
        exact.setdefault(word, []).append(entry)
    return exact, inflected


def _phrases() -> Mapping[str, tuple[tuple[int, _Phrases], ...]]:
    found: dict[str, dict[int, dict[tuple[str, ...], list[_Entry]]]] = {}
    for before in _BEFORE_MONTH:
        found[stem(before)] = {2: {(stem(before), "may"): [_Entry("month", "may", needs_company=True)]}}
    for line in tables.PHRASES.strip().replace("\n |", " |").splitlines():
        sides = [[phrase.strip() for phrase in side.split(",")] for side in line.split("|")]
        for phrase, entry in _pairs(sides):
            stems = tuple(stem(word) for word in phrase.split())
            found.setdefault(stems[0], {}).setdefault(len(stems), {}).setdefault(stems, []).append(entry)
    return {first: tuple(by_length.items()) for first, by_length in found.items()}


def _mode_phrases() -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    mode = ""
    for line in tables.MODES.strip().splitlines():
        head, colon, rest = line.partition(":")
        mode = head if colon else mode
        for phrase in (rest if colon else line).split(","):
            words = tuple(phrase.split())
            found.setdefault(words[0], []).append((words, mode))
    return {first: tuple(entries) for first, entries in found.items()}


_BY_WORD, _BY_STEM = _by_word()
_BY_FIRST = _phrases()
_MODES = _mode_phrases()


@lru_cache(maxsize=8192)
def _lookup(word: str) -> _Known | None:
    """Returns what the tables hold on a word; for most words nothing, and a cache says so at once."""
    root = stem(word)
    entries = (*_BY_WORD.get(word, ()), *_BY_STEM.get(root, ()))
    known = _Known(entries, _BY_FIRST.get(root, ()), root in tables.WITH_PARTICLE)
    return known if known != _Known((), (), has_particle=False) else None
