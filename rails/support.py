"""How far facts bear out the sentences of an answer, and the signs that they say the contrary."""

from rails.claims import Claims, Sentence
from rails.measures import measure_of
from rails.polarity import OPPOSITES
from rails.swapped import is_swapped

_NAME_WEIGHT, _WORD_WEIGHT, _REPEATED_WEIGHT = 2.0, 1.0, 0.25
"""What a name or number, another word, and a word of the question count for."""
_SHARED = 2
"""Words that two sentences must share before one is said to contradict the other."""


def supports_of(answer: Claims, facts: Claims, question: Claims) -> list[float]:
    """Returns, for each sentence that states something, the share of it that the facts have, from 0 to 1.

    What only repeats the question counts for little, because an answer that is wrong repeats it as well.
    """
    return [_support(sentence, facts, question.keys) for sentence in answer.sentences]


def contradiction_of(answer: Claims, facts: Claims) -> str | None:
    """Returns how the first sentence that does goes against the facts: `negation`, `opposite` or `quantity`.

    `swapped` when each sentence for itself does not, but takes together what the facts keep apart.
    """
    sign = next((sign for sentence in answer.sentences if (sign := _contradiction(sentence, facts))), None)
    if sign is not None:
        return sign
    turned = {(last, first) for first, last in facts.ranges}
    if (answer.ranges - facts.ranges) & turned:
        return "quantity"
    parts = [part for sentence in answer.sentences for part in sentence.parts]
    return "swapped" if is_swapped(parts, [part for fact in facts.sentences for part in fact.parts]) else None


def _support(sentence: Sentence, facts: Claims, asked: frozenset[str]) -> float:
    found = whole = 0.0
    for key in sentence.keys:
        weight = _NAME_WEIGHT if key in sentence.named else _WORD_WEIGHT
        if key in asked:
            weight *= _REPEATED_WEIGHT
        whole += weight
        if key in facts.keys:
            found += weight
    for number in sentence.numbers:
        whole += _NAME_WEIGHT
        if facts.has_number(number):
            found += _NAME_WEIGHT
    return found / whole


def _contradiction(sentence: Sentence, facts: Claims) -> str | None:
    """Compares with the fact sentence that shares most words; a sentence of its own words has none to go against."""
    nearest = max(facts.sentences, key=lambda fact: len(fact.keys & sentence.keys), default=None)
    if nearest is None:
        return None
    shared = nearest.keys & sentence.keys
    if len(shared) >= min(_SHARED, len(sentence.keys)) and shared:
        if _is_denied(sentence, shared, facts):
            return "negation"
        if _is_opposed(sentence, nearest, facts):
            return "opposite"
    return "quantity" if _is_requantified(sentence, nearest, facts) else None


def _is_denied(sentence: Sentence, shared: frozenset[str], facts: Claims) -> bool:
    """Whether it denies what no fact denies, or affirms what the facts only ever deny."""
    denied = shared & sentence.polarity.denied
    affirmed = shared & sentence.polarity.affirmed
    return not (denied - affirmed <= facts.denied and affirmed - denied <= facts.affirmed)


def _is_opposed(sentence: Sentence, nearest: Sentence, facts: Claims) -> bool:
    for word in sentence.polarity.opposed:
        if word not in facts.words and not OPPOSITES[word].isdisjoint(
            nearest.polarity.opposed - sentence.polarity.opposed
        ):
            return True
    return False


def _is_requantified(sentence: Sentence, nearest: Sentence, facts: Claims) -> bool:
    """Whether a number stands in the facts for another thing: the nearest sentence has a different one of its kind."""
    for value, kind in sentence.numbers:
        measure = measure_of(value, kind)
        if measure is not None and any(measure_of(*other) == measure for other in nearest.numbers):
            continue
        if any(other == value for other, _ in nearest.numbers) or not any(unit == kind for _, unit in nearest.numbers):
            continue
        owners = [fact for fact in facts.sentences if any(other == value for other, _ in fact.numbers)]
        closest = max((len(owner.keys & sentence.keys) for owner in owners), default=0)
        if owners and 2 * closest < len(nearest.keys & sentence.keys):
            return True
    return False
