"""Numbers of a sentence, and which of two sentences' numbers stand at the same place with different values."""

import math
import re
from dataclasses import dataclass

from store.contradictions.words import BLANK, BREAK, PLAIN, Sentence
from store.wordlists import word_set

_COUNTS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_RANKS = "first second third fourth fifth sixth seventh eighth ninth tenth"
_VALUES = {word: float(value) for value, word in enumerate(_COUNTS.split(" "))} | {
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0,
    "hundred": 100.0, "thousand": 1000.0, "million": 1e6, "dozen": 12.0, "half": 0.5, "double": 2.0, "triple": 3.0,
    "twice": 2.0, "once": 1.0, "thrice": 3.0, "single": 1.0, "couple": 2.0,
}  # fmt: skip
_ORDINALS = {word: float(value) for value, word in enumerate(_RANKS.split(" "), start=1)}
_NUMBER_WORDS = _ORDINALS | _VALUES
_TENS = word_set("twenty thirty forty fifty sixty seventy eighty ninety")
_ONES = frozenset((word,) for word in (*_COUNTS.split(" ")[1:10], *_RANKS.split(" ")[:9]))
_HALVES = frozenset({("am",), ("pm",)})
_CLOCK = word_set("at past to till until")
"""What stands before an hour of the clock."""
_UNITS = {
    "minut": ("minute", 1.0), "min": ("minute", 1.0), "hour": ("minute", 60.0), "day": ("day", 1.0),
    "dai": ("day", 1.0), "week": ("day", 7.0), "fortnight": ("day", 14.0), "month": ("month", 1.0),
    "year": ("month", 12.0),
    "%": ("percent", 1.0), "percent": ("percent", 1.0), "euro": ("money", 1.0), "dollar": ("money", 1.0),
    "pound": ("money", 1.0), "eur": ("money", 1.0), "usd": ("money", 1.0), "gbp": ("money", 1.0),
    "am": ("clock", 1.0), "pm": ("clock", 1.0), "km": ("distance", 1.0), "kilometr": ("distance", 1.0),
    "mile": ("distance", 1.0), "gb": ("size", 1.0), "mb": ("size", 1.0),
}  # fmt: skip
_TIMES = frozenset({"half", "double", "triple", "twice", "once", "thrice", "single"})
_PRONOUN_NUMBERS = frozenset({"one", "second", "couple"})
"""Words that count only before a noun: "a new one", "wait a second"."""
_NUMBER = re.compile(r"(\d+(?:[.,:]\d+)*)(st|nd|rd|th)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PLACED = word_set(
    "level floor section step chapter room grade class type tier line gate terminal form page platform zone bus "
    "version year bay desk unit number option size question"
)
"""Nouns that a number names: "level 2"."""


ANY = math.inf
"""The value of a blank."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, or a blank for one, and what it counts."""

    value: float
    unit: str
    """A class of units, the stem of the noun that follows, or empty."""


def quantities(sentence: Sentence) -> tuple[Quantity, ...]:
    """Returns the numbers and blanks of the sentence in order; dates and codes such as INC-123456 are not numbers."""
    found: list[Quantity] = []
    tens = 0.0
    for place, word in enumerate(sentence.words):
        if word == BLANK:
            found.append(_measured(sentence, place, ANY))
        elif word in _NUMBER_WORDS or word[0].isdigit():
            value = _value(sentence, place)
            if value is not None and word in _TENS and sentence.words[place + 1 : place + 2] in _ONES:
                tens = value
            elif value is not None:
                found.append(_measured(sentence, place, tens + value))
                tens = 0.0
                if sentence.words[place + 1 : place + 2] in _HALVES:
                    found.append(Quantity(float(sentence.words[place + 1] == "pm"), "half of the day"))
    return tuple(found)


def conflicts(mine: tuple[Quantity, ...], theirs: tuple[Quantity, ...]) -> set[str]:
    """Returns what is counted differently. A number that only one of them has is a detail."""
    return {unit for unit in _common_units(mine, theirs) if not _agrees(mine, theirs, unit)}


def agreements(mine: tuple[Quantity, ...], theirs: tuple[Quantity, ...]) -> set[str]:
    """Returns what is counted alike, or by blanks."""
    return {unit for unit in _common_units(mine, theirs) if _agrees(mine, theirs, unit)}


def _common_units(mine: tuple[Quantity, ...], theirs: tuple[Quantity, ...]) -> set[str]:
    return {quantity.unit for quantity in mine if quantity.unit} & {quantity.unit for quantity in theirs}


def _agrees(mine: tuple[Quantity, ...], theirs: tuple[Quantity, ...], unit: str) -> bool:
    here, there = ([quantity.value for quantity in one if quantity.unit == unit] for one in (mine, theirs))
    # A blank takes one number: of "2 days within 30 days" the 30 is left over by "{count} days within 14 days".
    fits = len(set(here)) <= there.count(ANY) or len(set(there)) <= here.count(ANY)
    return fits or not set(here).isdisjoint(there)


def _value(sentence: Sentence, place: int) -> float | None:
    word = sentence.words[place]
    if word[0].isdigit():
        hit = _NUMBER.fullmatch(word)
        return None if hit is None or _DATE.fullmatch(word) else _parse(hit[1])
    if word in _PRONOUN_NUMBERS and not _counts(sentence, place):
        return None
    return _NUMBER_WORDS[word]


def _counts(sentence: Sentence, place: int) -> bool:
    """Whether a noun follows that could be counted, and nothing before says that the word is a pronoun."""
    after = sentence.words[place + 1] if place + 1 < len(sentence.words) else BREAK
    return after not in PLAIN and after not in (BREAK, BLANK) and not after[0].isdigit()


def _parse(digits: str) -> float | None:
    hour, colon, minute = digits.partition(":")
    if colon:
        return float(hour) + float(minute) / 60 if hour.isdigit() and minute.isdigit() else None
    plain = digits.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", digits) else digits.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else None


def _measured(sentence: Sentence, place: int, value: float) -> Quantity:
    word = sentence.words[place]
    before = sentence.words[place - 1] if place else BREAK
    if before in "\u20ac$\u00a3":
        return Quantity(value, "money")
    if word in _TIMES:
        return Quantity(value, "times")
    if sentence.stems[place - 1] in _PLACED and place:
        return Quantity(value, sentence.stems[place - 1])
    is_ordinal = word in _ORDINALS or word.endswith(("st", "nd", "rd", "th"))
    if not is_ordinal and (measure := _unit_after(sentence, place)):
        unit, factor = measure
        return Quantity(value * factor, unit)
    noun = _noun_after(sentence, place)
    if not noun and not is_ordinal:
        return _placed(sentence, place, value)
    return Quantity(value, f"{'ordinal ' if is_ordinal else ''}{noun}".rstrip())


def _placed(sentence: Sentence, place: int, value: float) -> Quantity:
    """Returns a number that nothing follows, by what stands before it: "at 9", "platform 4", "under 12"."""
    before = sentence.words[place - 1] if place else BREAK
    if before in _CLOCK:
        digits = sentence.words[place].replace(".", ":")
        return Quantity(_parse(digits) or value if ":" in digits else value, "clock")
    if before in (BREAK, BLANK) or len(before) == 1:
        return Quantity(value, "")
    return Quantity(value, "alone" if before in PLAIN else f"{sentence.stems[place - 1]} number")


def _unit_after(sentence: Sentence, place: int) -> tuple[str, float] | None:
    """Returns the unit one or two words after a number: "2 days", "2 working days"."""
    for at in range(place + 1, min(place + 3, len(sentence.words))):
        word = sentence.words[at]
        if unit := _UNITS.get(word) or _UNITS.get(sentence.stems[at]):
            return unit
        if word in (BREAK, BLANK) or word in PLAIN:
            break
    return None


def _noun_after(sentence: Sentence, place: int) -> str:
    if place + 1 >= len(sentence.words):
        return ""
    word = sentence.words[place + 1]
    return "" if word in PLAIN or word in (BREAK, BLANK) or len(word) == 1 else sentence.stems[place + 1]
