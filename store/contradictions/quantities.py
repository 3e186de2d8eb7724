"""Numbers of a sentence, and which of two sentences' numbers stand at the same place with different values."""

import math
import re
from dataclasses import dataclass

from store.contradictions.measures import SIGNS, UNITS, Unit, figures, span
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
_TIMES = frozenset({"half", "double", "triple", "twice", "once", "thrice", "single"})
_PRONOUN_NUMBERS = frozenset({"one", "second", "couple"})
"""Words that count only before a noun: "a new one", "wait a second"."""
_NUMBER = re.compile(r"(\d[\d.,:' \u00a0\u2009\u202f]*)(?:st|nd|rd|th)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PLACED = word_set(
    "level floor section step chapter room grade class type tier line gate terminal form page platform zone bus "
    "version year bay desk unit number option size question"
)
"""Nouns that a number names: "level 2"."""
_WHOLE = frozenset({"money", "duration"})
_EITHER_MARK = 2
"""Readings of a number whose one point or comma stands before three digits."""
_ROUNDING = 1e-4
"""Share by which two amounts may differ and be the same: units are turned into each other with few digits."""


Spans = tuple[tuple[float, float], ...]
ANY: Spans = ((-math.inf, math.inf),)
"""The value of a blank."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, or a blank for one, and what it counts."""

    spans: Spans
    """From where to where it may lie, once for each reading: "1.500 km" is 1.5 or 1500, a month 28 to 31 days."""
    unit: str
    """A class of units, the stem of the noun that follows, or empty."""


def quantities(sentence: Sentence) -> tuple[Quantity, ...]:
    """Returns the numbers and blanks of the sentence in order; dates and codes such as INC-123456 are not numbers."""
    found: list[Quantity] = []
    tens = 0.0
    for place, word in enumerate(sentence.words):
        if word == BLANK:
            found.append(_measured(sentence, place, ()))
        elif word in _NUMBER_WORDS or word[0].isdigit():
            values = _values(sentence, place)
            if values and word in _TENS and sentence.words[place + 1 : place + 2] in _ONES:
                tens = values[0]
            elif values:
                found.append(_measured(sentence, place, tuple(tens + value for value in values)))
                tens = 0.0
                if sentence.words[place + 1 : place + 2] in _HALVES:
                    is_late = float(sentence.words[place + 1] == "pm")
                    found.append(Quantity(((is_late, is_late),), "half of the day"))
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
    here, there = ([quantity.spans for quantity in one if quantity.unit == unit] for one in (mine, theirs))
    # A blank takes one number: of "2 days within 30 days" the 30 is left over by "{count} days within 14 days".
    fits = len(set(here)) <= there.count(ANY) or len(set(there)) <= here.count(ANY)
    return fits or any(_meet(one, other) for one in here if one != ANY for other in there if other != ANY)


def _meet(mine: Spans, theirs: Spans) -> bool:
    return any(
        low <= end * (1 + _ROUNDING) and start <= high * (1 + _ROUNDING) for low, high in mine for start, end in theirs
    )


def _values(sentence: Sentence, place: int) -> tuple[float, ...]:
    """Returns what the word may count; nothing where it is no number."""
    word = sentence.words[place]
    if word[0].isdigit():
        hit = _NUMBER.fullmatch(word)
        return () if hit is None or _DATE.fullmatch(word) else figures(hit[1])
    if word in _PRONOUN_NUMBERS and not _counts(sentence, place):
        return ()
    return (_NUMBER_WORDS[word],)


def _counts(sentence: Sentence, place: int) -> bool:
    """Whether a noun follows that could be counted, and nothing before says that the word is a pronoun."""
    after = sentence.words[place + 1] if place + 1 < len(sentence.words) else BREAK
    return after not in PLAIN and after not in (BREAK, BLANK) and not after[0].isdigit()


def _measured(sentence: Sentence, place: int, values: tuple[float, ...]) -> Quantity:
    """Returns the quantity of a number that may be any of `values`; of a blank where there are none."""
    word = sentence.words[place]
    is_ordinal = word in _ORDINALS or word.endswith(("st", "nd", "rd", "th"))
    if _is_amount(sentence, place):
        return _quantity(values, "money")
    if word in _TIMES:
        return _quantity(values, "times")
    if place and sentence.stems[place - 1] in _PLACED:
        return _quantity(values, sentence.stems[place - 1])
    if not is_ordinal and (unit := _unit_after(sentence, place)):
        return _quantity(values, unit.kind, unit)
    noun = _noun_after(sentence, place)
    if not noun and not is_ordinal:
        return _placed(sentence, place, values)
    return _quantity(values, f"{'ordinal ' if is_ordinal else ''}{noun}".rstrip())


def _is_amount(sentence: Sentence, place: int) -> bool:
    """Whether a currency stands in front: "EUR 100", but not the 3 of "50 EUR 3 days"."""
    if not place or sentence.words[place - 1] not in SIGNS:
        return False
    return place == 1 or not sentence.words[place - 2][0].isdigit()


def _quantity(values: tuple[float, ...], kind: str, unit: Unit | None = None) -> Quantity:
    if not values:
        return Quantity(ANY, kind)
    # Nobody prices, dates or counts in thousandths: the point of "1.000 euros" is no decimal one.
    is_counted = unit is None and bool(kind) and kind not in _PLACED and not kind.endswith(" number")
    read = values[:1] if (is_counted or kind in _WHOLE) and len(values) == _EITHER_MARK else values
    return Quantity(tuple(span(value, unit) if unit else (value, value) for value in read), kind)


def _placed(sentence: Sentence, place: int, values: tuple[float, ...]) -> Quantity:
    """Returns a number that nothing follows, by what stands before it: "at 9", "platform 4", "under 12"."""
    before = sentence.words[place - 1] if place else BREAK
    if before in _CLOCK:
        digits = sentence.words[place].replace(".", ":")
        return _quantity((figures(digits) if ":" in digits else ()) or values, "clock")
    if before in (BREAK, BLANK) or len(before) == 1:
        return _quantity(values, "")
    return _quantity(values, "alone" if before in PLAIN else f"{sentence.stems[place - 1]} number")


def _unit_after(sentence: Sentence, place: int) -> Unit | None:
    """Returns the unit one or two words after a number: "2 days", "2 working days"."""
    for at in range(place + 1, min(place + 3, len(sentence.words))):
        word = sentence.words[at]
        if unit := UNITS.get(word) or UNITS.get(sentence.stems[at]):
            return unit
        if word in (BREAK, BLANK) or word in PLAIN:
            break
    return None


def _noun_after(sentence: Sentence, place: int) -> str:
    if place + 1 >= len(sentence.words):
        return ""
    word = sentence.words[place + 1]
    return "" if word in PLAIN or word in (BREAK, BLANK) or len(word) == 1 else sentence.stems[place + 1]
