"""Takes a text apart into what can be checked against facts: numbers, dates, names, links, codes, and sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from rails.content_words import keys_of
from rails.matching import compile_linear
from rails.measures import Measure, measure_of
from rails.number_words import KINDS, NEVER_LEFT_OUT, ORDINAL, WEEKDAYS
from rails.polarity import Polarity, polarity_of
from rails.quantities import Date, Number, quantities_of
from rails.swapped import Part, parts_of, ranges_of
from rails.tokens import Token, plain_text, sentences_of

_LINK = compile_linear(r"(?:https?://|www\.)[^\s<>\"]+|[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[\pL]{2,24}")
_AFTER_LINK = ".,;:!?)]}'*_"
_LINK_PUNCTUATION = str.maketrans(dict.fromkeys("./-_?=&#%@:+~", " "))
_LINK_MARK = "\ue000"
"""Stands for a link where sentences are read; no letter, so no word."""
_ABBREVIATIONS = frozenset(("e.g", "i.e", "a.m", "p.m", "z.b", "d.h"))
_PRONOUNS = frozenset(("i", "i'm", "i'll", "i've", "i'd", "ok", "okay"))


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, as far as it states something."""

    tokens: tuple[Token, ...]
    keys: frozenset[str]
    """What stands for its content words; see `keys_of`."""
    named: frozenset[str]
    """Those of the keys that belong to names and codes: they carry more of what is said."""
    numbers: frozenset[Number]
    polarity: Polarity
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Its words, without punctuation."""
        return " ".join([token.text for token in self.tokens])


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text says that facts must bear out. Everything is case-folded."""

    numbers: frozenset[Number]
    bare_values: frozenset[str]
    """Values of the numbers, without those whose unit is never left out."""
    measures: frozenset[Measure]
    """The same amounts, whatever unit they are written in."""
    dates: frozenset[Date]
    links: frozenset[str]
    codes: frozenset[str]
    """Words with digits or punctuation inside: `inc-123456`, `vpn2`, `a_b`."""
    names: frozenset[str]
    """Capitalised words inside sentences, weekdays, and words in capitals."""
    words: frozenset[str]
    """Every word, for looking up the names of another text."""
    ranges: frozenset[tuple[str, str]]
    """Values that stand as `from one to the other`, in this order."""
    sentences: tuple[Sentence, ...]
    """In order; without those that state nothing."""
    keys: frozenset[str]
    """Of all sentences, and the words of which links are made: who opens `portal.example` opens a portal."""
    denied: frozenset[str]
    """Keys that one of the sentences denies."""
    affirmed: frozenset[str]
    """Keys that one of the sentences does not deny."""

    def has_word(self, word: str) -> bool:
        """Says whether the word is here, in the singular or the plural."""
        return any(form in self.words for form in (word, word.removesuffix("s"), f"{word}s"))

    def has_number(self, number: Number) -> bool:
        """Says whether the number is here in its unit; a bare one may leave out a unit, if that changes little."""
        value, kind = number
        if number in self.numbers:
            return True
        if (measure := measure_of(value, kind)) is not None and measure in self.measures:
            return True
        if kind == "day":
            return (value, "working day") in self.numbers
        if kind == ORDINAL:
            return (value, "") in self.numbers  # floor 3 is the third floor, 31 March its 31st
        return not kind and value in self.bare_values


@lru_cache(maxsize=256)
def claims_of(text: str, language: str = "en") -> Claims:
    """Returns the claims of a text in `language` (a base tag); kept for the facts of recent prompts."""
    plain = plain_text(text)
    links = frozenset[str]()
    if "@" in plain or "://" in plain or "www." in plain:
        links = frozenset(_clean_link(found.group()) for found in _LINK.finditer(plain))
        plain = _LINK.sub(_without_link, plain)
    said = sentences_of(plain)
    tokens = [*chain.from_iterable(said)]
    places = [position for position, token in enumerate(tokens) if not token.is_ordinary]
    numbers, dates = quantities_of(tokens, places, language)
    codes, names = set[str](), set[str]()
    for position in places:
        token = tokens[position]
        is_alpha = token.text.isalpha()
        if position in numbers or (is_alpha and token.text.islower() and token.text not in WEEKDAYS):
            continue
        if not is_alpha and _is_code(token.folded):
            codes.add(token.folded)
        elif _is_name(token):
            names.add(token.folded.removesuffix("'s"))
    sentences = tuple(_sentences(said, numbers, language))
    return Claims(
        numbers=frozenset(numbers.values()),
        bare_values=frozenset(value for value, unit in numbers.values() if unit not in NEVER_LEFT_OUT),
        measures=frozenset(measure for number in numbers.values() if (measure := measure_of(*number)) is not None),
        dates=dates,
        links=links,
        codes=frozenset(codes),
        names=frozenset(names),
        words=frozenset([t.folded if t.is_ordinary else t.folded.removesuffix("'s") for t in tokens]),
        ranges=ranges_of(tokens, {position: value for position, (value, _) in numbers.items()}),
        sentences=sentences,
        keys=frozenset[str]().union(*(sentence.keys for sentence in sentences), *_words_of(links, language)),
        denied=frozenset[str]().union(*(sentence.polarity.denied for sentence in sentences)),
        affirmed=frozenset[str]().union(*(sentence.polarity.affirmed for sentence in sentences)),
    )


def _sentences(said: Iterable[Sequence[Token]], numbers: Mapping[int, Number], language: str) -> Iterator[Sentence]:
    begin = 0
    for tokens in said:
        end = begin + len(tokens)
        here = {place - begin: number for place, number in numbers.items() if begin <= place < end}
        sentence = _sentence(tokens, here, language)
        if sentence.keys or sentence.numbers:
            yield sentence
        begin = end


def _sentence(tokens: Sequence[Token], numbers: Mapping[int, Number], language: str) -> Sentence:
    """Returns what one sentence states; `numbers` are those of its own, by their place in it."""
    words = [token.folded for token in tokens]
    stems = [keys_of(word, language) for word in words]
    if numbers:
        stems = [() if place in numbers or words[place] in KINDS else stem for place, stem in enumerate(stems)]
    # With a capital that is not due to their place, or no words of letters.
    named = frozenset(
        [
            key
            for token, stem in zip(tokens, stems, strict=True)
            if not (token.is_ordinary or token.text.islower())
            and not (token.is_sentence_start and token.text.isalpha())
            for key in stem
        ]
    )
    return Sentence(
        tokens=tuple(tokens),
        keys=frozenset(chain.from_iterable(stems)),
        named=named,
        numbers=frozenset(numbers.values()),
        polarity=polarity_of(words, stems),
        parts=parts_of(words, stems, named, {place: value for place, (value, _) in numbers.items()}),
    )


def _clean_link(link: str) -> str:
    return link.rstrip(_AFTER_LINK).casefold().removeprefix("https://").removeprefix("http://").rstrip("/")


def _words_of(links: frozenset[str], language: str) -> Iterator[tuple[str, ...]]:
    for link in links:
        for word in link.translate(_LINK_PUNCTUATION).split():
            if word.isalpha():
                yield keys_of(word, language)


def _without_link(found: Any) -> str:
    link: str = found.group()
    return f" {_LINK_MARK}{link[len(link.rstrip(_AFTER_LINK)) :]}"


def _is_code(folded: str) -> bool:
    if folded in _ABBREVIATIONS:
        return False
    return any(char in folded for char in "_\\.-") or (any(c.isdigit() for c in folded) and not folded.isdigit())


def _is_name(token: Token) -> bool:
    if token.folded in _PRONOUNS or token.folded in KINDS or not token.text[:1].isalpha():
        return False
    if token.folded in WEEKDAYS:
        return True
    if token.text.isupper() and len(token.text) > 1:
        return True
    return token.text[:1].isupper() and not token.is_sentence_start
